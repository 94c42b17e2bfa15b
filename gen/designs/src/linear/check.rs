//! The linear layers against their golden models.

use crate::drive::Driven;
use crate::golden::{Batch, Golden, batch};
use crate::linear::{FeedForwardSpec, ImportanceSpec, LinearSpec, LogLinearSpec};
use hwgen_hdl::sim::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

impl Golden for LinearSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        layer(self, device, seed, self.outputs)
    }
}

impl Golden for LogLinearSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        layer(self, device, seed, self.outputs)
    }
}

impl Golden for FeedForwardSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        layer(self, device, seed, self.outputs)
    }
}

impl Golden for ImportanceSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        // three jobs, two without a reset
        let jobs = [1, 2, 3].map(|_| self.random(rng, 20));
        batch(self, device, (rng, seed), &jobs, (usize::MAX, 3 * self.rows + 1))
    }
}

/// Two batches of tokens, the second without a reset.
fn layer(
    spec: &impl Driven,
    device: &mut dyn Device,
    seed: u64,
    outputs: u32,
) -> Result<Batch, String> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let batches = [1, 2].map(|_| spec.random(rng, 4));
    batch(spec, device, (rng, seed), &batches, (usize::MAX, outputs + 1))
}
