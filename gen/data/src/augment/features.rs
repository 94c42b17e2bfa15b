//! Changes of audio's features.

use crate::{DataError, Scale, Shape};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Shift in time, masks of time and frequency (SpecAugment, Park et al. 2019), noise. All zero changes
/// nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FeatureAugment {
    /// Frames that the clip moves at most, earlier or later; its first or last frame fills the gap.
    pub time_shift: usize,
    /// Neighboring frames, at most, that become the clip's mean frame.
    pub time_mask: usize,
    /// Neighboring coefficients, at most, that become their means over the clip.
    pub frequency_mask: usize,
    /// Standard deviation of what is added to every feature, in real numbers.
    pub noise: f32,
}

impl FeatureAugment {
    pub(crate) fn check(&self) -> Result<(), DataError> {
        check_noise(self.noise)
    }

    pub(crate) fn apply(
        &self,
        shape: Shape,
        scale: Scale,
        values: &[i8],
        mut rng: ChaCha8Rng,
    ) -> Vec<i8> {
        let (frames, row) = (shape.height, shape.width * shape.channels);
        let most = self.time_shift.min(frames) as i64;
        let later = rng.random_range(-most..=most);
        let time = span(&mut rng, self.time_mask, frames);
        let frequency = span(&mut rng, self.frequency_mask, shape.width);
        let means = means(values, row);
        let mut changed = Vec::with_capacity(values.len());
        for frame in 0..frames {
            let from = (frame as i64 - later).clamp(0, frames as i64 - 1) as usize;
            let masked =
                |at: usize| time.contains(&frame) || frequency.contains(&(at / shape.channels));
            let feature = |at: usize| if masked(at) { means[at] } else { values[from * row + at] };
            changed.extend((0..row).map(feature));
        }
        add_noise(&mut changed, scale, self.noise, &mut rng);
        changed
    }
}

/// A random run of at most `most` of `of`.
fn span(rng: &mut ChaCha8Rng, most: usize, of: usize) -> std::ops::Range<usize> {
    let length = rng.random_range(0..=most.min(of));
    let first = rng.random_range(0..=of - length);
    first..first + length
}

/// The mean of each place of a row, to nearest.
fn means(values: &[i8], row: usize) -> Vec<i8> {
    let frames = (values.len() / row).max(1) as f64;
    let sum = |at: usize| values.iter().skip(at).step_by(row).map(|&q| i64::from(q)).sum::<i64>();
    (0..row).map(|at| (sum(at) as f64 / frames).round() as i8).collect()
}

/// Adds noise of this standard deviation, in real numbers.
pub(crate) fn add_noise(values: &mut [i8], scale: Scale, deviation: f32, rng: &mut ChaCha8Rng) {
    if deviation > 0.0 {
        for q in values {
            let noise: f32 = rng.sample(StandardNormal);
            *q = scale.integer(scale.real(*q) + deviation * noise);
        }
    }
}

/// Whether it may be a standard deviation.
pub(crate) fn check_noise(deviation: f32) -> Result<(), DataError> {
    match deviation.is_finite() && deviation >= 0.0 {
        true => Ok(()),
        false => Err(DataError::number("noise", deviation, "a number of 0 or more")),
    }
}
