//! `spatten_attention`.

use crate::attention::spatten::SpattenAttentionSpec;
use crate::attention::spatten::drive::{Layer, check};
use crate::drive::Stalls;
use crate::golden::{Batch, Golden, stall};
use hwgen_hdl::sim::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

impl Golden for SpattenAttentionSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // two layers, the second without a reset
        let most = self.max_keys.min(3 * self.rows.max(4)) as usize;
        let layers = [1, 2].map(|_| Layer::random(self, &mut rng, most, 6));
        let stalls = Stalls { ins: stall(&mut rng), out: stall(&mut rng), seed };
        let run = check(device, self, &layers, stalls)?;
        Ok(Batch { cycles: run.end, compared: run.results.count() })
    }
}
