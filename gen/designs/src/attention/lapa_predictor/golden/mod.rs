//! LAPA predictor, in integers, from the definition in `docs/lapa-predictor.md`.
//!
//! [`leading_one`](super::super::predictor::golden::leading_one) encodes the query, [`rounds`] scores the keys slice by slice, [`filter`] drops
//! keys after each round; [`Predictor`] is the three in a row.

pub mod filter;
pub mod mass;
pub mod rounds;
#[cfg(test)]
mod tests;

use crate::attention::lapa_predictor::LapaPredictorSpec;
use crate::attention::predictor::golden::InputError;
use crate::attention::predictor::golden::leading_one::LeadingOne;
use bitvec::vec::BitVec;
use filter::Statistics;
use rounds::SlicedKeys;

/// One query row as the engine receives it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueryRow {
    /// `head_dim` elements of `query_bits` bits, two's complement.
    pub elements: Vec<i32>,
    /// Keys `0..visible` are scored; at least one, at most those the head has.
    pub visible: usize,
    /// Radius in units of a whole key's score, `radius_bits()` bits; used by the radius filter only.
    pub radius: u64,
    /// Factor of a score, as in [`Query`](hwgen_designs::attention::attend::golden::Query); used by the mass filter only.
    pub scale: u16,
    /// Bits a scaled score is shifted down by, 0..=31.
    pub shift: u8,
}

/// What one round did to one query row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundTrace {
    /// Figures of the keys that were live when the round began.
    pub statistics: Statistics,
    /// Scores at or above it survive; `None` when the filter is a fixed fraction.
    pub threshold: Option<i64>,
    /// Bit `j`: key `j` survives the round; as long as the row's visible keys.
    pub survivors: BitVec,
}

/// What the predictor says of one query row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPrediction {
    /// The rounds, in order.
    pub rounds: Vec<RoundTrace>,
    /// Final score of each visible key that entered the last round and survived it; else 0.
    pub scores: Vec<i64>,
}

impl RowPrediction {
    /// The keys that survive every round.
    pub fn survivors(&self) -> &BitVec {
        static NONE: BitVec = BitVec::EMPTY;
        self.rounds.last().map_or(&NONE, |round| &round.survivors)
    }
}

fn check_vector(
    what: impl Fn() -> String,
    elements: &[i32],
    head_dim: u32,
    bits: u32,
) -> Result<(), InputError> {
    if elements.len() != head_dim as usize {
        return Err(InputError::Length { what: what(), length: elements.len(), head_dim });
    }
    let limit = 1 << (bits - 1);
    match elements.iter().position(|x| !(-limit..limit).contains(x)) {
        None => Ok(()),
        Some(index) => {
            Err(InputError::Element { what: what(), index, value: elements[index], bits })
        }
    }
}

/// The model, with one head's keys loaded.
#[derive(Debug, Clone)]
pub struct Predictor<'a> {
    spec: &'a LapaPredictorSpec,
    keys: SlicedKeys,
}

impl<'a> Predictor<'a> {
    /// Loads a head's keys: each `head_dim` elements of `key_bits()` bits, two's complement.
    ///
    /// `spec` must be valid.
    ///
    /// # Errors
    /// Keys that do not fit the specification.
    pub fn new(spec: &'a LapaPredictorSpec, keys: &[Vec<i32>]) -> Result<Self, InputError> {
        if keys.is_empty() || keys.len() > spec.max_keys as usize {
            return Err(InputError::KeyCount { keys: keys.len(), max_keys: spec.max_keys });
        }
        for (j, key) in keys.iter().enumerate() {
            check_vector(|| format!("key {j}"), key, spec.head_dim, spec.key_bits())?;
        }
        Ok(Predictor { spec, keys: SlicedKeys::new(spec, keys) })
    }

    /// Predicts one row.
    ///
    /// # Errors
    /// A row that does not fit the specification.
    pub fn predict(&self, row: &QueryRow) -> Result<RowPrediction, InputError> {
        let spec = self.spec;
        let code = self.encode(&row.elements)?;
        let (visible, keys) = (row.visible, self.keys.len());
        if !(1..=keys).contains(&visible) {
            return Err(InputError::Visible { visible, keys });
        }
        let bits = spec.radius_bits();
        if row.radius >> bits != 0 {
            return Err(InputError::Radius { radius: row.radius, bits });
        }
        if row.shift >> 5 != 0 {
            return Err(InputError::Shift { shift: row.shift });
        }
        let mut live = BitVec::repeat(true, visible);
        let mut scores = vec![0; visible];
        let mut rounds = Vec::with_capacity(spec.rounds());
        for round in 0..spec.rounds() {
            for j in live.iter_ones() {
                scores[j] = self.keys.accumulate(round, scores[j], &code, j);
            }
            let statistics = Statistics::of(&scores, &live);
            let threshold;
            (live, threshold) = filter::apply(spec, round, row, &scores, &live, &statistics);
            rounds.push(RoundTrace { statistics, threshold, survivors: live.clone() });
        }
        for j in live.iter_zeros() {
            scores[j] = 0;
        }
        Ok(RowPrediction { rounds, scores })
    }

    /// Scores of keys `0..visible` after round `round`, as if no filter had dropped any.
    ///
    /// # Errors
    /// A query that does not fit the specification.
    pub fn unfiltered_scores(
        &self,
        query: &[i32],
        round: usize,
        visible: usize,
    ) -> Result<Vec<i64>, InputError> {
        let code = self.encode(query)?;
        let score = |j| (0..=round).fold(0, |sum, r| self.keys.accumulate(r, sum, &code, j));
        Ok((0..visible.min(self.keys.len())).map(score).collect())
    }

    fn encode(&self, query: &[i32]) -> Result<Vec<LeadingOne>, InputError> {
        let spec = self.spec;
        check_vector(|| "query".into(), query, spec.head_dim, spec.query_bits)?;
        let encode = |&x| LeadingOne::encode(x, spec.query_bits, spec.round_leading_one);
        Ok(query.iter().map(encode).collect())
    }
}

/// Predicts one row of a head. [`Predictor`] saves slicing the keys again for each row.
///
/// # Errors
/// Input that does not fit the specification.
pub fn predict_row(
    spec: &LapaPredictorSpec,
    row: &QueryRow,
    keys: &[Vec<i32>],
) -> Result<RowPrediction, InputError> {
    Predictor::new(spec, keys)?.predict(row)
}
