//! FACT whole: its predictor and the exact stage.

use super::compose::Buffers;
use super::engine::{self, Engine};
use super::spec::{COUNTERS, QUERIES};
use crate::attend::AttendSpec;
use crate::attend::spec::{LANES, PROBABILITY_BITS, WINDOW};
use crate::fact::FactSpec;
use crate::fact::spec::{HEAD_DIM, KEEP256, MAX_KEYS, ROWS};
use crate::registry::Generate;
use crate::spec::{Parameter, Spec, SpecError};
use hwgen_hdl::Module;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// FACT whole, sized.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FactAttentionSpec {
    /// Elements of a query, key or value.
    pub head_dim: u32,
    /// Keys the engine holds.
    pub max_keys: u32,
    /// Keys predicted in parallel.
    pub rows: u32,
    /// Fraction of a row's visible keys to keep, in 1/256.
    pub keep256: u32,
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

impl Default for FactAttentionSpec {
    fn default() -> Self {
        let (predictor, attend) = (FactSpec::default(), AttendSpec::default());
        FactAttentionSpec {
            head_dim: attend.head_dim,
            max_keys: attend.max_keys,
            rows: attend.rows,
            keep256: predictor.keep256,
            lanes: attend.lanes,
            probability_bits: attend.probability_bits,
            window: attend.window,
            queries: 16,
            counters: true,
        }
    }
}

impl Spec for FactAttentionSpec {
    const PARAMETERS: &'static [Parameter] =
        &[HEAD_DIM, MAX_KEYS, ROWS, KEEP256, LANES, PROBABILITY_BITS, WINDOW, QUERIES, COUNTERS];

    fn validate(&self) -> Result<(), SpecError> {
        self.predictor().validate()?;
        self.attend().validate()?;
        QUERIES.check(self.queries)
    }
}

impl Engine for FactAttentionSpec {
    type Predictor = FactSpec;

    fn predictor(&self) -> FactSpec {
        let FactAttentionSpec { head_dim, max_keys, rows, keep256, .. } = *self;
        FactSpec { head_dim, max_keys, rows, keep256 }
    }

    fn attend(&self) -> AttendSpec {
        let FactAttentionSpec { head_dim, max_keys, rows, lanes, probability_bits, window, .. } =
            *self;
        AttendSpec { head_dim, max_keys, rows, lanes, probability_bits, window }
    }

    fn buffers(&self) -> Buffers {
        Buffers { queries: self.queries, counters: self.counters }
    }
}

impl Generate for FactAttentionSpec {
    const NAME: &'static str = "fact_attention";
    const SUMMARY: &'static str = "FACT: attention on the keys that its predictor keeps";

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
