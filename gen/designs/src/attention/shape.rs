//! The size of predictors and of the exact stage, and bits of numbers.

/// How many keys of how many elements, and how many of them at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Elements of a query or key.
    pub head_dim: u32,
    /// Keys the engine holds.
    pub max_keys: u32,
    /// Keys of a group, a power of two.
    pub rows: u32,
}

impl Shape {
    /// Groups that cover `keys` keys.
    pub(crate) fn groups(self, keys: u32) -> u32 {
        keys.div_ceil(self.rows)
    }

    /// Groups that cover all the keys the engine holds.
    pub(crate) fn max_groups(self) -> u32 {
        self.groups(self.max_keys)
    }

    /// Bits of a number of keys, `0..=max_keys`.
    pub(crate) fn count_bits(self) -> u32 {
        clog2(u64::from(self.max_keys) + 1)
    }
}

/// Bits that tell `count` things apart: the smallest `b` with `2^b >= count`.
pub(crate) fn clog2(count: u64) -> u32 {
    count.max(1).next_power_of_two().trailing_zeros()
}

/// The smallest two's complement width that holds both `-bound` and `bound`.
pub(crate) fn signed_bits(bound: u128) -> u32 {
    u128::BITS - bound.leading_zeros() + 1
}
