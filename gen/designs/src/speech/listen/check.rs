//! The listener against its golden model.

use crate::drive::{Feed, Values};
use crate::golden::{Batch, Golden};
use crate::golden::{check, stall};
use crate::speech::listen::ListenSpec;
use crate::speech::listen::golden::clips;
use crate::speech::mfcc::drive::{Clip, Feature, features};
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

impl Golden for ListenSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let values = [Values::Uniform, Values::Corner, Values::Small][rng.random_range(0..3)];
        // three clips and a part of a fourth; of long clips the first frames only
        let (strides, rest) = if self.clip > 1000 { (0, 0) } else { (2, self.stride - 1) };
        let count = self.clip + strides * self.stride + rest;
        let Clip { samples, .. } = Clip::random(rng, count as usize, values);
        let mut expected = listened(self, &samples);
        if self.clip > 1000 {
            expected.truncate(4 * self.front.coefficients as usize);
        }
        let beats = samples.iter().map(|&sample| vec![sample.into()]).collect();
        let feeds = [Feed { stream: "samples", beats, stall: stall(rng) }];
        check(device, (&feeds, stall(rng), seed), &expected, features, 3)
    }
}

/// Every feature that comes out.
fn listened(spec: &ListenSpec, samples: &[i16]) -> Vec<Feature> {
    let mut features = vec![];
    for clip in clips(spec, samples) {
        let count = clip.len();
        for (i, frame) in clip.into_iter().enumerate() {
            let last = frame.len() - 1;
            let feature =
                |(k, value): (usize, i8)| (value.into(), k == last, k == last && i + 1 == count);
            features.extend(frame.into_iter().enumerate().map(feature));
        }
    }
    features
}
