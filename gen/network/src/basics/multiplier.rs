//! Rescaling by a number that is told in integers.

use super::Numbers;
use super::check::{Result, within};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A real factor, `mantissa * 2^(shift - 31)`: TFLite's `QuantizedMultiplier`.
///
/// How a product is rounded is told in `docs/network.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Multiplier {
    /// Sign and leading 31 bits.
    pub mantissa: i32,
    /// Exponent, -31 to 30.
    pub shift: i32,
}

impl Multiplier {
    /// 1.
    pub const ONE: Multiplier = Multiplier { mantissa: 1 << 30, shift: 1 };

    /// The multiplier nearest to `factor`, as TFLite's `QuantizeMultiplier` picks it: a mantissa of
    /// 2^30 to 2^31 - 1, a factor below 2^-32 becoming 0. `None` for what does not fit.
    pub fn nearest(factor: f64) -> Option<Multiplier> {
        if factor == 0.0 {
            return Some(Multiplier { mantissa: 0, shift: 0 });
        }
        if !factor.is_finite() {
            return None;
        }
        let (fraction, mut shift) = split(factor.abs());
        let mut mantissa = (fraction * (1u64 << 31) as f64).round() as i64;
        if mantissa == 1 << 31 {
            mantissa /= 2;
            shift += 1;
        }
        if shift < -31 {
            (mantissa, shift) = (0, 0);
        }
        if shift > 30 {
            return None;
        }
        let mantissa = if factor < 0.0 { -mantissa } else { mantissa };
        Some(Multiplier { mantissa: mantissa as i32, shift })
    }

    /// The nearest whose mantissa has but so many bits that are not 0.
    pub(crate) fn cut(self, bits: u32) -> Option<Multiplier> {
        let below = 31 - bits.min(31);
        let half = if below == 0 { 0 } else { 1i64 << (below - 1) };
        let magnitude = (i64::from(self.mantissa).abs() + half) >> below << below;
        let sign = i64::from(self.mantissa.signum());
        match i32::try_from(sign * magnitude) {
            Ok(mantissa) => Some(Multiplier { mantissa, ..self }),
            // it was rounded up to 2^31
            Err(_) if self.shift < 30 => {
                let mantissa = (sign * magnitude / 2) as i32;
                Some(Multiplier { mantissa, shift: self.shift + 1 })
            }
            Err(_) => None,
        }
    }

    /// The factor it stands for.
    pub fn factor(self) -> f64 {
        f64::from(self.mantissa) * 2f64.powi(self.shift - 31)
    }

    /// It is in range, and negative only where that may be.
    pub(crate) fn check(self, place: &str, field: &str, negative: bool) -> Result<()> {
        let lowest = if negative { -i64::from(i32::MAX) } else { 0 };
        within(place, &format!("{field}.mantissa"), self.mantissa.into(), lowest, i32::MAX.into())?;
        within(place, &format!("{field}.shift"), self.shift.into(), -31, 30)
    }
}

/// A positive number as a fraction in 0.5..1 and a power of two: C's `frexp`.
fn split(number: f64) -> (f64, i32) {
    let bits = number.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    if exponent == 0 {
        // far below what a shift can say
        return (0.5, -1022);
    }
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent - 1022)
}

/// How a product with a multiplier is rounded; `docs/network.md` has the formulas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To 31 fraction bits less, then by the shift: TFLite's convolutions and element-wise layers.
    #[default]
    Twice,
    /// At once, halves up: TFLite's dense layers.
    Once,
    /// At once, halves to the even neighbor: ONNX's `QuantizeLinear`, QONNX's `ROUND`.
    HalfEven,
    /// At once, down: QONNX's `FLOOR`.
    Floor,
}

impl Rounding {
    /// All of them.
    pub const ALL: [Rounding; 4] =
        [Rounding::Twice, Rounding::Once, Rounding::HalfEven, Rounding::Floor];

    /// Whether a file need not say it.
    pub(crate) fn is_default(&self) -> bool {
        *self == Rounding::default()
    }
}

/// One multiplier for a whole tensor, or one a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Multipliers {
    /// One, or one a channel.
    pub mantissas: Numbers<i32>,
    /// As many.
    pub shifts: Numbers<i8>,
}

impl Multipliers {
    /// That of a channel.
    pub fn of(&self, channel: usize) -> Multiplier {
        let n = if self.mantissas.len() == 1 { 0 } else { channel };
        Multiplier { mantissa: self.mantissas[n], shift: i32::from(self.shifts[n]) }
    }
}

impl FromIterator<Multiplier> for Multipliers {
    fn from_iter<I: IntoIterator<Item = Multiplier>>(multipliers: I) -> Self {
        // a shift is -31..=30 by definition; the checks see one that is not
        let shift = |shift: i32| shift.clamp(i8::MIN.into(), i8::MAX.into()) as i8;
        let pairs = multipliers.into_iter().map(|m| (m.mantissa, shift(m.shift)));
        let (mantissas, shifts): (Vec<i32>, Vec<i8>) = pairs.unzip();
        Multipliers { mantissas: mantissas.into(), shifts: shifts.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_is_tflites() {
        let of = |factor| Multiplier::nearest(factor).map(|m| (m.mantissa, m.shift));
        assert_eq!(of(0.0), Some((0, 0)));
        assert_eq!(of(1.0), Some((1 << 30, 1)));
        assert_eq!(of(-0.75), Some((-(3 << 29), 0)));
        // rounds up to the next power of two
        assert_eq!(of(1.0 - 2f64.powi(-40)), Some((1 << 30, 1)));
        assert_eq!(of(2f64.powi(-32)), Some((1 << 30, -31)));
        assert_eq!(of(2f64.powi(-33)), Some((0, 0)));
        assert_eq!(of(2f64.powi(30)), None);
        assert_eq!(of(f64::MIN_POSITIVE / 8.0), Some((0, 0)));
        assert_eq!(of(f64::NAN), None);
        let near = Multiplier::nearest(0.012_345).unwrap();
        assert!((near.factor() / 0.012_345 - 1.0).abs() < 2f64.powi(-31));
    }
}
