//! A whole accelerator between stream drivers, its predictor's model and that of the exact stage.

pub use crate::attention::predictor::head::{Head, Row, Stalls};

use crate::attention::attend::drive::{Run, key_beats};
use crate::attention::attend::spec::ELEMENT_BITS;
use crate::attention::engine::cost::HeadShape;
use crate::attention::engine::{Engine, FactAttentionSpec, LapaAttentionSpec, SangerAttentionSpec};
use crate::attention::predictor::golden::InputError;
use crate::attention::predictor::head::{Predict, Size};
use crate::drive::{Feed, pack};
use bitvec::vec::BitVec;
use hwgen_hdl::Int;
use hwgen_hdl::sim::{Device, SimError};

/// An engine predicts as its predictor does.
macro_rules! predicts_as_its_predictor {
    ($($engine:ty),*) => {$(
        impl Predict for $engine {
            fn size(&self) -> Size {
                Predict::size(&Engine::predictor(self))
            }

            fn radius_bits(&self) -> Option<u32> {
                Predict::radius_bits(&Engine::predictor(self))
            }

            fn takes_scale(&self) -> bool {
                Engine::predictor(self).takes_scale()
            }

            fn survivors(
                &self,
                keys: &[Vec<i32>],
                rows: &[Row],
            ) -> Result<Vec<BitVec>, InputError> {
                Engine::predictor(self).survivors(keys, rows)
            }
        }
    )*};
}

predicts_as_its_predictor!(LapaAttentionSpec, FactAttentionSpec, SangerAttentionSpec);

impl Head {
    /// The head as the timing sees it, in groups of `rows` keys.
    pub fn shape(&self, rows: u32) -> HeadShape {
        let groups = |row: &Row| {
            let groups = row.survivors.chunks(rows as usize);
            groups.map(|group| group.count_ones() as u32).collect()
        };
        HeadShape {
            keys: self.keys.len() as u32,
            rows: self.rows.iter().map(groups).collect(),
            visible: self.rows.iter().map(|row| row.visible as u32).collect(),
        }
    }
}

/// Resets the device, sends it all heads, one after the other, and takes `rows` results, or gives up.
///
/// # Errors
/// [`SimError::TimedOut`] if there is no result for long.
pub fn run(
    device: &mut dyn Device,
    head_dim: u32,
    heads: &[Head],
    stalls: Stalls,
    rows: usize,
) -> Result<Run, SimError> {
    let feeds = feeds(heads, stalls);
    let run = crate::drive::run(device, &feeds, stalls.out, stalls.seed, rows)?;
    Ok(Run::from_beats(run, head_dim))
}

/// What goes into the streams `keys` and `queries`.
pub fn feeds(heads: &[Head], stalls: Stalls) -> Vec<Feed> {
    let queries = heads.iter().flat_map(|head| {
        let count = head.rows.len();
        head.rows.iter().enumerate().map(move |(i, row)| query_beat(row, i + 1 == count))
    });
    let keys = heads.iter().flat_map(|head| key_beats(&head.keys, &head.values)).collect();
    vec![
        Feed { stream: "keys", beats: keys, stall: stalls.keys },
        Feed { stream: "queries", beats: queries.collect(), stall: stalls.queries },
    ]
}

/// Fields `data`, `visible`, `radius` if there is one, `scale`, `shift`, `last`.
fn query_beat(row: &Row, last: bool) -> Vec<Int> {
    let query = &row.query;
    let mut beat = vec![pack(query.elements.iter().copied(), ELEMENT_BITS), row.visible.into()];
    beat.extend(row.radius.map(Int::from));
    beat.extend([query.scale.into(), query.shift.into(), u8::from(last).into()]);
    beat
}
