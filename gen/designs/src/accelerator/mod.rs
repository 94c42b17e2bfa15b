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
//! registry: LAPA's is [`AcceleratorSpec`], those it is compared with are
//! [`FactAttentionSpec`] and [`SangerAttentionSpec`].

pub mod compose;
pub mod cost;
pub(crate) mod counters;
mod engine;
mod fact;
mod sanger;
pub mod spec;

pub use compose::compose;
pub use engine::{Engine, build};
pub use fact::FactAttentionSpec;
pub use sanger::SangerAttentionSpec;
pub use spec::AcceleratorSpec;

use crate::attend::AttendSpec;
use crate::lapa::LapaSpec;
use hwgen_hdl::Module;
use std::sync::Arc;

impl Engine for AcceleratorSpec {
    type Predictor = LapaSpec;

    fn predictor(&self) -> LapaSpec {
        self.predictor()
    }

    fn attend(&self) -> AttendSpec {
        self.attend()
    }

    fn buffers(&self) -> compose::Buffers {
        self.buffers.clone()
    }
}

impl crate::generate::Generate for AcceleratorSpec {
    const NAME: &'static str = "lapa_attention";
    const SUMMARY: &'static str =
        "LAPA: attention on the keys it predicts, queries in, outputs out";
    const PAGE: &'static str = "docs/attention.md";

    fn circuit(&self) -> Arc<Module> {
        build(self)
    }

    fn latency(&self) -> String {
        engine::latency(self)
    }

    fn diagram(&self) -> String {
        engine::diagram(self)
    }
}
