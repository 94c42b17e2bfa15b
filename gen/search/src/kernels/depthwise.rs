//! Depthwise convolution: each channel has a kernel of its own.

use super::{LANES, Window, wide};

/// Channels of a chunk, and how a chunk of a row is read.
type Lanes = [f32; LANES];

/// The convolution of `x` (pixels x channels) and `w` (taps x channels).
pub fn forward(window: &Window, x: &[f32], w: &[f32]) -> Vec<f32> {
    let mut y = vec![0.0; window.positions() * window.channels];
    wide(|| {
        each_position(
            window,
            &mut y,
            |n, [oy, ox], first, sum| {
                for ky in 0..window.kernel[0] {
                    let Some(iy) = window.read(0, oy, ky) else { continue };
                    for kx in 0..window.kernel[1] {
                        let Some(ix) = window.read(1, ox, kx) else { continue };
                        let pixel = (n * window.input[0] + iy) * window.input[1] + ix;
                        let tap = ky * window.kernel[1] + kx;
                        multiply(
                            sum,
                            x,
                            pixel * window.channels + first,
                            w,
                            tap * window.channels + first,
                        );
                    }
                }
            },
            window.output(),
        )
    });
    y
}

/// What an input is to blame for: `g` is the gradient of the output.
pub fn backward_input(window: &Window, g: &[f32], w: &[f32]) -> Vec<f32> {
    let [height, width] = window.output();
    let mut dx = vec![0.0; window.pixels() * window.channels];
    wide(|| {
        each_position(
            window,
            &mut dx,
            |n, [iy, ix], first, sum| {
                for ky in 0..window.kernel[0] {
                    let Some(oy) = window.met(0, iy, ky) else { continue };
                    for kx in 0..window.kernel[1] {
                        let Some(ox) = window.met(1, ix, kx) else { continue };
                        let position = (n * height + oy) * width + ox;
                        let tap = ky * window.kernel[1] + kx;
                        multiply(
                            sum,
                            g,
                            position * window.channels + first,
                            w,
                            tap * window.channels + first,
                        );
                    }
                }
            },
            window.input,
        )
    });
    dx
}

/// What a kernel is to blame for.
pub fn backward_weights(window: &Window, x: &[f32], g: &[f32]) -> Vec<f32> {
    let [height, width] = window.output();
    let mut dw = vec![0.0; window.taps() * window.channels];
    wide(|| {
        for first in (0..window.channels).step_by(LANES) {
            for tap in 0..window.taps() {
                let [ky, kx] = [tap / window.kernel[1], tap % window.kernel[1]];
                let mut sum = Lanes::default();
                for n in 0..window.items {
                    for oy in 0..height {
                        let Some(iy) = window.read(0, oy, ky) else { continue };
                        for ox in 0..width {
                            let Some(ix) = window.read(1, ox, kx) else { continue };
                            let pixel = (n * window.input[0] + iy) * window.input[1] + ix;
                            let position = (n * height + oy) * width + ox;
                            let (a, b) = (
                                pixel * window.channels + first,
                                position * window.channels + first,
                            );
                            multiply_up_to(window.channels - first, &mut sum, x, a, g, b);
                        }
                    }
                }
                let lanes = LANES.min(window.channels - first);
                let at = tap * window.channels + first;
                dw[at..at + lanes].copy_from_slice(&sum[..lanes]);
            }
        }
    });
    dw
}

/// Fills an image of rows of channels, chunk by chunk.
#[inline(always)]
fn each_position(
    window: &Window,
    image: &mut [f32],
    mut sum_of: impl FnMut(usize, [usize; 2], usize, &mut Sum),
    [height, width]: [usize; 2],
) {
    let channels = window.channels;
    for n in 0..window.items {
        for y in 0..height {
            for x in 0..width {
                let row = ((n * height + y) * width + x) * channels;
                for first in (0..channels).step_by(LANES) {
                    let lanes = LANES.min(channels - first);
                    let mut sum = Sum { lanes: Lanes::default(), count: lanes };
                    sum_of(n, [y, x], first, &mut sum);
                    image[row + first..row + first + lanes].copy_from_slice(&sum.lanes[..lanes]);
                }
            }
        }
    }
}

/// A chunk's sums; of the last chunk only some count.
struct Sum {
    lanes: Lanes,
    count: usize,
}

#[inline(always)]
fn multiply(sum: &mut Sum, a: &[f32], at_a: usize, b: &[f32], at_b: usize) {
    multiply_up_to(sum.count, &mut sum.lanes, a, at_a, b, at_b);
}

/// Adds a chunk's products.
#[inline(always)]
fn multiply_up_to(count: usize, sum: &mut Lanes, a: &[f32], at_a: usize, b: &[f32], at_b: usize) {
    if count >= LANES {
        let (a, b) = (&a[at_a..at_a + LANES], &b[at_b..at_b + LANES]);
        for lane in 0..LANES {
            sum[lane] += a[lane] * b[lane];
        }
    } else {
        for lane in 0..count {
            sum[lane] += a[at_a + lane] * b[at_b + lane];
        }
    }
}
