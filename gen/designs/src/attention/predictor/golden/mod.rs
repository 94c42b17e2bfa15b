//! What the integer models of predictors share.

pub mod leading_one;

use bitvec::slice::BitSlice;
use bitvec::vec::BitVec;
use thiserror::Error;

/// Input that does not fit the specification.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InputError {
    /// No keys or too many.
    #[error("a head has {keys} keys: must be 1..={max_keys}")]
    KeyCount {
        /// Keys given.
        keys: usize,
        /// Keys the engine holds.
        max_keys: u32,
    },
    /// A vector of another length.
    #[error("{what} has {length} elements: must be {head_dim}")]
    Length {
        /// `query`, or the key with its index.
        what: String,
        /// Elements given.
        length: usize,
        /// Elements expected.
        head_dim: u32,
    },
    /// An element that its width cannot hold.
    #[error("{what}[{index}] = {value} does not fit {bits} bits signed")]
    Element {
        /// `query`, or the key with its index.
        what: String,
        /// Position of the element.
        index: usize,
        /// The element.
        value: i32,
        /// Its width.
        bits: u32,
    },
    /// A row that sees no key, or keys the head lacks.
    #[error("a row sees {visible} keys: must be 1..={keys}")]
    Visible {
        /// Keys the row asks for.
        visible: usize,
        /// Keys the head has.
        keys: usize,
    },
    /// A radius wider than its port.
    #[error("radius {radius} does not fit {bits} bits")]
    Radius {
        /// The radius.
        radius: u64,
        /// Its width.
        bits: u32,
    },
    /// A shift wider than its port.
    #[error("shift {shift} does not fit 5 bits")]
    Shift {
        /// The shift.
        shift: u8,
    },
}

/// The `keep` live keys with the largest scores; of equal scores the earlier key wins.
pub(crate) fn largest(scores: &[i64], live: &BitSlice, keep: usize) -> BitVec {
    let mut order: Vec<usize> = live.iter_ones().collect();
    order.sort_by_key(|&j| (-scores[j], j));
    let mut survivors = BitVec::repeat(false, live.len());
    for &j in order.iter().take(keep) {
        survivors.set(j, true);
    }
    survivors
}
