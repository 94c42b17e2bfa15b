//! Windows as rows: a convolution is their product with a matrix of weights.

use super::{Window, wide};

/// A row of taps x channels for each position; 0 beyond the image's rim.
pub fn forward(window: &Window, x: &[f32]) -> Vec<f32> {
    let all = window.positions() * window.taps() * window.channels;
    let mut rows = Vec::with_capacity(all);
    wide(|| {
        each_run(window, |run| {
            rows.resize(run.row, 0.0);
            rows.extend_from_slice(&x[run.pixel..run.pixel + run.count]);
        });
        rows.resize(all, 0.0);
    });
    rows
}

/// What a pixel is to blame for: the sum over all windows that it lies in.
pub fn backward(window: &Window, g: &[f32]) -> Vec<f32> {
    let mut dx = vec![0.0; window.pixels() * window.channels];
    wide(|| {
        each_run(window, |Run { row, pixel, count }| {
            for (dx, g) in dx[pixel..pixel + count].iter_mut().zip(&g[row..row + count]) {
                *dx += g;
            }
        });
    });
    dx
}

/// Taps of a kernel's row that lie in the image, one behind the other in rows as in the image.
struct Run {
    /// Where they begin in the rows.
    row: usize,
    /// Where they begin in the image.
    pixel: usize,
    /// How many numbers they have.
    count: usize,
}

/// Calls back with each run, in the rows' order.
#[inline(always)]
fn each_run(window: &Window, mut call: impl FnMut(Run)) {
    let ([height, width], channels) = (window.output(), window.channels);
    let line = window.kernel[1] * channels;
    let mut row = 0;
    for n in 0..window.items {
        for oy in 0..height {
            for ox in 0..width {
                let taps = window.within(1, ox);
                for ky in 0..window.kernel[0] {
                    let column = window.read(1, ox, taps.start);
                    if let (Some(iy), Some(ix)) = (window.read(0, oy, ky), column) {
                        let pixel = (n * window.input[0] + iy) * window.input[1] + ix;
                        let count = taps.len() * channels;
                        let (row, pixel) = (row + taps.start * channels, pixel * channels);
                        call(Run { row, pixel, count });
                    }
                    row += line;
                }
            }
        }
    }
}
