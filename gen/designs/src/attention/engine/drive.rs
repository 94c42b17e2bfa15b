//! A whole accelerator between stream drivers, its predictor's model and that of the exact stage.

pub use crate::attention::predictor::head::{Head, Row};

use crate::attention::Shape;
use crate::attention::attend::drive::{RowOut, key_beats, row_out, row_outs};
use crate::attention::attend::spec::ELEMENT_BITS;
use crate::attention::engine::Engine;
use crate::attention::predictor::check::Heads;
use crate::attention::predictor::golden::InputError;
use crate::attention::predictor::head::Predict;
use crate::drive::{Feed, feeds, pack};
use bitvec::vec::BitVec;
use hwgen_hdl::Int;

/// An engine predicts as its predictor does.
impl<E: Engine> Predict for E {
    fn size(&self) -> Shape {
        self.predictor().size()
    }

    fn radius_bits(&self) -> Option<u32> {
        Predict::radius_bits(&self.predictor())
    }

    fn survivors(&self, keys: &[Vec<i32>], rows: &[Row]) -> Result<Vec<BitVec>, InputError> {
        self.predictor().survivors(keys, rows)
    }
}

impl<E: Engine> Heads for E {
    type Out = RowOut;

    fn feeds(&self, heads: &[Head]) -> Vec<Feed> {
        let queries = heads.iter().flat_map(|head| {
            let count = head.rows.len();
            head.rows.iter().enumerate().map(move |(i, row)| query_beat(row, i + 1 == count))
        });
        feeds([("keys", key_beats(heads)), ("queries", queries.collect())])
    }

    fn expected(&self, heads: &[Head]) -> Result<Vec<RowOut>, String> {
        row_outs(heads, self.attend().probability_bits)
    }

    fn read(&self, beat: &[Int]) -> RowOut {
        row_out(beat, self.attend().head_dim)
    }

    fn values(&self) -> u32 {
        self.attend().head_dim
    }
}

/// Fields `data`, `visible`, `radius` if there is one, `scale`, `shift`, `last`.
fn query_beat(row: &Row, last: bool) -> Vec<Int> {
    let query = &row.query;
    let mut beat = vec![pack(query.elements.iter().copied(), ELEMENT_BITS), row.visible.into()];
    beat.extend(row.radius.map(Int::from));
    beat.extend([query.scale.into(), query.shift.into(), u8::from(last).into()]);
    beat
}
