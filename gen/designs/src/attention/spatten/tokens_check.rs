//! `spatten_tokens`.

use crate::attention::spatten::SpattenTokensSpec;
use crate::drive::Driven;
use crate::golden::{Batch, Golden, batch};
use hwgen_hdl::sim::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

impl Golden for SpattenTokensSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        // two sequences of few tokens, the second without a reset
        let few = SpattenTokensSpec { max_keys: self.max_keys.min(20) };
        let sequences = [1, 2].map(|_| few.random(rng, 4));
        batch(self, device, (rng, seed), &sequences, (usize::MAX, 2))
    }
}
