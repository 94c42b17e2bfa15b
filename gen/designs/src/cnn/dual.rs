//! Two weights a lane: dense layers make two chunks of results at once, depthwise ones two rows of their
//! output, whose windows overlap.

use super::CnnSpec;
use super::lower::{Layer, Place};

/// Bits of a weight of which a lane has two.
pub const WEIGHT_BITS: u8 = 4;

/// Bits of activations that lanes with two weights see, where both positions share a multiplier.
pub const PACKED_ACTIVATION_BITS: u32 = 7;

/// Rows of a depthwise layer's output that are made two at a time, or columns if there is but one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pairs {
    /// 0: rows, 1: columns.
    pub(super) axis: usize,
    /// Elements of the window from the first output's to the second's.
    pub(super) apart: u32,
    /// Rows or columns of the output.
    pub(super) length: u32,
}

impl Pairs {
    /// The pairs in which a depthwise layer's output takes fewer steps, if any.
    pub(super) fn of(layer: &Layer) -> Option<Pairs> {
        let Layer { output, window, .. } = layer;
        let axis = usize::from(output.height == 1);
        let length = [output.height, output.width][axis];
        let (stride, dilation) = (window.stride[axis], window.dilation[axis]);
        // a window may see one element several times
        let apart = stride.checked_div(dilation)?;
        let overlap = stride.is_multiple_of(dilation) && apart < window.kernel[axis];
        (overlap && length >= 2).then_some(Pairs { axis, apart, length })
    }

    /// The first of each run of pairs, and how many: where the length is odd, the last but one is made
    /// again.
    pub(super) fn runs(&self) -> impl Iterator<Item = (u32, u32)> {
        let odd = (self.length % 2 == 1).then(|| (self.length - 2, 1));
        [(0, self.length / 2)].into_iter().chain(odd)
    }

    /// Elements of a window that sees both.
    pub(super) fn kernel(&self, mut kernel: [u32; 2]) -> [u32; 2] {
        kernel[self.axis] += self.apart;
        kernel
    }

    /// The element of the own window of the first (0) or second (1) output.
    pub(super) fn element(&self, which: u32, at: [u32; 2], kernel: [u32; 2]) -> Option<[u32; 2]> {
        let mut own = at;
        own[self.axis] = at[self.axis].checked_sub(which * self.apart)?;
        (own[self.axis] < kernel[self.axis]).then_some(own)
    }

    /// Bytes from the first output to the second.
    pub(super) fn second(&self, output: &Place) -> u32 {
        if self.axis == 0 { output.width * output.pitch } else { output.pitch }
    }
}

impl Layer {
    /// Whether a depthwise layer can make its output in pairs.
    pub fn has_pairs(&self) -> bool {
        Pairs::of(self).is_some()
    }
}

impl CnnSpec {
    /// Whether a depthwise layer of narrow weights takes fewer cycles with two of them a lane.
    pub fn pairs_rows(&self, layer: &Layer) -> bool {
        let dual = |dual: bool| {
            let stored = super::lower::Stored { dual, ..layer.stored };
            self.layer_cycles(&Layer { stored, ..*layer }, 0)
        };
        self.dual && layer.depthwise && layer.has_pairs() && dual(true) < dual(false)
    }
}

/// The lowest bits of two weights, one of the first after one of the second.
pub(super) fn interleaved(weights: [i8; 2], bits: u8) -> i8 {
    // bit n to place 2 n
    let apart = |weight: i8| {
        let weight = weight as u8 & ((1 << bits) - 1);
        (weight & 1) | (weight & 2) << 1 | (weight & 4) << 2 | (weight & 8) << 3
    };
    (apart(weights[0]) << 1 | apart(weights[1])) as i8
}
