//! What every engine of predictor and exact stage is made of.

use super::compose::{Buffers, compose};
use crate::attention::attend::AttendSpec;
use crate::attention::predictor::Predictor;
use crate::generate::Generate;
use hwgen_hdl::Module;
use std::sync::Arc;

/// A whole engine: a predictor and the exact stage, which are instances `predictor` and `exact` of
/// its top module.
pub trait Engine: Generate + std::fmt::Debug {
    /// What predicts.
    type Predictor: Predictor;

    /// Its predictor.
    fn predictor(&self) -> Self::Predictor;

    /// Its exact stage.
    fn attend(&self) -> AttendSpec;

    /// What stands between the two.
    fn buffers(&self) -> Buffers;
}

/// The engine's circuit; its top module has the design's name.
///
/// Streams: `keys` (`key`, `value`, `last`) and `queries` (`data`, `visible`, what the predictor asks
/// for beside, `scale`, `shift`, `last`) in, `out` (`data`, `last`) out, as the predictor and the
/// exact stage define them.
///
/// `spec` must be one that [`validate`](crate::spec::Spec::validate) accepts.
pub fn build<E: Engine>(spec: &E) -> Arc<Module> {
    let predictor = Generate::build(&spec.predictor());
    compose(E::NAME, &predictor, &spec.attend(), &spec.buffers())
}

/// Latency and throughput of both stages.
pub(super) fn latency<E: Engine>(spec: &E) -> String {
    let (predictor, attend) = (spec.predictor().latency(), spec.attend().latency());
    format!("predictor: {predictor}\nexact stage: {attend}")
}

/// The block diagrams of both stages.
pub(super) fn diagram<E: Engine>(spec: &E) -> String {
    format!(
        "keys ----> predictor, exact stage\n\
         queries -> predictor, queue of {} -> exact stage\n\n\
         predictor ({}):\n{}\n\
         exact stage (attend):\n{}",
        spec.buffers().queries,
        E::Predictor::NAME,
        spec.predictor().diagram(),
        spec.attend().diagram(),
    )
}
