//! The parameters of the exact stage, and the widths that follow from them.

use crate::spec::{Parameter, Range, Spec, SpecError};
use hwgen_hdl::index_bits;
use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AttendSpec {
    /// Elements of a query, key or value.
    pub head_dim: u32,
    /// Keys the engine holds.
    pub max_keys: u32,
    /// Keys in a group of the survivor stream.
    pub rows: u32,
    /// Multipliers for the scores, and as many for the values; no more than `head_dim` are built.
    pub lanes: u32,
    /// Bits of a weight before division.
    pub probability_bits: u32,
    /// Rows between the survivor stream and the result.
    pub window: u32,
}

impl Default for AttendSpec {
    fn default() -> Self {
        let (head_dim, max_keys, rows, lanes) = (64, 512, 4, 64);
        AttendSpec { head_dim, max_keys, rows, lanes, probability_bits: 10, window: 4 }
    }
}

const fn parameter(name: &'static str, range: Range, meaning: &'static str) -> Parameter {
    Parameter { name, range, meaning }
}

const HEAD_DIM: Parameter =
    parameter("head_dim", Range::Integer(1, 256), "elements of a query, key or value");
const MAX_KEYS: Parameter = parameter("max_keys", Range::Integer(1, 4096), "keys the engine holds");
const ROWS: Parameter =
    parameter("rows", Range::PowerOfTwo(1, 64), "keys in a group of the survivor stream");
pub(crate) const LANES: Parameter = parameter(
    "lanes",
    Range::PowerOfTwo(1, 256),
    "multipliers for the scores, and as many for the values; no more than elements are built",
);
pub(crate) const PROBABILITY_BITS: Parameter =
    parameter("probability_bits", Range::Integer(4, 16), "bits of a weight before division");
pub(crate) const WINDOW: Parameter =
    parameter("window", Range::Integer(2, 16), "rows between the survivor stream and the result");

impl Spec for AttendSpec {
    const PARAMETERS: &'static [Parameter] =
        &[HEAD_DIM, MAX_KEYS, ROWS, LANES, PROBABILITY_BITS, WINDOW];

    fn validate(&self) -> Result<(), SpecError> {
        HEAD_DIM.check(self.head_dim)?;
        MAX_KEYS.check(self.max_keys)?;
        ROWS.check(self.rows)?;
        LANES.check(self.lanes)?;
        PROBABILITY_BITS.check(self.probability_bits)?;
        WINDOW.check(self.window)
    }
}

/// Levels of a tree over `count` leaves.
pub(crate) fn levels(count: u32) -> u32 {
    count.next_power_of_two().trailing_zeros()
}

impl AttendSpec {
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
