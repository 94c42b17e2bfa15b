//! Windows as rows: a convolution is their product with a matrix of weights.

use super::{Window, wide};

/// A row of taps x channels for each position; 0 beyond the image's rim.
pub fn forward(window: &Window, x: &[f32]) -> Vec<f32> {
    let channels = window.channels;
    let mut rows = vec![0.0; window.positions() * window.taps() * channels];
    wide(|| {
        each_tap(window, |row, pixel| {
            rows[row..row + channels].copy_from_slice(&x[pixel..pixel + channels]);
        });
    });
    rows
}

/// What a pixel is to blame for: the sum over all windows that it lies in.
pub fn backward(window: &Window, g: &[f32]) -> Vec<f32> {
    let channels = window.channels;
    let mut dx = vec![0.0; window.pixels() * channels];
    wide(|| {
        each_tap(window, |row, pixel| {
            let (dx, g) = (&mut dx[pixel..pixel + channels], &g[row..row + channels]);
            for (dx, g) in dx.iter_mut().zip(g) {
                *dx += g;
            }
        });
    });
    dx
}

/// Calls back with where a tap's channels begin in rows and in the image.
#[inline(always)]
fn each_tap(window: &Window, mut tap: impl FnMut(usize, usize)) {
    let [height, width] = window.output();
    let mut row = 0;
    for n in 0..window.items {
        for oy in 0..height {
            for ox in 0..width {
                for ky in 0..window.kernel[0] {
                    let iy = window.read(0, oy, ky);
                    for kx in 0..window.kernel[1] {
                        if let (Some(iy), Some(ix)) = (iy, window.read(1, ox, kx)) {
                            let pixel = (n * window.input[0] + iy) * window.input[1] + ix;
                            tap(row, pixel * window.channels);
                        }
                        row += window.channels;
                    }
                }
            }
        }
    }
}
