//! Activations.

use super::check::{MOST_ELEMENTS, Result, SCALES, within};
use super::{NetworkError, Sums};
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
    /// Bits of an element, 2 to 8; of sums 2 to 32.
    pub bits: u32,
    /// Two's complement; else it counts from 0.
    pub signed: bool,
    /// Real value of a step; above 0. No layer reads it.
    pub scale: f64,
    /// The integer that stands for 0.
    pub zero_point: i32,
    /// Its integers are sums that nothing rescales; only outputs of the network are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sums: Option<Sums>,
}

impl Tensor {
    /// Elements of it.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// The smallest integer that fits.
    pub fn lowest(&self) -> i32 {
        if self.signed { -1 << (self.bits - 1) } else { 0 }
    }

    /// The largest integer that fits.
    pub fn highest(&self) -> i32 {
        (i64::from(self.lowest()) + (1 << self.bits) - 1) as i32
    }

    /// Bytes of an element where it is kept.
    pub fn bytes(&self) -> usize {
        if self.sums.is_some() { self.bits.div_ceil(8) as usize } else { 1 }
    }

    /// Numbers that it is kept as: one an element, of sums their bytes, the lowest ones of all
    /// elements first, each in two's complement.
    pub fn stored(&self) -> usize {
        self.elements() * self.bytes()
    }

    /// Its integers, of what it is kept as.
    pub fn integers(&self, stored: &[i16]) -> Vec<i32> {
        if self.sums.is_none() {
            return stored.iter().map(|&integer| integer.into()).collect();
        }
        let elements = self.elements();
        let integer = |n: usize| {
            let bytes = stored.iter().skip(n).step_by(elements).take(self.bytes());
            // the highest keeps its sign
            bytes.rev().fold(None, |above: Option<i32>, &byte| {
                Some(above.map_or(byte.into(), |above| above << 8 | i32::from(byte) & 0xff))
            })
        };
        (0..elements).filter_map(integer).collect()
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

    /// What an integer stands for, if all have one scale.
    pub fn real(&self, integer: i32) -> f64 {
        self.scale * f64::from(integer - self.zero_point)
    }

    /// What the integer of element `n` stands for.
    pub fn real_of(&self, n: usize, integer: i32) -> f64 {
        match self.sums.as_ref().map(|sums| &sums.scales[..]) {
            None | Some([]) => self.real(integer),
            Some(scales) => scales[n % scales.len()] * f64::from(integer),
        }
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
        let most = if self.sums.is_some() { Sums::MOST_BITS } else { 8 };
        within(&place, "bits", self.bits.into(), 2, most.into())?;
        // no number is in no range
        if !SCALES.contains(&self.scale) {
            let range = format!("{:e} to {:e}", SCALES.start(), SCALES.end());
            return Err(NetworkError::out_of_range(&place, "scale", self.scale, range));
        }
        if let Some(sums) = &self.sums {
            sums.check(&place, self)?;
        }
        let (lowest, highest) = (self.lowest(), self.highest());
        within(&place, "zero_point", self.zero_point.into(), lowest.into(), highest.into())
    }
}
