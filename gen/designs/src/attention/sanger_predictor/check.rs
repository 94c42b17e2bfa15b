//! Sanger's predictor against its golden model.

use crate::attention::Shape;
use crate::attention::attend::drive::shapes;
use crate::attention::predictor::check::heads_batch;
use crate::attention::predictor::drive::{Group, group, groups, head_feeds};
use crate::attention::predictor::golden::InputError;
use crate::attention::predictor::head::{Head, Predict, Row};
use crate::attention::sanger_predictor::SangerPredictorSpec;
use crate::attention::sanger_predictor::golden::{Sanger, Setting};
use crate::cost::Cost;
use crate::drive::{Driven, Feed};
use crate::golden::{Batch, Golden};
use bitvec::vec::BitVec;
use hwgen_hdl::Int;
use hwgen_hdl::sim::Device;
use rand::Rng;

impl Golden for SangerPredictorSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        heads_batch(self, device, seed, self.rows + 1)
    }
}

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

impl Driven for SangerPredictorSpec {
    type Job = Head;
    type Out = Group;

    fn random(&self, rng: &mut impl Rng, most_rows: usize) -> Head {
        Head::any(self, rng, most_rows)
    }

    fn feeds(&self, heads: &[Head], _: &mut impl Rng) -> Vec<Feed> {
        head_feeds(self, heads, true)
    }

    fn expected(&self, heads: &[Head]) -> Result<Vec<Group>, String> {
        Ok(groups(heads, self.rows))
    }

    fn read(&self, beat: &[Int]) -> Group {
        group(beat)
    }

    fn out_cycles(&self, heads: &[Head]) -> Vec<u64> {
        self.result_cycles(&shapes(heads, self.rows))
    }
}
