//! The weights of a softmax.

/// A softmax's table for inputs of `bits` bits: entry `d` is `2^23 * exp(-slope * d)`, rounded.
///
/// `slope` is the input's scale times beta. The exponent is rounded to single precision first, as
/// TFLite's is.
pub fn softmax_table(bits: u32, slope: f32) -> Vec<i32> {
    let weight = |d: u32| {
        let exponent = -slope * d as f32;
        (f64::from(exponent).exp() * f64::from(1 << 23)).round() as i32
    };
    (0..1 << bits).map(weight).collect()
}
