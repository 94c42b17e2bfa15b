//! Predictors that say a bit a key, between stream drivers and their golden models.

use super::Feed;
use super::accelerator::{Head, Row, Stalls};
use super::streams::pack;
use crate::golden::attend::Query;
use crate::golden::fact::Fact;
use crate::golden::lapa::{InputError, Predictor, QueryRow};
use crate::golden::sanger::{Sanger, Setting};
use bitvec::vec::BitVec;
use hwgen_designs::accelerator::{AcceleratorSpec, Engine, FactAttentionSpec, SangerAttentionSpec};
use hwgen_designs::attend::spec::ELEMENT_BITS;
use hwgen_designs::fact::FactSpec;
use hwgen_designs::lapa::LapaSpec;
use hwgen_designs::sanger::SangerSpec;
use hwgen_hdl::Int;
use hwgen_hdl::sim::{Device, SimError};

/// How large a predictor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Elements of a query or key.
    pub head_dim: u32,
    /// Keys it holds.
    pub max_keys: u32,
    /// Keys of a group.
    pub rows: u32,
}

/// A predictor, alone or in an engine, and its golden model.
pub trait Predict: std::fmt::Debug {
    /// Its size.
    fn size(&self) -> Size;

    /// Bits of a row's radius, if rows bring one.
    fn radius_bits(&self) -> Option<u32> {
        None
    }

    /// Whether the predictor takes a row's scale and shift.
    fn takes_scale(&self) -> bool {
        false
    }

    /// What the model keeps of the keys: for each row a bit a visible key.
    ///
    /// # Errors
    /// Sizes that do not fit the specification.
    fn survivors(&self, keys: &[Vec<i32>], rows: &[Row]) -> Result<Vec<BitVec>, InputError>;
}

impl Predict for LapaSpec {
    fn size(&self) -> Size {
        Size { head_dim: self.head_dim, max_keys: self.max_keys, rows: self.rows }
    }

    fn radius_bits(&self) -> Option<u32> {
        self.has_radius().then(|| LapaSpec::radius_bits(self))
    }

    fn survivors(&self, keys: &[Vec<i32>], rows: &[Row]) -> Result<Vec<BitVec>, InputError> {
        let predictor = Predictor::new(self, keys)?;
        let rows = rows.iter().map(|row| {
            let radius = row.radius.unwrap_or_default();
            let elements = row.query.elements.clone();
            let Query { scale, shift, .. } = row.query;
            let query = QueryRow { elements, visible: row.visible, radius, scale, shift };
            Ok(predictor.predict(&query)?.survivors().clone())
        });
        rows.collect()
    }
}

impl Predict for FactSpec {
    fn size(&self) -> Size {
        Size { head_dim: self.head_dim, max_keys: self.max_keys, rows: self.rows }
    }

    fn survivors(&self, keys: &[Vec<i32>], rows: &[Row]) -> Result<Vec<BitVec>, InputError> {
        let model = Fact::new(keys, self.keep256);
        Ok(rows.iter().map(|row| model.survivors(&row.query.elements, row.visible)).collect())
    }
}

impl Predict for SangerSpec {
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

predicts_as_its_predictor!(AcceleratorSpec, FactAttentionSpec, SangerAttentionSpec);

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
    let run = super::run(device, &feeds, stalls.out, stalls.seed, beats)?;
    let groups = run.beats.iter().map(|beat| Group {
        survivors: u64::try_from(&beat[0]).unwrap_or_default(),
        row_last: beat[1] == Int::from(1),
    });
    Ok(Run { groups: groups.collect(), cycles: run.cycles, unknown: run.unknown })
}

fn vector(elements: &[i32]) -> Int {
    pack(elements.iter().copied(), ELEMENT_BITS)
}
