//! The parameters of SpAtten, and the widths that follow from them.

use crate::attend::AttendSpec;
use crate::attend::spec::{LANES, PROBABILITY_BITS, levels};
use crate::predictor::{Shape, clog2};
use crate::spec::{Parameter, Range, Spec, SpecError};
use hwgen_hdl::index_bits;
use serde::{Deserialize, Serialize};

/// Bits of a key's element in either memory.
pub const NIBBLE_BITS: u32 = 4;

/// Bits of a token's importance.
pub const IMPORTANCE_BITS: u32 = 32;

/// Bits of a head's importance: enough for 2^25 rows of 256 elements.
pub const HEAD_BITS: u32 = 48;

/// SpAtten's attention, sized.
///
/// The derived numbers are methods; they assume a specification that [`Spec::validate`] accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpattenSpec {
    /// Elements of a query, key or value.
    pub head_dim: u32,
    /// Keys the engine holds.
    pub max_keys: u32,
    /// Weights compared at once when values are chosen.
    pub rows: u32,
    /// Multipliers for the scores, and as many for the values; no more than `head_dim` are built.
    pub lanes: u32,
    /// Bits of a weight before division.
    pub probability_bits: u32,
    /// Rows in the engine.
    pub window: u32,
    /// Fraction of a row's keys whose values are read, in 1/256.
    pub keep256: u32,
    /// Least largest probability of a row that does without the low nibbles, in 1/256.
    pub tau256: u32,
}

impl Default for SpattenSpec {
    fn default() -> Self {
        let AttendSpec { head_dim, max_keys, lanes, .. } = AttendSpec::default();
        SpattenSpec {
            head_dim,
            max_keys,
            rows: 16,
            lanes,
            probability_bits: 8,
            window: 4,
            keep256: 128,
            tau256: 26,
        }
    }
}

const fn parameter(name: &'static str, range: Range, meaning: &'static str) -> Parameter {
    Parameter { name, range, meaning }
}

const HEAD_DIM: Parameter =
    parameter("head_dim", Range::Integer(1, 256), "elements of a query, key or value");
pub(super) const MAX_KEYS: Parameter =
    parameter("max_keys", Range::Integer(1, 4096), "keys the engine holds");
const ROWS: Parameter =
    parameter("rows", Range::PowerOfTwo(1, 64), "weights compared at once when values are chosen");
const WINDOW: Parameter = parameter("window", Range::PowerOfTwo(2, 16), "rows in the engine");
const KEEP256: Parameter = parameter(
    "keep256",
    Range::Integer(1, 256),
    "fraction of a row's keys whose values are read, in 1/256",
);
const TAU256: Parameter = parameter(
    "tau256",
    Range::Integer(0, 256),
    "least largest probability of a row that does without the low nibbles, in 1/256",
);

impl Spec for SpattenSpec {
    const PARAMETERS: &'static [Parameter] =
        &[HEAD_DIM, MAX_KEYS, ROWS, LANES, PROBABILITY_BITS, WINDOW, KEEP256, TAU256];

    fn validate(&self) -> Result<(), SpecError> {
        HEAD_DIM.check(self.head_dim)?;
        MAX_KEYS.check(self.max_keys)?;
        ROWS.check(self.rows)?;
        LANES.check(self.lanes)?;
        PROBABILITY_BITS.check(self.probability_bits)?;
        WINDOW.check(self.window)?;
        KEEP256.check(self.keep256)?;
        TAU256.check(self.tau256)
    }
}

impl SpattenSpec {
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
