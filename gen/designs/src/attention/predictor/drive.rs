//! Predictors that say a bit a key, between stream drivers and their golden models.

pub use crate::attention::predictor::head::{Head, Predict, Row};

use crate::drive::{Feed, feeds, pack};
use bitvec::vec::BitVec;
use hwgen_hdl::Int;

/// A beat of the result stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Bit i: key i of the group survives.
    pub survivors: u64,
    /// A score a key, if the predictor tells them.
    pub scores: Vec<i64>,
    /// The row's last group.
    pub row_last: bool,
}

/// The beats in which a predictor says the survivors of a row, in groups of `rows` keys.
pub(crate) fn row_groups(survivors: &BitVec, rows: u32) -> impl Iterator<Item = Group> + '_ {
    let groups = survivors.chunks(rows as usize);
    let count = groups.len();
    groups.enumerate().map(move |(group, live)| Group {
        survivors: live.iter_ones().map(|i| 1 << i).sum(),
        scores: vec![],
        row_last: group + 1 == count,
    })
}

/// The same of all rows of heads.
pub(crate) fn groups(heads: &[Head], rows: u32) -> Vec<Group> {
    let all = heads.iter().flat_map(|head| &head.rows);
    all.flat_map(|row| row_groups(&row.survivors, rows)).collect()
}

/// Fields `survivors` and, last, `row_last`.
pub(crate) fn group(beat: &[Int]) -> Group {
    Group {
        survivors: u64::try_from(&beat[0]).unwrap_or_default(),
        scores: vec![],
        row_last: beat.last() == Some(&Int::from(1)),
    }
}

/// What heads are to the streams `keys` and `queries` of a predictor.
pub(crate) fn head_feeds(spec: &impl Predict, heads: &[Head], takes_scale: bool) -> Vec<Feed> {
    let [key_bits, query_bits] = spec.bits();
    let (mut keys, mut queries) = (vec![], vec![]);
    for head in heads {
        for (j, key) in head.keys.iter().enumerate() {
            let last = u8::from(j + 1 == head.keys.len());
            keys.push(vec![pack(key.iter().copied(), key_bits), last.into()]);
        }
        for (i, row) in head.rows.iter().enumerate() {
            let elements = row.query.elements.iter().copied();
            let mut beat = vec![pack(elements, query_bits), row.visible.into()];
            if spec.radius_bits().is_some() {
                beat.push(row.radius.unwrap_or_default().into());
            }
            if takes_scale {
                beat.extend([row.query.scale.into(), row.query.shift.into()]);
            }
            beat.push(u8::from(i + 1 == head.rows.len()).into());
            queries.push(beat);
        }
    }
    feeds([("keys", keys), ("queries", queries)])
}
