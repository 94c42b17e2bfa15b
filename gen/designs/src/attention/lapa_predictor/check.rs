//! Random heads for a predictor.

use super::LapaPredictorSpec;
use crate::attention::predictor::check::heads_batch;
use crate::golden::{Batch, Golden};
use hwgen_hdl::sim::Device;

impl Golden for LapaPredictorSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        // survivors, row_last and the scores
        heads_batch(self, device, seed, self.rows + 2)
    }
}
