//! Changes of images.

use crate::{Scale, Shape};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Shift, flip, cutout. All zero changes nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImageAugment {
    /// Pixels that the image moves at most, each way: padding with black and a random crop.
    pub shift: usize,
    /// Whether every second image, by chance, is mirrored left to right.
    pub flip: bool,
    /// The side of a square, centered on any pixel, that becomes gray (DeVries and Taylor 2017).
    pub cutout: usize,
}

impl ImageAugment {
    pub(crate) fn apply(
        &self,
        shape: Shape,
        scale: Scale,
        values: &[i8],
        mut rng: ChaCha8Rng,
    ) -> Vec<i8> {
        let Shape { height, width, channels } = shape;
        // all numbers are drawn, whatever is asked for: one change does not move another
        let most = self.shift.min(height.max(width)) as i64;
        let (down, right) = (rng.random_range(-most..=most), rng.random_range(-most..=most));
        let mirrored = rng.random::<bool>() && self.flip;
        let (row, column) = (rng.random_range(0..height), rng.random_range(0..width));
        let half = self.cutout / 2;
        let cut = |y: usize, x: usize| {
            let inside = |at: usize, center: usize| {
                (at + half >= center) && (at + half - center < self.cutout)
            };
            inside(y, row) && inside(x, column)
        };
        let (black, gray) = (scale.integer(0.0), scale.integer(0.5));
        let mut changed = Vec::with_capacity(values.len());
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let across = if mirrored { width - 1 - x } else { x };
            let from = (y as i64 - down, across as i64 - right);
            let inside =
                (0..height as i64).contains(&from.0) && (0..width as i64).contains(&from.1);
            for channel in 0..channels {
                changed.push(match (cut(y, x), inside) {
                    (true, _) => gray,
                    (_, false) => black,
                    _ => values[(from.0 as usize * width + from.1 as usize) * channels + channel],
                });
            }
        }
        changed
    }
}
