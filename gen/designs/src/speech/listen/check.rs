//! The listener against its golden model.

use crate::drive::{Feed, Values};
use crate::golden::{Batch, Golden, check, stall};
use crate::speech::listen::ListenSpec;
use crate::speech::listen::golden::clips;
use crate::speech::mfcc::drive::{Clip, feature, flagged};
use hwgen_hdl::sim::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

impl Golden for ListenSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let values = Values::any(rng);
        // three clips and a part of a fourth; of long clips the first frames only
        let (strides, rest) = if self.clip > 1000 { (0, 0) } else { (2, self.stride - 1) };
        let count = self.clip + strides * self.stride + rest;
        let Clip { samples, .. } = Clip::random(rng, count as usize, values);
        let clips = clips(self, &samples);
        let mut expected: Vec<_> = clips.iter().flat_map(|clip| flagged(clip)).collect();
        if self.clip > 1000 {
            expected.truncate(4 * self.front.coefficients as usize);
        }
        let beats = samples.iter().map(|&sample| vec![sample.into()]).collect();
        let feeds = [Feed { stream: "samples", beats, stall: stall(rng) }];
        check(device, (&feeds, stall(rng), seed), &expected, feature, 3)
    }
}
