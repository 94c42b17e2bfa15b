//! Activations as the circuit has them: clipped to a range, rounded to its steps.

use super::{LANES, wide};

/// What a tensor can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels {
    /// Least integer, of a range of 0: 0 behind a ReLU.
    pub least: i32,
    /// Greatest; the range's end stands for it.
    pub greatest: i32,
}

impl Levels {
    /// Behind a ReLU: all of the bits are above 0.
    pub fn positive(bits: u32) -> Levels {
        Levels { least: 0, greatest: (1 << bits) - 1 }
    }

    /// On both sides of 0.
    pub fn both(bits: u32) -> Levels {
        Levels { least: -(1 << (bits - 1)), greatest: (1 << (bits - 1)) - 1 }
    }
}

/// A number that is larger than all that is rounded: what is added to it and taken away again is rounded to the
/// nearest, halves to even.
const ROUND: f32 = 12_582_912.0;

/// `x` in steps of `range / greatest`, within the levels.
pub fn forward(x: &[f32], range: f32, levels: Levels) -> Vec<f32> {
    let step = range / levels.greatest as f32;
    let (least, greatest) = (levels.least as f32, levels.greatest as f32);
    let inverse = 1.0 / step;
    wide(|| {
        let round = |x: &f32| (((x * inverse).clamp(least, greatest) + ROUND) - ROUND) * step;
        x.iter().map(round).collect()
    })
}

/// Gradients of x (straight through, none where it was clipped) and of the range: as LSQ has them
/// (arXiv 1902.08153), without its scale.
pub fn backward(x: &[f32], range: f32, levels: Levels, g: &[f32]) -> (Vec<f32>, f32) {
    let step = range / levels.greatest as f32;
    let (least, greatest) = (levels.least as f32, levels.greatest as f32);
    let inverse = 1.0 / step;
    let mut dx = vec![0.0; x.len()];
    let drange = wide(|| {
        let mut partial = [0.0f32; LANES];
        let chunks = dx.chunks_mut(LANES).zip(x.chunks(LANES)).zip(g.chunks(LANES));
        for ((dx, x), g) in chunks {
            for (((dx, x), g), partial) in dx.iter_mut().zip(x).zip(g).zip(&mut partial) {
                let place = x * inverse;
                let clipped = place.clamp(least, greatest);
                let rounded = (clipped + ROUND) - ROUND;
                let inside = clipped == place;
                *dx = if inside { *g } else { 0.0 };
                *partial += g * (rounded - if inside { place } else { 0.0 });
            }
        }
        partial.iter().sum::<f32>()
    });
    (dx, drange / levels.greatest as f32)
}
