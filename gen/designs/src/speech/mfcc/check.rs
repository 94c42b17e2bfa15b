//! The MFCC front end against its golden model.

use crate::drive::Driven;
use crate::golden::{Batch, Golden, batch};
use crate::speech::mfcc::MfccSpec;
use hwgen_hdl::sim::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

impl Golden for MfccSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        // two clips, the second without a reset; of a long clip the first frames only
        let clips = [1, 2].map(|_| self.random(rng, 4));
        let beats = if self.frames > 4 { 4 * self.coefficients as usize } else { usize::MAX };
        batch(self, device, (rng, seed), &clips, (beats, 3))
    }
}
