//! Rescaling: TFLite's `MultiplyByQuantizedMultiplier` with its two roundings, and the roundings
//! that other files state.

use super::{Multiplier, Rounding};

/// `x * mantissa * 2^(shift - 31)`, rounded as `docs/network.md` tells.
pub fn rescale(x: i32, multiplier: Multiplier, rounding: Rounding) -> i32 {
    match rounding {
        Rounding::Twice => rescale_twice(x, multiplier),
        Rounding::Once => rescale_once(x, multiplier),
        Rounding::HalfEven | Rounding::Floor => rescale_fine(x, multiplier, rounding),
    }
}

/// Rounded twice: the doubled product's upper 32 bits are rounded to nearest, halves up; then what
/// is shifted right is rounded to nearest, halves away from 0. A left shift comes first and
/// saturates at 32 bits.
fn rescale_twice(x: i32, multiplier: Multiplier) -> i32 {
    let x = raised(x, multiplier);
    halve(high(x, multiplier.mantissa), (-multiplier.shift).max(0))
}

/// What is shifted left, saturated at 32 bits.
fn raised(x: i32, multiplier: Multiplier) -> i32 {
    saturate(i64::from(x) << multiplier.shift.max(0))
}

/// Rounded once, to even or down. The product is first brought to the nearest multiple of 2^16:
/// what the mantissa's own rounding adds is less, so that a half of a third is a half.
fn rescale_fine(x: i32, multiplier: Multiplier, rounding: Rounding) -> i32 {
    let product = i64::from(raised(x, multiplier)) * i64::from(multiplier.mantissa);
    let steps = (product + (1 << 15)) >> 16;
    let places = 15 + (-multiplier.shift).max(0);
    let floor = steps >> places;
    let twice_rest = (steps - (floor << places)) << 1;
    let up = match rounding {
        Rounding::Floor => false,
        _ if twice_rest == 1 << places => floor & 1 == 1,
        _ => twice_rest > 1 << places,
    };
    saturate(floor + i64::from(up))
}

/// Rounded to nearest at once, halves up.
fn rescale_once(x: i32, multiplier: Multiplier) -> i32 {
    let product = i64::from(x) * i64::from(multiplier.mantissa);
    let right = 31 - multiplier.shift;
    let rounded = (product + (1i64 << right >> 1)) >> right;
    saturate(rounded)
}

/// `x * mantissa / 2^31`, rounded to nearest, halves up; only -2^31 squared saturates.
fn high(x: i32, mantissa: i32) -> i32 {
    let product = i64::from(x) * i64::from(mantissa);
    // truncating division after adding half with the product's sign, less one below 0:
    // halves go up on either side
    let nudge = if product >= 0 { 1 << 30 } else { 1 - (1 << 30) };
    saturate((product + nudge) / (1 << 31))
}

/// `x / 2^shift`, rounded to nearest, halves away from 0.
fn halve(x: i32, shift: i32) -> i32 {
    let mask = (1i64 << shift) - 1;
    let rest = i64::from(x) & mask;
    let half = (mask >> 1) + i64::from(x < 0);
    (x >> shift.min(31)) + i32::from(rest > half)
}

fn saturate(x: i64) -> i32 {
    x.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

/// `sum / count`, rounded; `Twice` is to nearest, halves away from 0.
pub(crate) fn mean(sum: i32, count: i32, rounding: Rounding) -> i32 {
    let floor = sum.div_euclid(count);
    let rest = 2 * sum.rem_euclid(count) - count;
    let up = match rounding {
        Rounding::Floor => false,
        _ if rest != 0 => rest > 0,
        Rounding::Twice => sum > 0,
        Rounding::Once => true,
        Rounding::HalfEven => floor & 1 == 1,
    };
    floor + i32::from(up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        let quarter = Multiplier { mantissa: 1 << 30, shift: -1 };
        let half = Multiplier { mantissa: 1 << 30, shift: 0 };
        // one rounding up: -1.5 becomes -1, 1.5 becomes 2
        assert_eq!([-3, -1, 1, 3].map(|x| rescale_twice(x, half)), [-1, 0, 1, 2]);
        // two roundings: 1.25 becomes 2 (5 to 3, 3 to 2)
        assert_eq!([-6, -5, 5, 6].map(|x| rescale_twice(x, quarter)), [-2, -1, 2, 2]);
    }

    #[test]
    fn extremes() {
        let most = Multiplier { mantissa: i32::MAX, shift: 30 };
        assert_eq!([i32::MIN, i32::MAX].map(|x| rescale_twice(x, most)), [-i32::MAX, i32::MAX - 1]);
        let least = Multiplier { mantissa: 1 << 30, shift: -31 };
        assert_eq!([i32::MIN, -1, 0, i32::MAX].map(|x| rescale_twice(x, least)), [-1, 0, 0, 1]);
    }

    #[test]
    fn means() {
        let of = |rounding| [-5, -4, -3, -1, 1, 3, 4, 5].map(|sum| mean(sum, 2, rounding));
        assert_eq!(of(Rounding::Twice), [-3, -2, -2, -1, 1, 2, 2, 3]);
        assert_eq!(of(Rounding::Once), [-2, -2, -1, 0, 1, 2, 2, 3]);
        assert_eq!(of(Rounding::HalfEven), [-2, -2, -2, 0, 0, 2, 2, 2]);
        assert_eq!(of(Rounding::Floor), [-3, -2, -2, -1, 0, 1, 2, 2]);
    }

    /// Every factor beside the exact number, a fraction of integers.
    #[test]
    fn roundings_of_fractions() {
        for (p, q) in
            [(1, 2), (1, 4), (3, 8), (1, 3), (1, 6), (5, 12), (1, 98), (3, 1), (1, 1), (-3, 4)]
        {
            let multiplier = Multiplier::nearest(f64::from(p) / f64::from(q)).unwrap();
            for x in -3000i32..=3000 {
                let (floor, rest) = ((p * x).div_euclid(q), (p * x).rem_euclid(q));
                let even = floor + i32::from(2 * rest > q || 2 * rest == q && floor & 1 == 1);
                assert_eq!(rescale(x, multiplier, Rounding::HalfEven), even, "{x} * {p} / {q}");
                assert_eq!(rescale(x, multiplier, Rounding::Floor), floor, "{x} * {p} / {q}");
            }
        }
    }

    #[test]
    fn extremes_of_single_roundings() {
        let most = Multiplier { mantissa: i32::MAX, shift: 30 };
        let least = Multiplier { mantissa: 1 << 30, shift: -31 };
        for (rounding, down) in [(Rounding::HalfEven, 0), (Rounding::Floor, -1)] {
            let of = |m| [i32::MIN, -1, 0, i32::MAX].map(|x| rescale(x, m, rounding));
            assert_eq!(of(most), [-i32::MAX, -(1 << 30), 0, i32::MAX - 1]);
            assert_eq!(of(least), [down, down, 0, 0]);
        }
    }
}
