//! `conv_2d`.

use super::Compute;
use super::dot::{Finish, center, dot};
use crate::graph::{Linear, Tensor, Window};

/// A convolution of any groups: the window's elements are gathered, then weighed.
pub(super) struct Conv {
    place: Place,
    groups: usize,
    weights: Vec<i16>,
    finish: Finish,
    zero_point: i32,
    centered: Vec<i16>,
    /// The window's elements: group, row, column, channel of the group.
    patch: Vec<i16>,
}

/// Where a window lies on the image.
pub(super) struct Place {
    window: Window,
    x: [usize; 3],
    z: [usize; 3],
}

impl Place {
    pub(super) fn new(window: Window, x: &Tensor, output: &Tensor) -> Place {
        Place { window, x: x.image(), z: output.image() }
    }

    /// Calls `visit` with the tap and the first element of its pixel for each tap of the window
    /// at output pixel `n` that lies on the image.
    pub(super) fn taps(&self, n: usize, mut visit: impl FnMut(usize, usize)) {
        let Window { kernel, stride, dilation, pads } = self.window;
        let (row, column) = (n / self.z[1], n % self.z[1]);
        for y in 0..kernel[0] {
            let Some(from_top) = (row * stride[0] + y * dilation[0]).checked_sub(pads.top) else {
                continue;
            };
            if from_top >= self.x[0] {
                break;
            }
            for x in 0..kernel[1] {
                let from_left = (column * stride[1] + x * dilation[1]).checked_sub(pads.left);
                if let Some(from_left) = from_left.filter(|&from_left| from_left < self.x[1]) {
                    visit(y * kernel[1] + x, (from_top * self.x[1] + from_left) * self.x[2]);
                }
            }
        }
    }
}

impl Conv {
    pub(super) fn new(
        window: Window,
        groups: usize,
        linear: &Linear,
        x: &Tensor,
        output: &Tensor,
    ) -> Conv {
        let taps = window.kernel[0] * window.kernel[1];
        Conv {
            groups,
            weights: linear.weights.iter().map(|&w| linear.read(w).into()).collect(),
            finish: Finish::new(linear, output),
            zero_point: x.zero_point,
            centered: Vec::new(),
            patch: vec![0; taps * x.image()[2]],
            place: Place::new(window, x, output),
        }
    }
}

impl Compute for Conv {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let Conv { place, groups, weights, finish, zero_point, centered, patch } = self;
        center(inputs[0], *zero_point, centered);
        let depth = place.x[2] / *groups;
        let taps = patch.len() / *groups;
        let outputs = place.z[2];
        for (n, result) in output.chunks_exact_mut(outputs).enumerate() {
            // what lies outside the image is the zero point
            patch.fill(0);
            place.taps(n, |tap, first| {
                for group in 0..*groups {
                    let to = group * taps + tap * depth;
                    let from = first + group * depth;
                    patch[to..to + depth].copy_from_slice(&centered[from..from + depth]);
                }
            });
            for (channel, result) in result.iter_mut().enumerate() {
                let group = channel * *groups / outputs;
                let x = &patch[group * taps..(group + 1) * taps];
                let w = &weights[channel * taps..(channel + 1) * taps];
                *result = finish.apply(channel, dot(x, w));
            }
        }
    }
}

/// Whether each channel has a filter of its own, and one only.
pub(super) fn is_depthwise(x: &Tensor, output: &Tensor, groups: usize) -> bool {
    x.image()[2] == groups && output.image()[2] == groups
}

/// A convolution of each channel on its own: all channels are weighed at once.
pub(super) struct Depthwise {
    place: Place,
    /// Tap, channel.
    weights: Vec<i16>,
    finish: Finish,
    zero_point: i32,
    centered: Vec<i16>,
    sums: Vec<i32>,
}

impl Depthwise {
    pub(super) fn new(window: Window, linear: &Linear, x: &Tensor, output: &Tensor) -> Depthwise {
        let (taps, channels) = (window.kernel[0] * window.kernel[1], x.image()[2]);
        let stored = |n: usize| linear.weights[n % channels * taps + n / channels];
        let weight = |n: usize| linear.read(stored(n)).into();
        Depthwise {
            place: Place::new(window, x, output),
            weights: (0..taps * channels).map(weight).collect(),
            finish: Finish::new(linear, output),
            zero_point: x.zero_point,
            centered: Vec::new(),
            sums: vec![0; channels],
        }
    }
}

impl Compute for Depthwise {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let Depthwise { place, weights, finish, zero_point, centered, sums } = self;
        center(inputs[0], *zero_point, centered);
        let channels = sums.len();
        for (n, result) in output.chunks_exact_mut(channels).enumerate() {
            sums.fill(0);
            place.taps(n, |tap, first| {
                let x = &centered[first..first + channels];
                let w = &weights[tap * channels..(tap + 1) * channels];
                for ((sum, &x), &w) in sums.iter_mut().zip(x).zip(w) {
                    *sum += i32::from(x) * i32::from(w);
                }
            });
            for (channel, (result, &sum)) in result.iter_mut().zip(sums.iter()).enumerate() {
                *result = finish.apply(channel, sum);
            }
        }
    }
}
