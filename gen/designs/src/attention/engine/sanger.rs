//! Sanger whole: its predictor and the exact stage.

use super::compose::Buffers;
use super::whole::{self, Engine};
use crate::attention::attend::AttendSpec;
use crate::attention::sanger_predictor::SangerPredictorSpec;
use crate::generate::Generate;
use crate::spec::{Parameters, Spec, SpecError};
use hwgen_hdl::Module;
use std::sync::Arc;

/// Sanger whole, sized.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct SangerAttentionSpec {
    /// The predictor; complete in [`predictor`](Engine::predictor).
    #[part(
        fixed = [probability_bits],
        default = SangerPredictorSpec { rows: AttendSpec::default().rows, ..SangerPredictorSpec::default() }
    )]
    pub sanger: SangerPredictorSpec,
    /// Bits of a weight of the predictor's softmax estimate.
    ///
    /// `probability_bits` are the exact stage's.
    #[parameter(default = SangerPredictorSpec::default().probability_bits, range = 4..=16)]
    pub estimate_bits: u32,
    /// The exact stage; complete in [`attend`](Engine::attend).
    #[part(fixed = [head_dim, max_keys, rows])]
    pub exact: AttendSpec,
    /// What stands between the two.
    #[part]
    pub buffers: Buffers,
}

impl Spec for SangerAttentionSpec {
    fn check_relations(&self) -> Result<(), SpecError> {
        self.predictor().validate()?;
        self.attend().validate()
    }
}

impl Engine for SangerAttentionSpec {
    type Predictor = SangerPredictorSpec;

    fn predictor(&self) -> SangerPredictorSpec {
        SangerPredictorSpec { probability_bits: self.estimate_bits, ..self.sanger.clone() }
    }

    fn attend(&self) -> AttendSpec {
        self.exact.of(self.sanger.shape())
    }

    fn buffers(&self) -> Buffers {
        self.buffers.clone()
    }
}

impl Generate for SangerAttentionSpec {
    const NAME: &'static str = "sanger_attention";
    const SUMMARY: &'static str = "Sanger: attention on the keys that its predictor keeps";
    const PAGE: &'static str = "docs/baselines.md";

    const SIZES: &'static [&'static str] = &[
        "max_keys=8 head_dim=4 rows=2 lanes=4",
        "max_keys=5 head_dim=3 rows=1 lanes=2 estimate_bits=5 counters=false",
        "max_keys=16 head_dim=2 rows=4 lanes=2 row_normalise=false queries=1",
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
