//! FACT whole: its predictor and the exact stage.

use super::compose::Buffers;
use super::whole::{self, Engine};
use crate::attention::attend::AttendSpec;
use crate::attention::fact_predictor::FactPredictorSpec;
use crate::generate::Generate;
use crate::spec::{Parameters, Spec, SpecError};
use hwgen_hdl::Module;
use std::sync::Arc;

/// FACT whole, sized.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct FactAttentionSpec {
    /// The predictor.
    #[part(default = FactPredictorSpec { rows: AttendSpec::default().rows, ..FactPredictorSpec::default() })]
    pub fact: FactPredictorSpec,
    /// The exact stage; complete in [`attend`](Engine::attend).
    #[part(fixed = [head_dim, max_keys, rows])]
    pub exact: AttendSpec,
    /// What stands between the two.
    #[part]
    pub buffers: Buffers,
}

impl Spec for FactAttentionSpec {
    fn check_relations(&self) -> Result<(), SpecError> {
        self.predictor().validate()?;
        self.attend().validate()
    }
}

impl Engine for FactAttentionSpec {
    type Predictor = FactPredictorSpec;

    fn predictor(&self) -> FactPredictorSpec {
        self.fact.clone()
    }

    fn attend(&self) -> AttendSpec {
        self.exact.of(self.fact.shape())
    }

    fn buffers(&self) -> Buffers {
        self.buffers.clone()
    }
}

impl Generate for FactAttentionSpec {
    const NAME: &'static str = "fact_attention";
    const SUMMARY: &'static str = "FACT: attention on the keys that its predictor keeps";
    const PAGE: &'static str = "docs/baselines.md";

    const SIZES: &'static [&'static str] = &[
        "max_keys=8 head_dim=4 rows=2 lanes=4",
        "max_keys=5 head_dim=3 rows=1 lanes=2 keep256=200 counters=false",
        "max_keys=16 head_dim=4 rows=4 lanes=4 queries=1",
    ];

    fn circuit(&self) -> Arc<Module> {
        whole::build(self)
    }

    fn latency(&self) -> String {
        whole::latency(self)
    }

    fn diagram(&self) -> String {
        whole::diagram(self)
    }
}
