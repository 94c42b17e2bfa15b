//! What every design's specification shares.
//!
//! A design lists its parameters once, as a table of [`Parameter`]s: the table checks values,
//! words the errors and feeds the help. [`load`] reads a specification from JSON and
//! `key=value` overrides, and tells for each bad value which line or override it came from.

mod error;
mod lines;
mod load;
mod parameter;

pub use error::{LoadError, Origin, SpecError};
pub use load::load;
pub use parameter::{Parameter, Range};

use serde::{Serialize, de::DeserializeOwned};

/// The parameters of one design.
///
/// `Default` is a complete, valid specification. A tagged enum inside uses the tag `mode`,
/// and gives each variant's fields a default, so that an override can switch the mode alone.
pub trait Spec: Default + Serialize + DeserializeOwned {
    /// Every parameter with its range and meaning; nested ones as `filter.alpha16`.
    const PARAMETERS: &'static [Parameter];

    /// Checks every value.
    ///
    /// # Errors
    /// The first value that is out of range, with its path, as in `key_slices[1]`.
    fn validate(&self) -> Result<(), SpecError>;
}
