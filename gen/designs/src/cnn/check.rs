//! The CNN core against its golden model.

use crate::cnn::CnnSpec;
use crate::cnn::drive::{Script, sent};
use crate::drive::run;
use crate::golden::stall;
use crate::golden::{Batch, Golden, compare_lists};
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

impl Golden for CnnSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let layers = rng.random_range(0..4);
        let script = Script::random(self, rng, layers);
        let feeds = script.feeds(self, [stall(rng), stall(rng)]);
        let expected = script.expected(self);
        let count = expected.len() / self.results as usize;
        let run =
            run(device, &feeds, stall(rng), seed, count).map_err(|error| error.to_string())?;
        compare_lists("byte", &sent(self, &run), &expected)?;
        let cycles = run.cycles.last().map_or(0, |last| last + 1);
        Ok(Batch { cycles, compared: expected.len() as u64 })
    }
}
