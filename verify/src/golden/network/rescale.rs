//! Rescaling: TFLite's `MultiplyByQuantizedMultiplier` with its two roundings.

use hwgen_network::graph::Multiplier;

/// `x * mantissa * 2^(shift - 31)`, rounded twice: the doubled product's upper 32 bits are rounded
/// to nearest, halves up; then what is shifted right is rounded to nearest, halves away from 0.
/// A left shift comes first and saturates at 32 bits.
pub fn rescale(x: i32, multiplier: Multiplier) -> i32 {
    let left = multiplier.shift.max(0);
    let x = saturate(i64::from(x) << left);
    halve(high(x, multiplier.mantissa), (-multiplier.shift).max(0))
}

/// `x * mantissa * 2^(shift - 31)`, rounded to nearest at once, halves up.
pub fn rescale_once(x: i32, multiplier: Multiplier) -> i32 {
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

/// `sum / count`, rounded to nearest, halves away from 0.
pub(super) fn mean(sum: i32, count: i32) -> i32 {
    if sum > 0 { (sum + count / 2) / count } else { (sum - count / 2) / count }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        let quarter = Multiplier { mantissa: 1 << 30, shift: -1 };
        let half = Multiplier { mantissa: 1 << 30, shift: 0 };
        // one rounding up: -1.5 becomes -1, 1.5 becomes 2
        assert_eq!([-3, -1, 1, 3].map(|x| rescale(x, half)), [-1, 0, 1, 2]);
        // two roundings: 1.25 becomes 2 (5 to 3, 3 to 2)
        assert_eq!([-6, -5, 5, 6].map(|x| rescale(x, quarter)), [-2, -1, 2, 2]);
    }

    #[test]
    fn extremes() {
        let most = Multiplier { mantissa: i32::MAX, shift: 30 };
        assert_eq!([i32::MIN, i32::MAX].map(|x| rescale(x, most)), [-i32::MAX, i32::MAX - 1]);
        let least = Multiplier { mantissa: 1 << 30, shift: -31 };
        assert_eq!([i32::MIN, -1, 0, i32::MAX].map(|x| rescale(x, least)), [-1, 0, 0, 1]);
        assert_eq!([5, -5, 4].map(|sum| mean(sum, 2)), [3, -3, 2]);
    }
}
