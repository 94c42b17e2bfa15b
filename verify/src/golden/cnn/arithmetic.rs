//! Requantisation as in TensorFlow Lite's reference kernels (`MultiplyByQuantizedMultiplier`).

use hwgen_designs::cnn::Scale;

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

/// A sum on its way to a result: biased, multiplied, shifted; rounded twice or once.
pub fn requantise(sum: i32, scale: &Scale, once: bool) -> i32 {
    let biased = sum.wrapping_add(scale.bias).wrapping_shl(scale.left.into());
    if once {
        let product = i128::from(biased) * i128::from(scale.multiplier);
        return ((product + (1i128 << (30 + scale.right))) >> (31 + scale.right)) as i32;
    }
    half_away(high_half(biased, scale.multiplier), scale.right)
}
