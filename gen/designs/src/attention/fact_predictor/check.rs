//! FACT's predictor against its golden model.

use crate::attention::Shape;
use crate::attention::attend::drive::shapes;
use crate::attention::fact_predictor::FactPredictorSpec;
use crate::attention::fact_predictor::golden::Fact;
use crate::attention::predictor::check::heads_batch;
use crate::attention::predictor::drive::{Group, group, groups, head_feeds};
use crate::attention::predictor::golden::InputError;
use crate::attention::predictor::head::{Head, Predict, Row};
use crate::cost::Cost;
use crate::drive::{Driven, Feed};
use crate::golden::{Batch, Golden};
use bitvec::vec::BitVec;
use hwgen_hdl::Int;
use hwgen_hdl::sim::Device;
use rand::Rng;

impl Golden for FactPredictorSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        heads_batch(self, device, seed, self.rows + 1)
    }
}

impl Predict for FactPredictorSpec {
    fn size(&self) -> Shape {
        self.shape()
    }

    fn survivors(&self, keys: &[Vec<i32>], rows: &[Row]) -> Result<Vec<BitVec>, InputError> {
        let model = Fact::new(keys, self.keep256);
        Ok(rows.iter().map(|row| model.survivors(&row.query.elements, row.visible)).collect())
    }
}

impl Driven for FactPredictorSpec {
    type Job = Head;
    type Out = Group;

    fn random(&self, rng: &mut impl Rng, most_rows: usize) -> Head {
        Head::any(self, rng, most_rows)
    }

    fn feeds(&self, heads: &[Head], _: &mut impl Rng) -> Vec<Feed> {
        head_feeds(self, heads, false)
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
