//! Attention from tokens to its output against its golden model.

use crate::attention::lapa::LapaSpec;
use crate::attention::lapa::drive::{check, random_job};
use crate::drive::Stalls;
use crate::golden::{Batch, Golden};
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
        let [out, ins] = if rng.random_bool(0.5) { [0.3, 0.2] } else { [0.0; 2] };
        let stalls = Stalls { out, ins, seed };
        let run = check(device, self, &jobs, stalls)?;
        let last = run.cycles.last().max(run.feed_cycles.last());
        let compared = run.rows.len() as u64 * u64::from(self.shape().head_dim)
            + run.feed.len() as u64 * u64::from(self.inputs)
            + run.importance.len() as u64 * u64::from(2 * self.shape().rows);
        Ok(Batch { cycles: last.map_or(0, |last| last + 1), compared })
    }
}
