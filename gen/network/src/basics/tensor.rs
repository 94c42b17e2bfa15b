//! Activations.

use super::NetworkError;
use super::check::{MOST_ELEMENTS, Result, SCALES, within};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An activation tensor: `real = scale * (integer - zero_point)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tensor {
    /// Unique name.
    pub name: String,
    /// Height, width, channels of an image; rows, columns of a matrix; length of a vector. One
    /// input at a time: there is no batch. The last index varies fastest.
    pub shape: Vec<usize>,
    /// Bits of an element, 2 to 8.
    pub bits: u32,
    /// Two's complement; else it counts from 0.
    pub signed: bool,
    /// Real value of a step; above 0. No layer reads it.
    pub scale: f64,
    /// The integer that stands for 0.
    pub zero_point: i32,
}

impl Tensor {
    /// Elements of it.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// The smallest integer that fits.
    pub fn lowest(&self) -> i32 {
        if self.signed { -(1 << (self.bits - 1)) } else { 0 }
    }

    /// The largest integer that fits.
    pub fn highest(&self) -> i32 {
        self.lowest() + (1 << self.bits) - 1
    }

    /// The largest distance of an element from the zero point.
    pub fn reach(&self) -> i32 {
        (self.highest() - self.zero_point).max(self.zero_point - self.lowest())
    }

    /// Height, width and channels; rows have height 1, and a vector is one row of one place.
    pub fn image(&self) -> [usize; 3] {
        match *self.shape {
            [height, width, channels] => [height, width, channels],
            [width, channels] => [1, width, channels],
            [channels] => [1, 1, channels],
            _ => [0; 3],
        }
    }

    /// The integer nearest to a real number, saturated.
    pub fn quantize(&self, real: f64) -> i32 {
        let steps = (real / self.scale).round() + f64::from(self.zero_point);
        steps.clamp(f64::from(self.lowest()), f64::from(self.highest())) as i32
    }

    /// What an integer stands for.
    pub fn real(&self, integer: i32) -> f64 {
        self.scale * f64::from(integer - self.zero_point)
    }

    /// Every value is in range.
    pub(crate) fn check(&self) -> Result<()> {
        let place = format!("tensor `{}`", self.name);
        if !(1..=3).contains(&self.shape.len()) {
            return Err(NetworkError::wrong_length(&place, "shape", self.shape.len(), "1 to 3"));
        }
        for (n, &size) in self.shape.iter().enumerate() {
            within(&place, &format!("shape[{n}]"), size as i64, 1, MOST_ELEMENTS as i64)?;
        }
        // three sizes of 24 bits each
        let elements = self.shape.iter().map(|&size| size as u128).product::<u128>();
        if elements > MOST_ELEMENTS as u128 {
            let range = format!("at most {MOST_ELEMENTS} elements");
            return Err(NetworkError::out_of_range(
                &place,
                "shape",
                format!("{:?}", self.shape),
                range,
            ));
        }
        within(&place, "bits", self.bits.into(), 2, 8)?;
        // no number is in no range
        if !SCALES.contains(&self.scale) {
            let range = format!("{:e} to {:e}", SCALES.start(), SCALES.end());
            return Err(NetworkError::out_of_range(&place, "scale", self.scale, range));
        }
        let (lowest, highest) = (self.lowest(), self.highest());
        within(&place, "zero_point", self.zero_point.into(), lowest.into(), highest.into())
    }
}
