//! A whole attention accelerator: a predictor says which keys survive, the exact stage attends to
//! them.
//!
//! ```text
//! keys ----+--> predictor's banks
//!          +--> exact stage's memories
//! queries -+--> predictor --> survivors --+
//!          +--> query queue --------------+--> exact stage --> out
//! ```
//!
//! Any predictor of our streams will do ([`compose()`]); an [`Engine`] is one that is in the
//! registry: LAPA's is [`LapaAttentionSpec`], those it is compared with are
//! [`FactAttentionSpec`] and [`SangerAttentionSpec`].

pub mod compose;
pub mod cost;
pub(crate) mod counters;
pub mod drive;
mod fact;
mod sanger;
pub mod spec;
mod whole;

pub use compose::compose;
pub use fact::FactAttentionSpec;
pub use sanger::SangerAttentionSpec;
pub use spec::LapaAttentionSpec;
pub use whole::{Engine, build};

use crate::attention::attend::AttendSpec;
use crate::attention::lapa_predictor::LapaPredictorSpec;
use hwgen_hdl::Module;
use std::sync::Arc;

impl Engine for LapaAttentionSpec {
    type Predictor = LapaPredictorSpec;

    fn predictor(&self) -> LapaPredictorSpec {
        self.predictor()
    }

    fn attend(&self) -> AttendSpec {
        self.attend()
    }

    fn buffers(&self) -> compose::Buffers {
        self.buffers.clone()
    }
}

impl crate::generate::Generate for LapaAttentionSpec {
    const NAME: &'static str = "lapa_attention";
    const SUMMARY: &'static str =
        "LAPA: attention on the keys it predicts, queries in, outputs out";
    const PAGE: &'static str = "docs/attention.md";

    const SIZES: &'static [&'static str] = &[
        "max_keys=8 head_dim=4 rows=2 lanes=4",
        "max_keys=12 head_dim=3 rows=1 lanes=2 filter.mode=radius counters=false",
        "max_keys=16 head_dim=4 rows=4 lanes=4 filter.mode=top_k queries=1",
    ];

    fn circuit(&self) -> Arc<Module> {
        build(self)
    }

    fn latency(&self) -> String {
        whole::latency(self)
    }

    fn diagram(&self) -> String {
        whole::diagram(self)
    }
}
