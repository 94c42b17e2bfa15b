//! FACT's predictor against its golden model.

use crate::attention::Shape;
use crate::attention::fact_predictor::FactPredictorSpec;
use crate::attention::fact_predictor::golden::Fact;
use crate::attention::predictor::check::Heads;
use crate::attention::predictor::drive::{Group, group, groups, head_feeds};
use crate::attention::predictor::golden::InputError;
use crate::attention::predictor::head::{Head, Predict, Row};
use crate::drive::Feed;
use bitvec::vec::BitVec;
use hwgen_hdl::Int;

impl Predict for FactPredictorSpec {
    fn size(&self) -> Shape {
        self.shape()
    }

    fn survivors(&self, keys: &[Vec<i32>], rows: &[Row]) -> Result<Vec<BitVec>, InputError> {
        let model = Fact::new(keys, self.keep256);
        Ok(rows.iter().map(|row| model.survivors(&row.query.elements, row.visible)).collect())
    }
}

impl Heads for FactPredictorSpec {
    type Out = Group;

    fn feeds(&self, heads: &[Head]) -> Vec<Feed> {
        head_feeds(self, heads, false)
    }

    fn expected(&self, heads: &[Head]) -> Result<Vec<Group>, String> {
        Ok(groups(heads, self.rows))
    }

    fn read(&self, beat: &[Int]) -> Group {
        group(beat)
    }

    fn values(&self) -> u32 {
        self.rows + 1
    }
}
