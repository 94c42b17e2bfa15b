//! Why a network does not go onto a core.

use super::place::MOST_BYTES;
use thiserror::Error;

/// What a core cannot do, or has no room for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// A layer that the core has no job for.
    #[error("layer `{layer}`: {what}; {instead}")]
    Unsupported {
        /// Its name.
        layer: String,
        /// What about it.
        what: String,
        /// What to do.
        instead: String,
    },
    /// Tensors beyond what an address can name.
    #[error(
        "{what}: {needed} bytes with the core's rounding, {} at most; use fewer lanes or a smaller network",
        MOST_BYTES
    )]
    Address {
        /// Which.
        what: String,
        /// Bytes.
        needed: u64,
    },
    /// A memory is too small.
    #[error("{what}: {needed} needed, {given} given; raise `{parameter}`")]
    Room {
        /// What does not fit.
        what: &'static str,
        /// How many.
        needed: u64,
        /// How many there are.
        given: u64,
        /// The core's parameter.
        parameter: &'static str,
    },
}

/// An unsupported layer.
pub(super) fn unsupported(layer: &str, what: impl Into<String>, instead: &str) -> PlanError {
    PlanError::Unsupported { layer: layer.into(), what: what.into(), instead: instead.into() }
}
