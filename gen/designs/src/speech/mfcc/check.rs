//! The MFCC front end against its golden model.

use crate::drive::Values;
use crate::golden::{Batch, Golden};
use crate::golden::{check, stall};
use crate::speech::mfcc::MfccSpec;
use crate::speech::mfcc::drive::{Clip, expected, features, feeds};
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

impl Golden for MfccSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        // two clips, the second without a reset; too short, just right or too long
        let most = 2 * (self.window + self.hop * self.frames.min(4)) as usize;
        let clips = [1, 2].map(|_| {
            let values = [Values::Uniform, Values::Corner, Values::Small][rng.random_range(0..3)];
            let samples = rng.random_range(1..=most);
            Clip::random(rng, samples, values)
        });
        // of a long clip the first frames only, as a golden batch is short
        let frames = self.frames.min(4) as usize * self.coefficients as usize;
        let mut expected = expected(self, &clips);
        if self.frames > 4 {
            expected.truncate(frames);
        }
        let stalls = [stall(rng), stall(rng)];
        let run = (&feeds(&clips, stalls)[..], stall(rng), seed);
        check(device, run, &expected, features, 3)
    }
}
