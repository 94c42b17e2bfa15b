//! The parameters of SpAtten, and the widths that follow from them.

use crate::attention::attend::AttendSpec;
use crate::attention::attend::spec::levels;
use crate::attention::{Shape, clog2};
use crate::spec::{Parameters, Spec};
use hwgen_hdl::index_bits;

/// Bits of a key's element in either memory.
pub const NIBBLE_BITS: u32 = 4;

/// Bits of a token's importance.
pub const IMPORTANCE_BITS: u32 = 32;

/// Bits of a head's importance: enough for 2^25 rows of 256 elements.
pub const HEAD_BITS: u32 = 48;

/// SpAtten's attention, sized.
///
/// The derived numbers are methods; they assume a specification that [`Spec::validate`] accepts.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct SpattenAttentionSpec {
    /// Elements of a query, key or value.
    #[parameter(default = 64, range = 1..=256)]
    pub head_dim: u32,
    /// Keys the engine holds.
    #[parameter(default = 512, range = 1..=4096)]
    pub max_keys: u32,
    /// Weights compared at once when values are chosen.
    #[parameter(default = 16, range = 1..=64, power_of_two)]
    pub rows: u32,
    /// Multipliers for the scores, and as many for the values; no more than elements are built.
    #[parameter(default = 64, range = 1..=256, power_of_two)]
    pub lanes: u32,
    /// Bits of a weight before division.
    #[parameter(default = 8, range = 4..=16)]
    pub probability_bits: u32,
    /// Rows in the engine.
    #[parameter(default = 4, range = 2..=16, power_of_two)]
    pub window: u32,
    /// Fraction of a row's keys whose values are read, in 1/256.
    #[parameter(default = 128, range = 1..=256)]
    pub keep256: u32,
    /// Least largest probability of a row that does without the low nibbles, in 1/256.
    #[parameter(default = 26, range = 0..=256)]
    pub tau256: u32,
}

impl Spec for SpattenAttentionSpec {}

impl SpattenAttentionSpec {
    /// The exact stage of this size, whose units this engine is made of.
    pub fn exact(&self) -> AttendSpec {
        AttendSpec {
            head_dim: self.head_dim,
            max_keys: self.max_keys,
            rows: self.rows,
            lanes: self.lanes,
            probability_bits: self.probability_bits,
            window: self.window,
        }
    }

    /// Values are chosen, not all read.
    pub fn selects(&self) -> bool {
        self.keep256 < 256
    }

    /// Rows may need the low nibbles.
    pub fn progressive(&self) -> bool {
        self.tau256 > 0
    }

    /// Bits of a number of keys, 0..=`max_keys`.
    pub fn count_bits(&self) -> u32 {
        clog2(u64::from(self.max_keys) + 1)
    }

    pub(super) fn shape(&self) -> Shape {
        Shape { head_dim: self.head_dim, max_keys: self.max_keys, rows: self.rows }
    }

    /// Bits of a key's index.
    pub(super) fn key_bits(&self) -> u32 {
        index_bits(self.max_keys as usize)
    }

    /// Bits of a row's place in the engine.
    pub(super) fn slot_bits(&self) -> u32 {
        index_bits(self.window as usize)
    }

    /// Bits of the index of a group of weights.
    pub(super) fn group_bits(&self) -> u32 {
        index_bits(self.shape().max_groups() as usize)
    }

    /// Bits of the half of a key, in one of its memories.
    pub(super) fn half_bits(&self) -> u32 {
        self.head_dim * NIBBLE_BITS
    }

    /// Bits of a sum of products of a query and high nibbles, signed: no product is larger than 2^10.
    pub(super) fn partial_bits(&self) -> u32 {
        12 + levels(self.head_dim)
    }
}
