//! Random heads for a predictor.

use super::LapaPredictorSpec;
use super::drive as lapa;
use crate::drive::Values;
use crate::golden::{Batch, Golden, compare_lists};
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

impl Golden for LapaPredictorSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // two heads, the second without a reset; few groups, so that rows follow closely
        let most = self.max_keys.min(3 * self.rows) as usize;
        let heads: Vec<_> = (0..2)
            .map(|_| {
                let (keys, rows) = (rng.random_range(1..=most), rng.random_range(1..=4));
                let values = [Values::Uniform, Values::Corner, Values::Small];
                let values = values[rng.random_range(0..3)];
                lapa::Head::random(self, &mut rng, keys, rows, values)
            })
            .collect();
        let mut stall = || [0.0, 0.1, 0.5][rng.random_range(0..3)];
        let stalls = lapa::Stalls { keys: stall(), queries: stall(), out: stall(), seed };
        let expected: Result<Vec<_>, _> = heads.iter().map(|head| head.expected(self)).collect();
        let expected = expected.map_err(|error| error.to_string())?.concat();
        let run = lapa::run(device, self, &heads, stalls, expected.len());
        let run = run.map_err(|error| error.to_string())?;
        compare_lists("group", &run.groups, &expected)?;
        Ok(Batch {
            cycles: run.cycles.last().map_or(0, |last| last + 1),
            // survivors, row_last and the scores
            compared: expected.len() as u64 * u64::from(self.rows + 2),
        })
    }
}
