//! The parameters of Sanger's predictor, and the widths that follow from them.

use crate::attention::{Shape, clog2, signed_bits};
use crate::spec::{Parameters, Spec};

/// Bits of an element of a query or key.
pub const ELEMENT_BITS: u32 = 8;

/// Bits of a shortened element, -7..=7.
pub const SHORT_BITS: u32 = 4;

/// Largest power of two by which a vector is shortened.
pub const MAX_SHIFT: u32 = 4;

/// Bits of that power.
pub const SHORT_SHIFT_BITS: u32 = 3;

/// Sanger's predictor, sized.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct SangerPredictorSpec {
    /// Elements of a query or key.
    #[parameter(default = 64, range = 1..=256)]
    pub head_dim: u32,
    /// Keys the engine holds.
    #[parameter(default = 512, range = 1..=4096)]
    pub max_keys: u32,
    /// Keys scored in parallel.
    #[parameter(default = 16, range = 1..=64, power_of_two)]
    pub rows: u32,
    /// Least probability to keep, in 1/65536; 131 is 0.002.
    #[parameter(default = 131, range = 1..=65535)]
    pub threshold65536: u32,
    /// Bits of a weight of the softmax estimate.
    #[parameter(default = 8, range = 4..=16)]
    pub probability_bits: u32,
    /// Shorten each query and key by a power of two of its own, not all by 2^4.
    #[parameter(default = true)]
    pub row_normalise: bool,
}

impl Spec for SangerPredictorSpec {}

impl SangerPredictorSpec {
    /// The size that all predictors have.
    pub(crate) fn shape(&self) -> Shape {
        Shape { head_dim: self.head_dim, max_keys: self.max_keys, rows: self.rows }
    }

    /// Bits of a shortened query or key, its power of two not included.
    pub(crate) fn short_bits(&self) -> u32 {
        self.head_dim * SHORT_BITS
    }

    /// Bits of a sum of products of shortened elements, signed.
    pub fn product_sum_bits(&self) -> u32 {
        signed_bits(49 * u128::from(self.head_dim))
    }

    /// Bits of the sum of a row's weights, unsigned.
    pub fn sum_bits(&self) -> u32 {
        self.probability_bits + clog2(self.max_keys.into())
    }

    /// Least weight that is always kept, less one.
    pub(crate) fn largest_limit(&self) -> u32 {
        (1 << self.probability_bits) - 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_of_the_default() {
        let spec = SangerPredictorSpec::default();
        assert_eq!((spec.product_sum_bits(), spec.sum_bits(), spec.largest_limit()), (13, 17, 254));
    }
}
