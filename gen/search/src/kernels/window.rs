//! Where a kernel lies on an image.

use std::ops::Range;

/// A kernel's place: centered, so that a 3x3 kernel is the inner part of a 5x5 one, and as many outputs as the
/// stride leaves of the inputs, rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Items of the batch.
    pub items: usize,
    /// Height and width that go in.
    pub input: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps between outputs.
    pub stride: [usize; 2],
    /// Channels that go in.
    pub channels: usize,
}

impl Window {
    /// Height and width that come out.
    pub fn output(&self) -> [usize; 2] {
        [self.input[0].div_ceil(self.stride[0]), self.input[1].div_ceil(self.stride[1])]
    }

    /// Rows and columns of zeros above and left of the image.
    pub fn before(&self) -> [usize; 2] {
        self.kernel.map(|size| (size - 1) / 2)
    }

    /// Rows and columns of zeros below and right of it, as far as the last output reaches.
    pub fn after(&self) -> [usize; 2] {
        let [output, before] = [self.output(), self.before()];
        [0, 1].map(|n| {
            let reach = (output[n] - 1) * self.stride[n] + self.kernel[n];
            reach.saturating_sub(self.input[n] + before[n])
        })
    }

    /// Taps of the kernel.
    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Positions of all items that come out.
    pub fn positions(&self) -> usize {
        self.items * self.output()[0] * self.output()[1]
    }

    /// Pixels of all items that go in.
    pub fn pixels(&self) -> usize {
        self.items * self.input[0] * self.input[1]
    }

    /// The pixel that a tap of an output reads, if it lies in the image: along one axis.
    #[inline(always)]
    pub(super) fn read(&self, axis: usize, output: usize, tap: usize) -> Option<usize> {
        let place = (output * self.stride[axis] + tap).checked_sub((self.kernel[axis] - 1) / 2)?;
        (place < self.input[axis]).then_some(place)
    }

    /// The taps of an output that lie in the image, along one axis.
    #[inline(always)]
    pub(super) fn within(&self, axis: usize, output: usize) -> Range<usize> {
        let (first, before) = (output * self.stride[axis], (self.kernel[axis] - 1) / 2);
        let least = before.saturating_sub(first);
        least..(self.input[axis] + before - first).min(self.kernel[axis]).max(least)
    }

    /// The output in which a pixel meets a tap, along one axis.
    #[inline(always)]
    pub(super) fn met(&self, axis: usize, pixel: usize, tap: usize) -> Option<usize> {
        let place = (pixel + (self.kernel[axis] - 1) / 2).checked_sub(tap)?;
        let output = place / self.stride[axis];
        let meets = place.is_multiple_of(self.stride[axis])
            && output < self.input[axis].div_ceil(self.stride[axis]);
        meets.then_some(output)
    }
}
