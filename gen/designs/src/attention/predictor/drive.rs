//! Predictors that say a bit a key, between stream drivers and their golden models.

pub use crate::attention::predictor::head::{Predict, Size};

use crate::attention::attend::spec::ELEMENT_BITS;
use crate::attention::predictor::head::{Head, Stalls};
use crate::drive::{Feed, pack};
use hwgen_hdl::Int;
use hwgen_hdl::sim::{Device, SimError};

/// A beat of the result stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Bit i: key i of the group survives.
    pub survivors: u64,
    /// The row's last group.
    pub row_last: bool,
}

/// The beats in which a predictor says the survivors of the heads' rows, in groups of `rows` keys.
pub fn expected(heads: &[Head], rows: u32) -> Vec<Group> {
    let mut beats = vec![];
    for row in heads.iter().flat_map(|head| &head.rows) {
        let groups = row.survivors.chunks(rows as usize);
        let count = groups.len();
        beats.extend(groups.enumerate().map(|(group, live)| Group {
            survivors: live.iter_ones().map(|i| 1 << i).sum(),
            row_last: group + 1 == count,
        }));
    }
    beats
}

/// What came out, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The beats of the result stream.
    pub groups: Vec<Group>,
    /// The cycle at whose end each passed, counted from 0.
    pub cycles: Vec<u64>,
    /// Fields with unknown bits, on an engine that knows such; they read as 0.
    pub unknown: u64,
}

/// Resets the device, sends it the keys and rows of all heads, one after the other, and takes
/// `beats` beats, or gives up.
///
/// The predictor is one that says `survivors` and `row_last` alone: FACT's or Sanger's.
///
/// # Errors
/// [`SimError::TimedOut`] if there is no beat for long.
pub fn run(
    device: &mut dyn Device,
    spec: &impl Predict,
    heads: &[Head],
    stalls: Stalls,
    beats: usize,
) -> Result<Run, SimError> {
    let (mut keys, mut queries) = (vec![], vec![]);
    for head in heads {
        for (j, key) in head.keys.iter().enumerate() {
            let last = j + 1 == head.keys.len();
            keys.push(vec![vector(key), u8::from(last).into()]);
        }
        for (i, row) in head.rows.iter().enumerate() {
            let mut beat = vec![vector(&row.query.elements), row.visible.into()];
            if spec.takes_scale() {
                beat.extend([row.query.scale.into(), row.query.shift.into()]);
            }
            beat.push(u8::from(i + 1 == head.rows.len()).into());
            queries.push(beat);
        }
    }
    let feeds = [
        Feed { stream: "keys", beats: keys, stall: stalls.keys },
        Feed { stream: "queries", beats: queries, stall: stalls.queries },
    ];
    let run = crate::drive::run(device, &feeds, stalls.out, stalls.seed, beats)?;
    let groups = run.beats.iter().map(|beat| Group {
        survivors: u64::try_from(&beat[0]).unwrap_or_default(),
        row_last: beat[1] == Int::from(1),
    });
    Ok(Run { groups: groups.collect(), cycles: run.cycles, unknown: run.unknown })
}

fn vector(elements: &[i32]) -> Int {
    pack(elements.iter().copied(), ELEMENT_BITS)
}
