//! A LAPA predictor between stream drivers and its golden model.

pub use crate::drive::Values;

use crate::attention::attend::golden::Query;
use crate::attention::lapa_predictor::LapaPredictorSpec;
use crate::attention::lapa_predictor::golden::{Predictor, QueryRow};
use crate::attention::predictor::golden::InputError;
use crate::attention::predictor::head::{self, Predict, Size};
use crate::drive::pack;
use bitvec::vec::BitVec;
use hwgen_hdl::sim::{Bench, Device, SimError};
use hwgen_hdl::{Int, s};
use rand::Rng;

/// One attention head: its keys, then its query rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Each `head_dim` elements.
    pub keys: Vec<Vec<i32>>,
    /// At least one.
    pub rows: Vec<QueryRow>,
}

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

impl Head {
    /// A random head of `keys` keys and `rows` rows, each of which sees a random part of them.
    pub fn random(
        spec: &LapaPredictorSpec,
        rng: &mut impl Rng,
        keys: usize,
        rows: usize,
        values: Values,
    ) -> Head {
        let dim = spec.head_dim as usize;
        let keys: Vec<Vec<i32>> = (0..keys)
            .map(|_| (0..dim).map(|_| values.draw(rng, spec.key_bits())).collect())
            .collect();
        let rows = (0..rows).map(|_| QueryRow {
            elements: (0..dim).map(|_| values.draw(rng, spec.query_bits)).collect(),
            visible: rng.random_range(1..=keys.len()),
            radius: match values {
                Values::Corner => [0, (1 << spec.radius_bits()) - 1][rng.random_range(0..2)],
                _ => rng.random_range(0..1 << spec.radius_bits()),
            },
            scale: rng.random(),
            shift: match values {
                Values::Corner => [0, 31][rng.random_range(0..2)],
                _ => rng.random_range(0..32),
            },
        });
        Head { rows: rows.collect(), keys }
    }

    /// What the golden model says, in the result stream's beats.
    ///
    /// # Errors
    /// A head that does not fit the specification.
    pub fn expected(&self, spec: &LapaPredictorSpec) -> Result<Vec<Group>, InputError> {
        let predictor = Predictor::new(spec, &self.keys)?;
        let lanes = spec.rows as usize;
        let mut groups = vec![];
        for row in &self.rows {
            let prediction = predictor.predict(row)?;
            let count = row.visible.div_ceil(lanes);
            for group in 0..count {
                let keys = group * lanes..row.visible.min((group + 1) * lanes);
                let live = &prediction.survivors()[keys.clone()];
                let mut scores = vec![];
                if spec.scores {
                    scores = prediction.scores[keys].to_vec();
                    scores.resize(lanes, 0);
                }
                groups.push(Group {
                    survivors: live.iter_ones().map(|i| 1 << i).sum(),
                    scores,
                    row_last: group + 1 == count,
                });
            }
        }
        Ok(groups)
    }
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

/// How streams stall: the probability that a cycle is one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stalls {
    /// Of `keys`.
    pub keys: f64,
    /// Of `queries`.
    pub queries: f64,
    /// Of `out`.
    pub out: f64,
    /// Where the random numbers start.
    pub seed: u64,
}

/// Resets the device, sends it all heads, one after the other, and takes `beats` beats, or gives
/// up.
///
/// # Errors
/// [`SimError::TimedOut`] if there is no beat for long.
pub fn run(
    device: &mut dyn Device,
    spec: &LapaPredictorSpec,
    heads: &[Head],
    stalls: Stalls,
    beats: usize,
) -> Result<Run, SimError> {
    let mut bench = Bench::new(device);
    let keys = bench.driver("keys", stalls.keys, stalls.seed);
    let queries = bench.driver("queries", stalls.queries, stalls.seed + 1);
    let out = bench.monitor("out", stalls.out, stalls.seed + 2);
    for head in heads {
        for (j, key) in head.keys.iter().enumerate() {
            let last = j + 1 == head.keys.len();
            bench.drivers[keys]
                .push([pack(key.iter().copied(), spec.key_bits()), u8::from(last).into()]);
        }
        for (i, row) in head.rows.iter().enumerate() {
            let last = i + 1 == head.rows.len();
            let mut beat =
                vec![pack(row.elements.iter().copied(), spec.query_bits), row.visible.into()];
            if spec.has_radius() {
                beat.push(row.radius.into());
            }
            if spec.has_scale() {
                beat.extend([row.scale.into(), row.shift.into()]);
            }
            beat.push(u8::from(last).into());
            bench.drivers[queries].push(beat);
        }
    }
    let mut run = Run { groups: vec![], cycles: vec![], unknown: 0 };
    while run.groups.len() < beats {
        let seen = run.groups.len();
        bench.run_until(1_000_000, "a group of scores", |bench| {
            bench.monitors[out].received.len() > seen
        })?;
        run.groups.push(group(spec, &bench.monitors[out].received[seen]));
        run.cycles.push(bench.cycle - 1);
    }
    run.unknown = bench.monitors[out].unknown;
    Ok(run)
}

/// A beat's fields: `survivors`, `scores` if the predictor tells them, `row_last`.
fn group(spec: &LapaPredictorSpec, beat: &[Int]) -> Group {
    let score = s(spec.final_score_bits());
    let scores = (0..if spec.scores { spec.rows } else { 0 }).map(|i| {
        let score = score.wrap(beat[1].clone() >> (i * score.width));
        i64::try_from(score).unwrap_or_default()
    });
    Group {
        survivors: u64::try_from(&beat[0]).unwrap_or_default(),
        scores: scores.collect(),
        row_last: beat.last() == Some(&Int::from(1)),
    }
}

impl Predict for LapaPredictorSpec {
    fn size(&self) -> Size {
        Size { head_dim: self.head_dim, max_keys: self.max_keys, rows: self.rows }
    }

    fn radius_bits(&self) -> Option<u32> {
        self.has_radius().then(|| LapaPredictorSpec::radius_bits(self))
    }

    fn survivors(&self, keys: &[Vec<i32>], rows: &[head::Row]) -> Result<Vec<BitVec>, InputError> {
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
