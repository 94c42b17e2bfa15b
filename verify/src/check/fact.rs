//! FACT's predictor and engine against their golden models.

use super::{Batch, Golden, predictor};
use hwgen_designs::accelerator::FactAttentionSpec;
use hwgen_designs::fact::FactSpec;
use hwgen_hdl::sim::Device;

impl Golden for FactSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        predictor::predictor_batch(self, device, seed)
    }
}

impl Golden for FactAttentionSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        predictor::engine_batch(self, device, seed)
    }
}
