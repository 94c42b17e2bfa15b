//! Batch normalization of rows of channels.

use super::wide;

/// Added to a variance.
pub const EPSILON: f32 = 1e-5;

/// A channel's mean and variance over all rows.
pub fn statistics(x: &[f32], channels: usize) -> (Vec<f32>, Vec<f32>) {
    wide(|| {
        let share = channels as f32 / x.len() as f32;
        let mean = sums(x, channels, |x, _| x, share);
        let variance = sums(x, channels, |x, c| (x - mean[c]) * (x - mean[c]), share);
        (mean, variance)
    })
}

/// Rows that are summed by themselves: half a million in one sum would lose the digits of each.
const BLOCK: usize = 512;

/// `gamma (x - mean) / deviation + beta`.
pub fn forward(x: &[f32], gamma: &[f32], beta: &[f32], mean: &[f32], variance: &[f32]) -> Vec<f32> {
    let channels = gamma.len();
    wide(|| {
        let scale: Vec<f32> = (0..channels).map(|c| gamma[c] * inverse(variance[c])).collect();
        let shift: Vec<f32> = (0..channels).map(|c| beta[c] - mean[c] * scale[c]).collect();
        let mut y = x.to_vec();
        for row in y.chunks_exact_mut(channels) {
            for ((y, scale), shift) in row.iter_mut().zip(&scale).zip(&shift) {
                *y = *y * scale + shift;
            }
        }
        y
    })
}

/// Gradients of x, gamma and beta, where mean and variance are those of x.
pub fn backward(
    x: &[f32],
    gamma: &[f32],
    mean: &[f32],
    variance: &[f32],
    g: &[f32],
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let channels = gamma.len();
    let share = channels as f32 / x.len() as f32;
    wide(|| {
        let inverse: Vec<f32> = variance.iter().map(|&variance| inverse(variance)).collect();
        let (mut dgamma, mut dbeta) = (vec![0.0; channels], vec![0.0; channels]);
        for (x, g) in x.chunks_exact(channels).zip(g.chunks_exact(channels)) {
            for c in 0..channels {
                dbeta[c] += g[c];
                dgamma[c] += g[c] * ((x[c] - mean[c]) * inverse[c]);
            }
        }
        // dx = scale (g - mean of g - normal * mean of g normal)
        let scale: Vec<f32> = (0..channels).map(|c| gamma[c] * inverse[c]).collect();
        let slope: Vec<f32> = (0..channels).map(|c| dgamma[c] * share * inverse[c]).collect();
        let level: Vec<f32> =
            (0..channels).map(|c| dbeta[c] * share - mean[c] * slope[c]).collect();
        let mut dx = g.to_vec();
        for (dx, x) in dx.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            for c in 0..channels {
                dx[c] = scale[c] * (dx[c] - level[c] - slope[c] * x[c]);
            }
        }
        (dx, dgamma, dbeta)
    })
}

fn inverse(variance: f32) -> f32 {
    1.0 / (variance + EPSILON).sqrt()
}

/// A sum a channel, each row's part made by `part`, times `share`.
#[inline(always)]
fn sums(x: &[f32], channels: usize, part: impl Fn(f32, usize) -> f32, share: f32) -> Vec<f32> {
    let mut sums = vec![0.0; channels];
    for block in x.chunks(BLOCK * channels) {
        let mut some = vec![0.0; channels];
        for row in block.chunks_exact(channels) {
            for c in 0..channels {
                some[c] += part(row[c], c);
            }
        }
        for c in 0..channels {
            sums[c] += some[c];
        }
    }
    sums.iter().map(|sum| sum * share).collect()
}
