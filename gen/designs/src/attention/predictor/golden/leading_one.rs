//! ALOC: one operand of a product becomes a sign and a power of two.

/// A number as `sign * 2^exponent`.
///
/// Source: our notes on "LAPA" (5-bit code `{s, z, e}`), after SOFA's one-sided leading-zero form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeadingOne {
    /// -1, 0 or 1.
    pub sign: i32,
    /// Position of the leading one of the magnitude; 0 for zero.
    pub exponent: u32,
}

impl LeadingOne {
    /// Encodes `x`, a two's complement number of `bits` bits (2..=16).
    ///
    /// The magnitude saturates at `2^(bits-1) - 1`. With `round`, the exponent is one more when
    /// the bit below the leading one is set.
    pub fn encode(x: i32, bits: u32, round: bool) -> Self {
        let magnitude = x.unsigned_abs().min((1 << (bits - 1)) - 1);
        let floor = magnitude.checked_ilog2().unwrap_or(0);
        let up = round && floor > 0 && magnitude >> (floor - 1) & 1 == 1;
        LeadingOne { sign: x.signum(), exponent: floor + u32::from(up) }
    }

    /// The number times `y`.
    pub fn times(self, y: i32) -> i64 {
        i64::from(self.sign) * (i64::from(y) << self.exponent)
    }

    /// The code as bits, LSB first: `exponent_bits` of exponent, zero flag, sign.
    pub fn bits(self, exponent_bits: u32) -> u32 {
        let flags = u32::from(self.sign == 0) | u32::from(self.sign < 0) << 1;
        self.exponent | flags << exponent_bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(x: i32, bits: u32, round: bool) -> i64 {
        LeadingOne::encode(x, bits, round).times(1)
    }

    #[test]
    fn leading_one_of_a_byte() {
        let inputs = [0, 1, -1, 2, 3, 5, 6, -7, 64, 95, 96, 127, -127, -128];
        let floors = inputs.map(|x| value(x, 8, false));
        assert_eq!(floors, [0, 1, -1, 2, 2, 4, 4, -4, 64, 64, 64, 64, -64, -64]);
        let rounded = inputs.map(|x| value(x, 8, true));
        assert_eq!(rounded, [0, 1, -1, 2, 4, 4, 8, -8, 64, 64, 128, 128, -128, -128]);
    }

    #[test]
    fn error_is_under_a_half_or_with_rounding_within_a_third() {
        for bits in 2..=16 {
            let top = (1 << (bits - 1)) - 1;
            for x in 1..=top {
                let exact = i64::from(x);
                let (floor, rounded) = (value(x, bits, false), value(x, bits, true));
                assert!(floor <= exact && 2 * floor > exact, "{x}");
                assert!(3 * rounded > 2 * exact && 3 * rounded <= 4 * exact, "{x}");
                assert_eq!(value(-x, bits, true), -rounded);
            }
            assert_eq!(value(-top - 1, bits, true), value(-top, bits, true));
        }
    }

    #[test]
    fn code_layout() {
        assert_eq!(LeadingOne::encode(-100, 8, false).bits(3), 0b10_110);
        assert_eq!(LeadingOne::encode(0, 8, false).bits(3), 0b01_000);
        assert_eq!(LeadingOne::encode(127, 8, true).bits(3), 0b00_111);
    }
}
