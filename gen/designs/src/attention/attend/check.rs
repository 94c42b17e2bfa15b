//! Random heads for the exact stage.

use super::AttendSpec;
use crate::attention::attend::drive::Head;
use crate::drive::Values;
use crate::golden::{Batch, Golden, batch};
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

impl Golden for AttendSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        // two heads of few groups, so that rows follow closely, the second without a reset
        let most = self.max_keys.min(3 * self.rows) as usize;
        let heads = [1, 2].map(|_| {
            let (keys, rows) = (rng.random_range(1..=most), rng.random_range(1..=6));
            let values = Values::any(rng);
            Head::kept_at_random(self, rng, keys, rows, values)
        });
        batch(self, device, (rng, seed), &heads, (usize::MAX, self.head_dim))
    }
}
