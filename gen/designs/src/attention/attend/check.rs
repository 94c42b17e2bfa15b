//! Random heads for the exact stage.

use super::AttendSpec;
use super::drive as attend;
use crate::drive::Values;
use crate::golden::{Batch, Golden, compare_lists};
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

impl Golden for AttendSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let most = self.max_keys.min(3 * self.rows) as usize;
        let heads: Vec<_> = (0..2)
            .map(|_| {
                let (keys, rows) = (rng.random_range(1..=most), rng.random_range(1..=6));
                let values = [Values::Uniform, Values::Corner, Values::Small];
                let values = values[rng.random_range(0..3)];
                attend::Head::random(self, &mut rng, keys, rows, values)
            })
            .collect();
        let mut stall = || [0.0, 0.1, 0.5][rng.random_range(0..3)];
        let (keys, queries, survivors, out) = (stall(), stall(), stall(), stall());
        let stalls = attend::Stalls { keys, queries, survivors, out, seed };
        let expected: Result<Vec<_>, _> = heads.iter().map(|head| head.expected(self)).collect();
        let expected = expected.map_err(|error| error.to_string())?.concat();
        let run = attend::run(device, self, &heads, stalls, expected.len());
        let run = run.map_err(|error| error.to_string())?;
        compare_lists("row", &run.rows, &expected)?;
        Ok(Batch {
            cycles: run.cycles.last().map_or(0, |last| last + 1),
            compared: expected.len() as u64 * u64::from(self.head_dim),
        })
    }
}
