//! The parameters of FACT's predictor, and the widths that follow from them.

use crate::attention::predictor::leading_one::Code;
use crate::attention::{Shape, signed_bits};
use crate::spec::{Parameters, Spec};

/// Bits of an element of a query or key.
pub const ELEMENT_BITS: u32 = 8;

/// Bits of the exponent in a leading-one code: 0..=6.
pub const EXPONENT_BITS: u32 = 3;

/// Bits of a leading-one code, LSB first: exponent, zero flag, sign.
pub const CODE_BITS: u32 = EXPONENT_BITS + 2;

/// Largest exponent of a product.
pub const MAX_EXPONENT: u32 = 2 * (ELEMENT_BITS - 2);

/// FACT's predictor, sized.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct FactPredictorSpec {
    /// Elements of a query or key.
    #[parameter(default = 64, range = 1..=256)]
    pub head_dim: u32,
    /// Keys the engine holds.
    #[parameter(default = 512, range = 1..=4096)]
    pub max_keys: u32,
    /// Keys scored in parallel.
    #[parameter(default = 16, range = 1..=64, power_of_two)]
    pub rows: u32,
    /// Fraction of the row's visible keys to keep, in 1/256.
    #[parameter(default = 64, range = 1..=256)]
    pub keep256: u32,
}

impl Spec for FactPredictorSpec {}

impl FactPredictorSpec {
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
        assert_eq!(
            (CODE_BITS, MAX_EXPONENT, FactPredictorSpec::default().score_bits()),
            (5, 12, 20)
        );
    }
}
