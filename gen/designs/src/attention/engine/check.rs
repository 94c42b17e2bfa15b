//! Random heads for whole engines.

use crate::attention::engine::Engine;
use crate::attention::predictor::check::heads_batch;
use crate::golden::{Batch, Golden};
use hwgen_hdl::sim::Device;

impl<E: Engine> Golden for E {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        heads_batch(self, device, seed, self.attend().head_dim)
    }
}
