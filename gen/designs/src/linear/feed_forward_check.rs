//! The feed-forward block against its golden model.

use crate::golden::{Batch, Golden};
use crate::golden::{check, stall};
use crate::linear::FeedForwardSpec;
use crate::linear::drive::feed_forward;
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

impl Golden for FeedForwardSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        // two batches, the second without a reset
        let batches = [1, 2].map(|_| {
            let (tokens, corners) = (rng.random_range(1..5), rng.random());
            feed_forward::Batch::random(self, rng, tokens, corners)
        });
        let stalls = [0; 6].map(|_| stall(rng));
        let feeds = feed_forward::feeds(self, &batches, stalls, rng);
        let expected: Vec<_> = batches.iter().flat_map(feed_forward::Batch::expected).collect();
        let run = (&feeds[..], stall(rng), seed);
        check(device, run, &expected, |run| feed_forward::results(self, run), self.outputs + 1)
    }
}
