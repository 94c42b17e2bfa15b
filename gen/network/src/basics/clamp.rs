//! Bounds of results.

use super::Tensor;
use super::check::{Result, within};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bounds of a result: the activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clamp {
    /// Smallest.
    pub min: i32,
    /// Largest.
    pub max: i32,
}

impl Clamp {
    /// All that a tensor can hold.
    pub fn of(tensor: &Tensor) -> Clamp {
        Clamp { min: tensor.lowest(), max: tensor.highest() }
    }

    /// ReLU: not below 0.
    pub fn relu(tensor: &Tensor) -> Clamp {
        Clamp { min: tensor.lowest().max(tensor.zero_point), max: tensor.highest() }
    }

    /// The nearest number within.
    pub fn apply(self, number: i32) -> i32 {
        number.clamp(self.min, self.max)
    }

    /// Bounds are in order and within the output.
    pub(crate) fn check(self, place: &str, output: &Tensor) -> Result<()> {
        let (lowest, highest) = (output.lowest().into(), output.highest().into());
        within(place, "clamp.min", self.min.into(), lowest, highest)?;
        within(place, "clamp.max", self.max.into(), self.min.into(), highest)
    }
}
