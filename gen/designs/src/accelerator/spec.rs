//! The parameters of LAPA whole: those of its predictor and those of the exact stage.

use super::compose::Buffers;
use crate::attend::AttendSpec;
use crate::attend::spec::{ELEMENT_BITS, LANES, PROBABILITY_BITS, WINDOW};
use crate::lapa::{Filter, LapaSpec};
use crate::spec::{Parameter, Range, Spec, SpecError};
use serde::{Deserialize, Serialize};

/// LAPA whole, sized.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AcceleratorSpec {
    /// Elements of a query, key or value.
    pub head_dim: u32,
    /// Keys the engine holds.
    pub max_keys: u32,
    /// Keys predicted in parallel, of all queries of a tile; keys of a group of survivors.
    pub rows: u32,
    /// Queries predicted side by side, for all of which a key is read once.
    pub tile: u32,
    /// Bits of each key slice, most significant first: at most 8 together; what is missing to 8 is
    /// never read by the predictor.
    pub key_slices: Vec<u32>,
    /// Round a query element's leading one up when the bit below it is set.
    pub round_leading_one: bool,
    /// Divide by the count's nearest power of two instead of the count.
    pub approx_mean: bool,
    /// How keys are dropped after each round.
    pub filter: Filter,
    /// Multipliers for the exact scores, and as many for the values.
    pub lanes: u32,
    /// Bits of a weight before division.
    pub probability_bits: u32,
    /// Rows between the survivors and the result.
    pub window: u32,
    /// Queries that wait for their survivors.
    pub queries: u32,
    /// Count what the engine does and waits for.
    pub counters: bool,
}

impl Default for AcceleratorSpec {
    fn default() -> Self {
        let (predictor, attend) = (LapaSpec::default(), AttendSpec::default());
        AcceleratorSpec {
            head_dim: predictor.head_dim,
            max_keys: predictor.max_keys,
            rows: attend.rows,
            tile: 1,
            key_slices: predictor.key_slices,
            round_leading_one: predictor.round_leading_one,
            approx_mean: predictor.approx_mean,
            // closer than 1 % on every recorded model: `docs/attention.md`
            filter: Filter::Mass { mass256: vec![200] },
            lanes: attend.lanes,
            probability_bits: attend.probability_bits,
            window: attend.window,
            queries: 16,
            counters: true,
        }
    }
}

pub(super) const QUERIES: Parameter = Parameter {
    name: "queries",
    range: Range::Integer(1, 256),
    meaning: "queries that wait for their survivors",
};
pub(super) const COUNTERS: Parameter = Parameter {
    name: "counters",
    range: Range::Flag,
    meaning: "count what the engine does and waits for",
};

/// The predictor's table without `query_bits` and `unread_bits`, which the exact stage fixes, and
/// without `scores`, which it does not ask for; then ours.
const TABLE: [Parameter; LapaSpec::PARAMETERS.len() + 2] = {
    let predictor = LapaSpec::PARAMETERS;
    let mut table = [COUNTERS; LapaSpec::PARAMETERS.len() + 2];
    let (mut from, mut to) = (0, 0);
    while from < predictor.len() {
        // no string comparison in constants: no other names start so
        let name = predictor[from].name.as_bytes();
        if !(name[0] == b'q' || name[0] == b'u' || name[0] == b's') {
            table[to] = predictor[from];
            to += 1;
        }
        from += 1;
    }
    table[to] = LANES;
    table[to + 1] = PROBABILITY_BITS;
    table[to + 2] = WINDOW;
    table[to + 3] = QUERIES;
    table
};

impl Spec for AcceleratorSpec {
    const PARAMETERS: &'static [Parameter] = &TABLE;

    fn validate(&self) -> Result<(), SpecError> {
        self.predictor().validate()?;
        let bits: u32 = self.key_slices.iter().sum();
        if bits > ELEMENT_BITS {
            return Err(SpecError::OutOfRange {
                field: "key_slices".to_owned(),
                value: format!("{:?}", self.key_slices),
                range: "slices that sum to at most the exact stage's 8 bits".to_owned(),
            });
        }
        self.attend().validate()?;
        QUERIES.check(self.queries)?;
        if self.queries < self.tile {
            return Err(SpecError::OutOfRange {
                field: QUERIES.name.to_owned(),
                value: self.queries.to_string(),
                range: format!("at least the {} queries of a `tile`", self.tile),
            });
        }
        Ok(())
    }
}

impl AcceleratorSpec {
    /// Its predictor.
    pub fn predictor(&self) -> LapaSpec {
        LapaSpec {
            head_dim: self.head_dim,
            max_keys: self.max_keys,
            rows: self.rows,
            tile: self.tile,
            query_bits: ELEMENT_BITS,
            key_slices: self.key_slices.clone(),
            // more slices than bits are refused
            unread_bits: ELEMENT_BITS.saturating_sub(self.key_slices.iter().sum()),
            round_leading_one: self.round_leading_one,
            approx_mean: self.approx_mean,
            filter: self.filter.clone(),
            // the exact stage makes its own
            scores: false,
        }
    }

    /// Its exact stage.
    pub fn attend(&self) -> AttendSpec {
        AttendSpec {
            head_dim: self.head_dim,
            max_keys: self.max_keys,
            rows: self.rows,
            lanes: self.lanes,
            probability_bits: self.probability_bits,
            window: self.window,
        }
    }

    /// What stands between the two.
    pub(super) fn buffers(&self) -> Buffers {
        Buffers { queries: self.queries, counters: self.counters }
    }
}
