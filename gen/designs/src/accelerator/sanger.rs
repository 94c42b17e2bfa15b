//! Sanger whole: its predictor and the exact stage.

use super::compose::Buffers;
use super::engine::{self, Engine};
use super::spec::{COUNTERS, QUERIES};
use crate::attend::AttendSpec;
use crate::attend::spec::{LANES, PROBABILITY_BITS, WINDOW};
use crate::registry::Generate;
use crate::sanger::SangerSpec;
use crate::sanger::spec::{HEAD_DIM, MAX_KEYS, ROW_NORMALISE, ROWS, THRESHOLD65536};
use crate::spec::{Parameter, Range, Spec, SpecError};
use hwgen_hdl::Module;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Sanger whole, sized.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SangerAttentionSpec {
    /// Elements of a query, key or value.
    pub head_dim: u32,
    /// Keys the engine holds.
    pub max_keys: u32,
    /// Keys predicted in parallel.
    pub rows: u32,
    /// Least probability to keep, in 1/65536.
    pub threshold65536: u32,
    /// Bits of a weight of the predictor's softmax estimate.
    pub estimate_bits: u32,
    /// Shorten each query and key by a power of two of its own, not all by 2^4.
    pub row_normalise: bool,
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

impl Default for SangerAttentionSpec {
    fn default() -> Self {
        let (predictor, attend) = (SangerSpec::default(), AttendSpec::default());
        SangerAttentionSpec {
            head_dim: attend.head_dim,
            max_keys: attend.max_keys,
            rows: attend.rows,
            threshold65536: predictor.threshold65536,
            estimate_bits: predictor.probability_bits,
            row_normalise: predictor.row_normalise,
            lanes: attend.lanes,
            probability_bits: attend.probability_bits,
            window: attend.window,
            queries: 16,
            counters: true,
        }
    }
}

const ESTIMATE_BITS: Parameter = Parameter {
    name: "estimate_bits",
    range: Range::Integer(4, 16),
    meaning: "bits of a weight of the predictor's softmax estimate",
};

impl Spec for SangerAttentionSpec {
    const PARAMETERS: &'static [Parameter] = &[
        HEAD_DIM,
        MAX_KEYS,
        ROWS,
        THRESHOLD65536,
        ESTIMATE_BITS,
        ROW_NORMALISE,
        LANES,
        PROBABILITY_BITS,
        WINDOW,
        QUERIES,
        COUNTERS,
    ];

    fn validate(&self) -> Result<(), SpecError> {
        ESTIMATE_BITS.check(self.estimate_bits)?;
        self.predictor().validate()?;
        self.attend().validate()?;
        QUERIES.check(self.queries)
    }
}

impl Engine for SangerAttentionSpec {
    type Predictor = SangerSpec;

    fn predictor(&self) -> SangerSpec {
        SangerSpec {
            head_dim: self.head_dim,
            max_keys: self.max_keys,
            rows: self.rows,
            threshold65536: self.threshold65536,
            probability_bits: self.estimate_bits,
            row_normalise: self.row_normalise,
        }
    }

    fn attend(&self) -> AttendSpec {
        let SangerAttentionSpec {
            head_dim, max_keys, rows, lanes, probability_bits, window, ..
        } = *self;
        AttendSpec { head_dim, max_keys, rows, lanes, probability_bits, window }
    }

    fn buffers(&self) -> Buffers {
        Buffers { queries: self.queries, counters: self.counters }
    }
}

impl Generate for SangerAttentionSpec {
    const NAME: &'static str = "sanger_attention";
    const SUMMARY: &'static str = "Sanger: attention on the keys that its predictor keeps";

    fn build(&self) -> Arc<Module> {
        engine::build(self)
    }

    fn latency(&self) -> String {
        engine::latency(self)
    }

    fn diagram(&self) -> String {
        engine::diagram(self)
    }
}
