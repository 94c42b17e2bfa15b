//! Why a network does not go onto a core.

use hwgen_designs::cnn::spec::ADDRESS_BITS;
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
        1 << ADDRESS_BITS
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
    /// No core has so much room.
    #[error("{what}: {needed} needed, {most} at most on any core; use a smaller network")]
    Beyond {
        /// What does not fit.
        what: &'static str,
        /// How many.
        needed: u64,
        /// How many the largest core has.
        most: u64,
    },
    /// Cores run it, but none within the budget.
    #[error("{needed} multipliers needed, {given} given; raise --multipliers")]
    Multipliers {
        /// Of the smallest core that runs it.
        needed: u32,
        /// How many there may be.
        given: u32,
    },
}

impl PlanError {
    /// The same of a core that was as large as cores are: there is no parameter to raise.
    pub(crate) fn of_any_core(self) -> PlanError {
        match self {
            PlanError::Room { what, needed, given, .. } => {
                PlanError::Beyond { what, needed, most: given }
            }
            other => other,
        }
    }
}

/// An unsupported layer.
pub(crate) fn unsupported(layer: &str, what: impl Into<String>, instead: &str) -> PlanError {
    PlanError::Unsupported { layer: layer.into(), what: what.into(), instead: instead.into() }
}
