//! Requantization: TensorFlow Lite's (`MultiplyByQuantizedMultiplier`), and roundings of our own
//! definition (`docs/cnn.md`).

use crate::cnn::{Rounding, Scale};
use std::cmp::Ordering;

/// `value * multiplier / 2^31`, rounded to the nearest, halves up
/// (`SaturatingRoundingDoublingHighMul`; a multiplier is not negative, so nothing saturates).
pub fn high_half(value: i32, multiplier: u32) -> i32 {
    ((i64::from(value) * i64::from(multiplier) + (1 << 30)) >> 31) as i32
}

/// `value / 2^places`, rounded to the nearest, halves away from 0 (`RoundingDivideByPOT`).
pub fn half_away(value: i32, places: u8) -> i32 {
    let half = if places == 0 { 0 } else { 1i64 << (places - 1) };
    let magnitude = (i64::from(value).abs() + half) >> places;
    (i64::from(value).signum() * magnitude) as i32
}

/// `value * multiplier / 2^(31 + right)`, rounded as a job says.
pub fn rescale(value: i32, multiplier: u32, right: u8, rounding: Rounding) -> i32 {
    let product = i128::from(value) * i128::from(multiplier);
    // what the multiplier's own rounding adds lies below
    let fine = (product + (1 << 15)).div_euclid(1 << 16);
    let unit = 1i128 << (15 + right);
    let floor = fine.div_euclid(unit);
    let rounded = match rounding {
        Rounding::Twice => return half_away(high_half(value, multiplier), right),
        Rounding::Once => (product + (1i128 << (30 + right))).div_euclid(1i128 << (31 + right)),
        Rounding::Floor => floor,
        Rounding::HalfEven => match (2 * fine.rem_euclid(unit)).cmp(&unit) {
            Ordering::Less => floor,
            Ordering::Equal => floor + floor.rem_euclid(2),
            Ordering::Greater => floor + 1,
        },
    };
    rounded as i32
}

/// A sum on its way to a result: biased, multiplied, shifted, rounded.
pub fn requantize(sum: i32, scale: &Scale, rounding: Rounding) -> i32 {
    let biased = sum.wrapping_add(scale.bias).wrapping_shl(scale.left.into());
    rescale(biased, scale.multiplier, scale.right, rounding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        let quarter = |rounding| {
            [-6, -5, -2, -1, 1, 2, 3, 5, 6].map(|value| rescale(value, 1 << 30, 1, rounding))
        };
        // quarters: -1.5, -1.25, -0.5, -0.25, 0.25, 0.5, 0.75, 1.25, 1.5
        assert_eq!(quarter(Rounding::Twice), [-2, -1, -1, 0, 1, 1, 1, 2, 2]);
        assert_eq!(quarter(Rounding::Once), [-1, -1, 0, 0, 0, 1, 1, 1, 2]);
        assert_eq!(quarter(Rounding::HalfEven), [-2, -1, 0, 0, 0, 0, 1, 1, 2]);
        assert_eq!(quarter(Rounding::Floor), [-2, -2, -1, -1, 0, 0, 0, 1, 1]);
    }

    #[test]
    fn bytes_of_sums_are_exact() {
        let mut sum = 1i32;
        for _ in 0..10_000 {
            sum = sum.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            for sum in [sum, sum >> 7, sum >> 20, i32::MIN, i32::MAX, -1, 0] {
                let byte = |n: u8| requantize(sum, &Scale::byte(n, 0), Rounding::Floor) as u8;
                assert_eq!([0, 1, 2, 3].map(byte), sum.to_le_bytes());
            }
        }
    }

    #[test]
    fn ties_of_a_third_are_ties() {
        // 2/3, rounded to 31 bits: 3/2 of it is 1, 3/4 of it one half
        let two_thirds = 1_431_655_765;
        let of = |value, right| rescale(value, two_thirds, right, Rounding::HalfEven);
        assert_eq!([3, 9, 15, -3, -9].map(|value| of(value, 2)), [0, 2, 2, 0, -2]);
        assert_eq!(
            [3, 6, -3].map(|value| rescale(value, two_thirds, 1, Rounding::Floor)),
            [1, 2, -1]
        );
    }
}
