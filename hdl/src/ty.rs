//! Types of signals: a width and a sign, both known at run time.

use num_bigint::BigInt;
use num_bigint::Sign;
use num_traits::One;
use std::fmt;

/// The integers that signals carry: a value of type `u(8)` is an integer in `0..=255`, one of
/// `s(8)` an integer in `-128..=127`.
pub type Int = BigInt;

/// The widest signal, in bits. Far above any design's need; it bounds allocation.
pub const MAX_WIDTH: u32 = 1 << 16;

/// Width in bits and signedness of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Type {
    /// Number of bits.
    pub width: u32,
    /// Two's complement if true, plain binary otherwise.
    pub signed: bool,
}

/// The unsigned type of `width` bits.
pub const fn u(width: u32) -> Type {
    Type { width, signed: false }
}

/// The signed (two's complement) type of `width` bits.
pub const fn s(width: u32) -> Type {
    Type { width, signed: true }
}

impl Type {
    /// The same sign, another width.
    pub const fn with_width(self, width: u32) -> Type {
        Type { width, ..self }
    }

    /// The smallest value.
    pub fn min(self) -> Int {
        if self.signed { -(Int::one() << (self.width - 1)) } else { Int::ZERO }
    }

    /// The largest value.
    pub fn max(self) -> Int {
        (Int::one() << (self.width - u32::from(self.signed))) - 1
    }

    /// Whether `value` is one of this type's values.
    pub fn holds(self, value: &Int) -> bool {
        *value >= self.min() && *value <= self.max()
    }

    /// The value of this type that is congruent to `value` modulo `2^width`.
    pub fn wrap(self, value: Int) -> Int {
        if self.holds(&value) {
            return value;
        }
        let low: Int = value & ((Int::one() << self.width) - 1);
        if self.signed && low.bit(u64::from(self.width) - 1) {
            low - (Int::one() << self.width)
        } else {
            low
        }
    }

    /// The bit pattern of a value, as a non-negative integer below `2^width`.
    pub fn to_bits(self, value: &Int) -> Int {
        u(self.width).wrap(value.clone())
    }

    /// Number of 64-bit words a bit pattern takes.
    pub const fn words(self) -> usize {
        self.width.div_ceil(64) as usize
    }

    /// The value with a bit pattern, given as 64-bit words, the lowest first; bits above the width
    /// are not looked at.
    pub fn from_pattern(self, words: &[u64]) -> Int {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.wrap(Int::from_bytes_le(Sign::Plus, &bytes))
    }

    /// The bit pattern of a value as 64-bit words, the lowest first; words beyond the pattern are 0.
    pub fn to_pattern(self, value: &Int, words: &mut [u64]) {
        let bits = self.to_bits(value);
        let digits = bits.iter_u64_digits().chain(std::iter::repeat(0));
        words.iter_mut().zip(digits).for_each(|(word, digit)| *word = digit);
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.signed { 's' } else { 'u' }, self.width)
    }
}

/// Bits needed to tell `count` things apart, at least 1: the width of an index into `0..count`.
pub const fn index_bits(count: usize) -> u32 {
    if count <= 2 { 1 } else { usize::BITS - (count - 1).leading_zeros() }
}

/// Bits needed to write the number `max`, at least 1: the width of a counter that reaches it.
pub const fn bits_for(max: u64) -> u32 {
    if max == 0 { 1 } else { u64::BITS - max.leading_zeros() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_wrapping() {
        assert_eq!((s(8).min(), s(8).max()), ((-128).into(), 127.into()));
        assert_eq!((u(1).min(), u(1).max()), (0.into(), 1.into()));
        assert_eq!(s(8).wrap(128.into()), (-128).into());
        assert_eq!(s(8).wrap((-129).into()), 127.into());
        assert_eq!(u(4).wrap((-1).into()), 15.into());
        assert_eq!(s(1).wrap(1.into()), (-1).into());
        assert_eq!(s(4).to_bits(&(-1).into()), 15.into());
        assert_eq!(s(200).wrap(s(200).max() + 1), s(200).min());
    }

    #[test]
    fn widths_of_indices_and_counters() {
        assert_eq!([1, 2, 3, 4, 5, 256, 257].map(index_bits), [1, 1, 2, 2, 3, 8, 9]);
        assert_eq!([0, 1, 2, 255, 256].map(bits_for), [1, 1, 2, 8, 9]);
    }
}
