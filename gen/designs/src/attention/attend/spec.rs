//! The parameters of the exact stage, and the widths that follow from them.

use crate::attention::Shape;
use crate::spec::{Parameters, Spec};
use hwgen_hdl::index_bits;

/// Bits of a query's, key's or value's element.
pub const ELEMENT_BITS: u32 = 8;

/// Bits of an element of the result.
pub const OUT_BITS: u32 = 16;

/// Bits of a query's scale.
pub const SCALE_BITS: u32 = 16;

/// Bits of the shift behind the scale.
pub const SHIFT_BITS: u32 = 5;

/// Bits of a logit below its point.
pub const LOGIT_FRACTION: u32 = 6;

/// Bits of a logit.
pub const LOGIT_BITS: u32 = 16;

/// Attention on surviving keys, sized.
///
/// The derived numbers are methods; they assume a specification that [`Spec::validate`] accepts.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct AttendSpec {
    /// Elements d of a query, key or value.
    #[parameter(default = 64, range = 1..=256)]
    pub head_dim: u32,
    /// Keys the engine holds.
    #[parameter(default = 512, range = 1..=4096)]
    pub max_keys: u32,
    /// Keys in a group of the survivor stream.
    #[parameter(default = 4, range = 1..=64, power_of_two)]
    pub rows: u32,
    /// Multipliers for the scores, and as many for the values; no more than elements are built.
    #[parameter(default = 64, range = 1..=256, power_of_two)]
    pub lanes: u32,
    /// Bits of a weight before division.
    #[parameter(default = 10, range = 4..=16)]
    pub probability_bits: u32,
    /// Rows between the survivor stream and the result.
    #[parameter(default = 4, range = 2..=16)]
    pub window: u32,
}

impl Spec for AttendSpec {}

/// Levels of a tree over `count` leaves.
pub(crate) fn levels(count: u32) -> u32 {
    count.next_power_of_two().trailing_zeros()
}

impl AttendSpec {
    /// The same in another shape.
    pub(crate) fn of(&self, Shape { head_dim, max_keys, rows }: Shape) -> AttendSpec {
        AttendSpec { head_dim, max_keys, rows, ..self.clone() }
    }

    /// Cycles a key takes in a unit.
    pub fn beats(&self) -> u32 {
        self.head_dim.div_ceil(self.lanes)
    }

    /// Multipliers there are: no more than elements.
    pub fn multipliers(&self) -> u32 {
        self.lanes.min(self.head_dim)
    }

    /// Levels of the adder tree over the products of a beat.
    pub(crate) fn tree_levels(&self) -> u32 {
        levels(self.multipliers())
    }

    /// Groups of the survivor stream that cover all keys.
    pub fn max_groups(&self) -> u32 {
        self.max_keys.div_ceil(self.rows)
    }

    /// Bits of a key's index.
    pub(crate) fn key_bits(&self) -> u32 {
        index_bits(self.max_keys as usize)
    }

    /// Bits of a query, key or value.
    pub(crate) fn vector_bits(&self) -> u32 {
        self.head_dim * ELEMENT_BITS
    }

    /// Bits of the sum of a row's weights, unsigned.
    pub fn sum_bits(&self) -> u32 {
        self.probability_bits + levels(self.max_keys)
    }

    /// Bits of a weighted sum of values, signed.
    pub fn total_bits(&self) -> u32 {
        self.sum_bits() + ELEMENT_BITS
    }

    /// Elements divided at once.
    pub(crate) fn dividers(&self) -> u32 {
        (self.multipliers() / 8).max(1)
    }

    /// Cycles a row's division takes.
    pub(crate) fn division_steps(&self) -> u32 {
        self.head_dim.div_ceil(self.dividers())
    }
}
