//! Layers in real numbers, on one sample: what calibration looks at.

use crate::graph::Window;

/// A convolution without bias: `weights` are output, row, column, input.
pub(super) fn conv(
    x: &[f32],
    shape: [usize; 3],
    window: Window,
    weights: &[f32],
    channels: usize,
) -> Vec<f32> {
    let [rows, columns] = window.output([shape[0], shape[1]]).unwrap_or_default();
    let depth = shape[2];
    let taps = window.kernel[0] * window.kernel[1];
    let mut result = vec![0.0; rows * columns * channels];
    for (n, sums) in result.chunks_exact_mut(channels).enumerate() {
        for tap in 0..taps {
            let place = |side: usize, at: usize, step: usize, pad: usize| {
                let from = at * window.stride[side] + step;
                from.checked_sub(pad).filter(|&from| from < shape[side])
            };
            let row = place(0, n / columns, tap / window.kernel[1], window.pads.top);
            let column = place(1, n % columns, tap % window.kernel[1], window.pads.left);
            let (Some(row), Some(column)) = (row, column) else { continue };
            let from = (row * shape[1] + column) * depth;
            let x = &x[from..from + depth];
            for (channel, sum) in sums.iter_mut().enumerate() {
                let from = (channel * taps + tap) * depth;
                *sum += dot(x, &weights[from..from + depth]);
            }
        }
    }
    result
}

/// The sum of products.
pub(super) fn dot(x: &[f32], y: &[f32]) -> f32 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// Rows of the first against rows of the second.
pub(super) fn mat_mul_transposed(x: &[f32], y: &[f32], inner: usize) -> Vec<f32> {
    let rows = x.chunks_exact(inner);
    rows.flat_map(|row| y.chunks_exact(inner).map(move |column| dot(row, column))).collect()
}

/// Columns as rows.
pub(super) fn transposed(x: &[f32], columns: usize) -> Vec<f32> {
    let rows = x.len() / columns;
    (0..x.len()).map(|n| x[n % rows * columns + n / rows]).collect()
}

/// Each row's shares.
pub(super) fn softmax(x: &[f32], row: usize) -> Vec<f32> {
    let shares = |row: &[f32]| {
        let largest = row.iter().copied().fold(f32::MIN, f32::max);
        let weights: Vec<f32> = row.iter().map(|x| (x - largest).exp()).collect();
        let sum: f32 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect::<Vec<f32>>()
    };
    x.chunks_exact(row).flat_map(shares).collect()
}

/// Mean and standard deviation.
pub(super) fn statistics(x: impl Iterator<Item = f32>) -> (f32, f32) {
    let (mut count, mut sum, mut squares) = (0.0f64, 0.0, 0.0);
    for x in x.map(f64::from) {
        (count, sum, squares) = (count + 1.0, sum + x, squares + x * x);
    }
    let mean = sum / count;
    (mean as f32, (squares / count - mean * mean).max(0.0).sqrt() as f32)
}
