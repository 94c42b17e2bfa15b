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
//! Any predictor of our streams will do ([`compose()`]); [`AcceleratorSpec`] is LAPA's.

pub mod compose;
pub mod cost;
pub(crate) mod counters;
pub mod spec;

pub use compose::compose;
pub use spec::AcceleratorSpec;

use crate::lapa;
use hwgen_hdl::Module;
use std::sync::Arc;

/// LAPA's circuit; top module `lapa`.
///
/// Streams: `keys` (`key`, `value`, `last`) and `queries` (`data`, `visible`, `radius` in mode
/// `radius`, `scale`, `shift`, `last`) in, `out` (`data`, `last`) out, as the predictor and the
/// exact stage define them.
///
/// `spec` must be one that [`validate`](crate::spec::Spec::validate) accepts.
pub fn build(spec: &AcceleratorSpec) -> Arc<Module> {
    let predictor = lapa::build(&spec.predictor());
    compose("lapa", &predictor, &spec.attend(), &spec.buffers())
}

impl crate::registry::Generate for AcceleratorSpec {
    const NAME: &'static str = "lapa";
    const SUMMARY: &'static str =
        "LAPA: attention on the keys it predicts, queries in, outputs out";

    fn build(&self) -> Arc<Module> {
        build(self)
    }

    fn latency(&self) -> String {
        let (predictor, attend) = (self.predictor().latency(), self.attend().latency());
        format!("predictor: {predictor}\nexact stage: {attend}")
    }

    fn diagram(&self) -> String {
        format!(
            "keys ----> predictor, exact stage\n\
             queries -> predictor, queue of {} -> exact stage\n\n\
             predictor (lapa_predictor):\n{}\n\
             exact stage (attend):\n{}",
            self.queries,
            self.predictor().diagram(),
            self.attend().diagram(),
        )
    }
}
