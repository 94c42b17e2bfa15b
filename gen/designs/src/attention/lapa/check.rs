//! Attention from tokens to its output against its golden model.

use crate::attention::lapa::LapaSpec;
use crate::attention::lapa::drive::{importance, in_order, random_job, run};
use crate::drive::Stalls;
use crate::golden::{Batch, Golden, compare_lists};
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

impl Golden for LapaSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        // two jobs, the second without a reset
        let most = self.shape().max_keys.min(12) as usize;
        let jobs = [1, 2].map(|heads| {
            let tokens = rng.random_range(1..=most);
            random_job(self, rng, tokens, heads.min(self.max_heads) as usize)
        });
        let results: Result<Vec<_>, _> = jobs.iter().map(|job| job.results(self)).collect();
        let results = results.map_err(|error| error.to_string())?;
        let heads = results.iter().flat_map(|job| &job.heads);
        let rows: Vec<_> = heads.flat_map(|head| &head.rows).cloned().collect();
        let [out, ins] = if rng.random_bool(0.5) { [0.3, 0.2] } else { [0.0; 2] };
        let stalls = Stalls { out, ins, seed };
        let run = run(device, self, &jobs, stalls, rows.len(), jobs.len())
            .map_err(|error| error.to_string())?;
        compare_lists("row", &in_order(&run.rows)?, &rows)?;
        let expected: Vec<_> =
            results.iter().flat_map(|job| importance(self, &job.importance)).collect();
        compare_lists("group of importance", &run.importance, &expected)?;
        let fed: Vec<_> = results.iter().flat_map(|job| &job.feed).cloned().collect();
        compare_lists("feed-forward result", &run.feed, &fed)?;
        let last = run.cycles.last().max(run.feed_cycles.last());
        let cycles = last.map_or(0, |last| last + 1);
        let compared = rows.len() as u64 * u64::from(self.shape().head_dim)
            + fed.len() as u64 * u64::from(self.inputs);
        Ok(Batch {
            cycles,
            compared: compared + expected.len() as u64 * u64::from(2 * self.shape().rows),
        })
    }
}
