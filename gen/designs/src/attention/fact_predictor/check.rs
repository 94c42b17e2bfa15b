//! FACT's predictor against its golden model.

use crate::attention::fact_predictor::FactPredictorSpec;
use crate::attention::fact_predictor::golden::Fact;
use crate::attention::predictor::check::predictor_batch;
use crate::attention::predictor::golden::InputError;
use crate::attention::predictor::head::{Predict, Row, Size};
use crate::golden::{Batch, Golden};
use bitvec::vec::BitVec;
use hwgen_hdl::sim::Device;

impl Golden for FactPredictorSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        predictor_batch(self, device, seed)
    }
}

impl Predict for FactPredictorSpec {
    fn size(&self) -> Size {
        Size { head_dim: self.head_dim, max_keys: self.max_keys, rows: self.rows }
    }

    fn survivors(&self, keys: &[Vec<i32>], rows: &[Row]) -> Result<Vec<BitVec>, InputError> {
        let model = Fact::new(keys, self.keep256);
        Ok(rows.iter().map(|row| model.survivors(&row.query.elements, row.visible)).collect())
    }
}
