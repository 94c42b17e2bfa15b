//! The parameters of FACT's predictor, and the widths that follow from them.

use crate::predictor::leading_one::Code;
use crate::predictor::{Shape, signed_bits};
use crate::spec::{Parameter, Range, Spec, SpecError};
use serde::{Deserialize, Serialize};

/// Bits of an element of a query or key.
pub const ELEMENT_BITS: u32 = 8;

/// Bits of the exponent in a leading-one code: 0..=6.
pub const EXPONENT_BITS: u32 = 3;

/// Bits of a leading-one code, LSB first: exponent, zero flag, sign.
pub const CODE_BITS: u32 = EXPONENT_BITS + 2;

/// Largest exponent of a product.
pub const MAX_EXPONENT: u32 = 2 * (ELEMENT_BITS - 2);

/// FACT's predictor, sized.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FactSpec {
    /// Elements of a query or key.
    pub head_dim: u32,
    /// Keys the engine holds.
    pub max_keys: u32,
    /// Keys scored in parallel.
    pub rows: u32,
    /// Fraction of a row's visible keys to keep, in 1/256.
    pub keep256: u32,
}

impl Default for FactSpec {
    fn default() -> Self {
        FactSpec { head_dim: 64, max_keys: 512, rows: 16, keep256: 64 }
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
pub(crate) const KEEP256: Parameter = parameter(
    "keep256",
    Range::Integer(1, 256),
    "fraction of the row's visible keys to keep, in 1/256",
);

impl Spec for FactSpec {
    const PARAMETERS: &'static [Parameter] = &[HEAD_DIM, MAX_KEYS, ROWS, KEEP256];

    fn validate(&self) -> Result<(), SpecError> {
        HEAD_DIM.check(self.head_dim)?;
        MAX_KEYS.check(self.max_keys)?;
        ROWS.check(self.rows)?;
        KEEP256.check(self.keep256)
    }
}

impl FactSpec {
    /// The size that all predictors have.
    pub(crate) fn shape(&self) -> Shape {
        Shape { head_dim: self.head_dim, max_keys: self.max_keys, rows: self.rows }
    }

    /// How an element is encoded.
    pub(crate) fn code(&self) -> Code {
        Code { bits: ELEMENT_BITS, exponent_bits: EXPONENT_BITS, round: false }
    }

    /// Bits of a score, signed.
    pub fn score_bits(&self) -> u32 {
        signed_bits(u128::from(self.head_dim) << MAX_EXPONENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_of_the_default_agree_with_the_definition() {
        assert_eq!((CODE_BITS, MAX_EXPONENT, FactSpec::default().score_bits()), (5, 12, 20));
    }
}
