//! Sanger's predictor against its golden model.

use crate::attention::predictor::check::predictor_batch;
use crate::attention::predictor::golden::InputError;
use crate::attention::predictor::head::{Predict, Row, Size};
use crate::attention::sanger_predictor::SangerPredictorSpec;
use crate::attention::sanger_predictor::golden::{Sanger, Setting};
use crate::golden::{Batch, Golden};
use bitvec::vec::BitVec;
use hwgen_hdl::sim::Device;

impl Golden for SangerPredictorSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        predictor_batch(self, device, seed)
    }
}

impl Predict for SangerPredictorSpec {
    fn size(&self) -> Size {
        Size { head_dim: self.head_dim, max_keys: self.max_keys, rows: self.rows }
    }

    fn takes_scale(&self) -> bool {
        true
    }

    fn survivors(&self, keys: &[Vec<i32>], rows: &[Row]) -> Result<Vec<BitVec>, InputError> {
        let setting = Setting {
            threshold65536: self.threshold65536,
            probability_bits: self.probability_bits,
            row_normalise: self.row_normalise,
        };
        let model = Sanger::new(keys, setting);
        Ok(rows.iter().map(|row| model.survivors(&row.query, row.visible)).collect())
    }
}
