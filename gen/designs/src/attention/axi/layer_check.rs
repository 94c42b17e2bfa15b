//! Attention whole behind AXI against its golden models: registers, then jobs.

use crate::attention::axi::lapa_check::access_registers;
use crate::attention::axi::layer_drive::{expected, run_jobs};
use crate::attention::axi::{LapaAxiSpec, build};
use crate::attention::lapa::drive::random_job;
use crate::axi::drive::{Host, Stalls};
use crate::golden::{Batch, Golden, compare_lists};
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

impl Golden for LapaAxiSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut stall = || [0.0, 0.1, 0.5][rng.random_range(0..3)];
        let (registers, inputs, outputs) = (stall(), stall(), stall());
        let map = build(self).map;
        let stalls = Stalls { registers, inputs, outputs, seed };
        // two jobs, the second without a reset
        let most = self.engine.shape().max_keys.min(12) as usize;
        let jobs = [1, 2].map(|heads| {
            let tokens = rng.random_range(1..=most);
            random_job(&self.engine, &mut rng, tokens, heads.min(self.engine.max_heads) as usize)
        });
        let must = expected(self, &jobs)?;
        let mut host = Host::new(device, &map, stalls);
        let mut compared = access_registers(&mut host, &map, &mut rng)?;
        let results = run_jobs(&mut host, self, &jobs).map_err(|error| error.to_string())?;
        compare_lists("row", &results.rows, &must.rows)?;
        compare_lists("group of importance", &results.importance, &must.importance)?;
        compare_lists("feed-forward result", &results.feed, &must.feed)?;
        compared += must.feed.len() as u64 * u64::from(self.engine.inputs);
        compared += must.rows.len() as u64 * u64::from(self.engine.shape().head_dim + 1);
        compared += must.importance.len() as u64 * u64::from(2 * self.engine.shape().rows);
        Ok(Batch { cycles: host.bench.cycle, compared })
    }
}
