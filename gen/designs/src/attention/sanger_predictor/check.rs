//! Sanger's predictor against its golden model.

use crate::attention::Shape;
use crate::attention::predictor::check::Heads;
use crate::attention::predictor::drive::{Group, group, groups, head_feeds};
use crate::attention::predictor::golden::InputError;
use crate::attention::predictor::head::{Head, Predict, Row};
use crate::attention::sanger_predictor::SangerPredictorSpec;
use crate::attention::sanger_predictor::golden::{Sanger, Setting};
use crate::drive::Feed;
use bitvec::vec::BitVec;
use hwgen_hdl::Int;

impl Predict for SangerPredictorSpec {
    fn size(&self) -> Shape {
        self.shape()
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

impl Heads for SangerPredictorSpec {
    type Out = Group;

    fn feeds(&self, heads: &[Head]) -> Vec<Feed> {
        head_feeds(self, heads, true)
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
