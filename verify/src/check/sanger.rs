//! Sanger's predictor and engine against their golden models.

use super::{Batch, Golden, predictor};
use hwgen_designs::accelerator::SangerAttentionSpec;
use hwgen_designs::sanger::SangerSpec;
use hwgen_hdl::sim::Device;

impl Golden for SangerSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        predictor::predictor_batch(self, device, seed)
    }
}

impl Golden for SangerAttentionSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        predictor::engine_batch(self, device, seed)
    }
}
