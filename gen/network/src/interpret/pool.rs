//! `average_pool_2d` and `max_pool_2d`.

use super::Compute;
use super::conv::Place;
use super::rescale::mean;
use crate::graph::{Clamp, Rounding, Tensor, Window};

/// The windows of a pooling layer.
pub(super) struct Windows {
    place: Place,
    channels: usize,
}

impl Windows {
    pub(super) fn new(window: Window, x: &Tensor, output: &Tensor) -> Windows {
        Windows { place: Place::new(window, x, output), channels: x.image()[2] }
    }

    /// Hands every result the elements of its window that lie on the image.
    fn reduce(
        &self,
        x: &[i16],
        output: &mut [i16],
        reduce: impl Fn(&mut dyn Iterator<Item = i32>) -> i32,
    ) {
        let mut pixels = Vec::new();
        for (n, results) in output.chunks_exact_mut(self.channels).enumerate() {
            pixels.clear();
            self.place.taps(n, |_, first| pixels.push(first));
            for (channel, result) in results.iter_mut().enumerate() {
                *result = reduce(&mut pixels.iter().map(|first| x[first + channel].into())) as i16;
            }
        }
    }
}

/// The mean of what lies on the image.
pub(super) struct Average {
    pub(super) windows: Windows,
    pub(super) rounding: Rounding,
    /// What is subtracted from each element, and added to the mean.
    pub(super) zero_point: i32,
    pub(super) clamp: Clamp,
}

impl Average {
    pub(super) fn new(windows: Windows, rounding: Rounding, clamp: Clamp, x: &Tensor) -> Average {
        // TFLite's mean is that of the integers
        let zero_point = if rounding == Rounding::Twice { 0 } else { x.zero_point };
        Average { windows, rounding, zero_point, clamp }
    }
}

impl Compute for Average {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let Average { windows, rounding, zero_point, clamp } = self;
        windows.reduce(inputs[0], output, |elements| {
            let add = |(sum, count), x| (sum + x - *zero_point, count + 1);
            let (sum, count) = elements.fold((0, 0), add);
            clamp.apply(mean(sum, count, *rounding) + *zero_point)
        });
    }
}

/// The largest of what lies on the image.
pub(super) struct Max(pub(super) Windows, pub(super) Clamp);

impl Compute for Max {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let Max(windows, clamp) = self;
        windows
            .reduce(inputs[0], output, |elements| clamp.apply(elements.max().unwrap_or(clamp.min)));
    }
}
