//! Linear layers around attention, in integers, from the definition in `docs/linear.md`.
//!
//! [`log`] predicts keys with weights in leading-one code, [`exact`] computes layers at eight or four
//! bits, [`feed_forward`] two of them, [`importance`] counts how many rows keep each token.

pub mod exact;
pub mod feed_forward;
pub mod importance;
pub mod log;

/// `x / 2^shift`, halves up.
fn round_shift(x: i64, shift: u32) -> i64 {
    match shift {
        0 => x,
        _ => (x + (1 << (shift - 1))) >> shift,
    }
}

/// The nearest of -128..=127.
fn int8(x: i64) -> i32 {
    x.clamp(-128, 127) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_up() {
        let halves = [3, 2, 1, -1, -2, -3, -6].map(|x| round_shift(x, 2));
        assert_eq!(halves, [1, 1, 0, 0, 0, -1, -1]);
        assert_eq!(round_shift(-3, 0), -3);
        assert_eq!([200, -200, 5].map(int8), [127, -128, 5]);
    }
}
