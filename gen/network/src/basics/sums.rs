//! Sums that leave a network as they are.

use super::check::{Result, SCALES, within};
use super::{NetworkError, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a tensor tells whose integers are sums that nothing rescales, bias + sum of w * (x - x0): of
/// up to 32 bits, signed, with a zero point of 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sums {
    /// Real values of a step where they differ: of element n, in the order of the tensor, that at n
    /// modulo their number. The tensor's `scale` is the largest then. None: it is that of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scales: Vec<f64>,
    /// How far step * integer is, at most, from what the network was trained with, as biases are
    /// rounded to whole steps.
    #[serde(default, skip_serializing_if = "is_0")]
    pub off_by: f64,
}

fn is_0(number: &f64) -> bool {
    *number == 0.0
}

impl Sums {
    /// The widest.
    pub const MOST_BITS: u32 = 32;

    /// Every value of the sums `tensor` is in range.
    pub(super) fn check(&self, place: &str, tensor: &Tensor) -> Result<()> {
        within(place, "signed", tensor.signed.into(), 1, 1)?;
        within(place, "zero_point", tensor.zero_point.into(), 0, 0)?;
        let (count, elements) = (self.scales.len(), tensor.elements());
        if count > 0 && !elements.is_multiple_of(count) {
            let expected = format!("none, or so many that {elements} elements are a multiple");
            return Err(NetworkError::wrong_length(place, "sums.scales", count, expected));
        }
        let refuse = |field: String, value: f64, range: String| {
            Err(NetworkError::out_of_range(place, &field, value, range))
        };
        for (n, &scale) in self.scales.iter().enumerate() {
            if !SCALES.contains(&scale) {
                let range = format!("{:e} to {:e}", SCALES.start(), SCALES.end());
                return refuse(format!("sums.scales[{n}]"), scale, range);
            }
        }
        let largest = self.scales.iter().copied().fold(0.0, f64::max);
        if count > 0 && largest != tensor.scale {
            return refuse("scale".into(), tensor.scale, format!("the largest scale, {largest}"));
        }
        match (0.0..=f64::MAX).contains(&self.off_by) {
            true => Ok(()),
            false => refuse("sums.off_by".into(), self.off_by, "0 or more".into()),
        }
    }
}
