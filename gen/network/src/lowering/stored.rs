//! How a layer's weights lie in memory, and why lanes have one of them or two.

use super::{Lowering, bytes};
use crate::basics::Linear;
use hwgen_designs::cnn::dual::{PACKED_ACTIVATION_BITS, WEIGHT_BITS};
use hwgen_designs::cnn::lower::Stored;
use serde::{Serialize, Serializer};
use std::fmt::{Display, Formatter, Result};

/// Why lanes have one weight of a layer, not two: what the layer asks for first, then what the core has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OneWeight {
    /// Weights are the highest bits of eight.
    Shared,
    /// Weights have so many bits.
    Bits(u32),
    /// A weight is the least of four bits.
    Least,
    /// The least and the largest byte of the input, where both positions share a multiplier.
    Activations([i32; 2]),
    /// The core has no lanes of two weights.
    Core,
    /// In pairs of rows the layer would take as many cycles.
    Pairs,
}

/// The least weight of as many bits as two in a lane have.
const LEAST: i32 = -1 << (WEIGHT_BITS - 1);

/// Bytes that lanes of two weights see where both positions share a multiplier.
const PACKED: [i32; 2] = {
    let half = 1 << (PACKED_ACTIVATION_BITS - 1);
    [-half, half - 1]
};

impl Display for OneWeight {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            OneWeight::Shared => {
                write!(f, "weights are shared, bits of eight; `rounded_bits` stores {WEIGHT_BITS}")
            }
            OneWeight::Bits(bits) => write!(f, "weights of {bits} bits, two have {WEIGHT_BITS}"),
            OneWeight::Least => {
                write!(f, "a weight is {LEAST}; a policy that is `symmetric` has none")
            }
            OneWeight::Activations([least, most]) => write!(
                f,
                "its input is {least}..{most}; two weights in a `packed` lane take {}..{}, \
                 `activation_bits` of {PACKED_ACTIVATION_BITS}",
                PACKED[0], PACKED[1]
            ),
            OneWeight::Core => write!(f, "the core has no lanes of two, `dual` is false"),
            OneWeight::Pairs => write!(f, "two rows at once would take as many cycles"),
        }
    }
}

impl Serialize for OneWeight {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Whether weights have so few bits that a lane may have two.
pub(crate) fn is_narrow(linear: &Linear) -> bool {
    linear.shared.unwrap_or(linear.bits) <= WEIGHT_BITS.into()
}

impl Lowering<'_> {
    /// Two weights a lane where lanes have two and they fit.
    pub(crate) fn stored(&self, linear: &Linear) -> Stored {
        if self.one_weight(linear).is_some() {
            return self.stored_singly(linear);
        }
        let own = linear.bits as u8;
        // the least of fewer bits is not that of four; two of four fill a row
        let four = !self.spec.narrow_weights || self.least() <= -1 << (own - 1);
        let bits = if four { WEIGHT_BITS } else { own };
        Stored { bits, shared: false, hold: false, dual: true }
    }

    /// One weight a lane; a core that stores no narrow ones has them in eight bits.
    pub(crate) fn stored_singly(&self, linear: &Linear) -> Stored {
        let own = if self.spec.narrow_weights { linear.bits as u8 } else { 8 };
        let bits = linear.shared.map_or(own, |bits| bits as u8);
        Stored { bits, shared: linear.shared.is_some(), hold: false, dual: false }
    }

    /// Why lanes cannot have two of a layer's weights, if they cannot.
    pub(crate) fn one_weight(&self, linear: &Linear) -> Option<OneWeight> {
        let [least, most] = bytes(self.x);
        let seen = PACKED[0] <= least && most <= PACKED[1];
        let reasons = [
            (linear.shared.is_some(), OneWeight::Shared),
            (!is_narrow(linear), OneWeight::Bits(linear.bits)),
            (self.least() <= LEAST, OneWeight::Least),
            (self.spec.packed && !seen, OneWeight::Activations([least, most])),
            (!self.spec.dual, OneWeight::Core),
        ];
        reasons.into_iter().find_map(|(holds, reason)| holds.then_some(reason))
    }

    /// The least weight.
    fn least(&self) -> i32 {
        self.weights.iter().map(|weights| weights.least.into()).min().unwrap_or(0)
    }
}
