//! The parameters of Sanger's predictor, and the widths that follow from them.

use crate::predictor::{Shape, clog2, signed_bits};
use crate::spec::{Parameter, Range, Spec, SpecError};
use serde::{Deserialize, Serialize};

/// Bits of an element of a query or key.
pub const ELEMENT_BITS: u32 = 8;

/// Bits of a shortened element, -7..=7.
pub const SHORT_BITS: u32 = 4;

/// Largest power of two by which a vector is shortened.
pub const MAX_SHIFT: u32 = 4;

/// Bits of that power.
pub const SHORT_SHIFT_BITS: u32 = 3;

/// Sanger's predictor, sized.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SangerSpec {
    /// Elements of a query or key.
    pub head_dim: u32,
    /// Keys the engine holds.
    pub max_keys: u32,
    /// Keys scored in parallel.
    pub rows: u32,
    /// Least probability to keep, in 1/65536.
    pub threshold65536: u32,
    /// Bits of a weight of the softmax estimate.
    pub probability_bits: u32,
    /// Shorten each query and key by a power of two of its own, not all by 2^4.
    pub row_normalise: bool,
}

impl Default for SangerSpec {
    fn default() -> Self {
        SangerSpec {
            head_dim: 64,
            max_keys: 512,
            rows: 16,
            threshold65536: 131,
            probability_bits: 8,
            row_normalise: true,
        }
    }
}

const fn parameter(name: &'static str, range: Range, meaning: &'static str) -> Parameter {
    Parameter { name, range, meaning }
}

pub(crate) const HEAD_DIM: Parameter =
    parameter("head_dim", Range::Integer(1, 256), "elements of a query or key");
pub(crate) const MAX_KEYS: Parameter =
    parameter("max_keys", Range::Integer(1, 4096), "keys the engine holds");
pub(crate) const ROWS: Parameter =
    parameter("rows", Range::PowerOfTwo(1, 64), "keys scored in parallel");
pub(crate) const THRESHOLD65536: Parameter = parameter(
    "threshold65536",
    Range::Integer(1, 65535),
    "least probability to keep, in 1/65536; 131 is 0.002",
);
pub(crate) const PROBABILITY_BITS: Parameter = parameter(
    "probability_bits",
    Range::Integer(4, 16),
    "bits of a weight of the softmax estimate",
);
pub(crate) const ROW_NORMALISE: Parameter = parameter(
    "row_normalise",
    Range::Flag,
    "shorten each query and key by a power of two of its own, not all by 2^4",
);

impl Spec for SangerSpec {
    const PARAMETERS: &'static [Parameter] =
        &[HEAD_DIM, MAX_KEYS, ROWS, THRESHOLD65536, PROBABILITY_BITS, ROW_NORMALISE];

    fn validate(&self) -> Result<(), SpecError> {
        HEAD_DIM.check(self.head_dim)?;
        MAX_KEYS.check(self.max_keys)?;
        ROWS.check(self.rows)?;
        THRESHOLD65536.check(self.threshold65536)?;
        PROBABILITY_BITS.check(self.probability_bits)
    }
}

impl SangerSpec {
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
        let spec = SangerSpec::default();
        assert_eq!((spec.product_sum_bits(), spec.sum_bits(), spec.largest_limit()), (13, 17, 254));
    }
}
