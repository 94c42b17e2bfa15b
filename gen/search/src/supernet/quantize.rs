//! Weights of few bits, made of weights of many.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How weights of few bits come of those of eight. All are symmetric: no weight is the least of its bits, which
/// lanes of two weights ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// Each width has steps of its own; large weights are clipped where that loses less.
    #[default]
    Free,
    /// The residual form (arXiv 2005.07093): steps are `2 largest / (2^bits - 1)`, so that those of 8, 4 and 2 bits
    /// divide each other: `w8 = 17 w4 + r8`, `w4 = 5 w2 + r4`, residuals no larger than 8 and 2. Other widths have
    /// such steps, but do not nest.
    Residual,
    /// The highest bits of eight, half a step below them: what `shared_bits` of a policy stores and the lane reads.
    TopBits,
    /// The highest bits of eight, the next one added, saturated: `rounded_bits` of a policy (arXiv 2502.01199).
    DoubleRounding,
}

impl Sharing {
    /// All of them.
    pub const ALL: [Sharing; 4] =
        [Sharing::Free, Sharing::Residual, Sharing::TopBits, Sharing::DoubleRounding];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Sharing::Free => "free",
            Sharing::Residual => "residual",
            Sharing::TopBits => "top_bits",
            Sharing::DoubleRounding => "double_rounding",
        }
    }
}

/// The largest integer of so many bits that has a negative.
pub fn most(bits: u32) -> i32 {
    (1 << (bits - 1)) - 1
}

/// Integers of a row's weights and what a step of them stands for. `largest` is the largest weight without its sign.
pub fn quantize(sharing: Sharing, bits: u32, largest: f32, weight: f32) -> (f32, f32) {
    let whole = largest.max(1e-8) / most(8) as f32;
    match sharing {
        Sharing::Free => {
            let step = largest.max(1e-8) * kept(bits) / most(bits) as f32;
            (rounded(weight / step, bits), step)
        }
        Sharing::Residual => {
            let step = |bits: u32| largest.max(1e-8) / (most(bits) as f32 + 0.5);
            (residual(bits, |bits| rounded(weight / step(bits), bits)), step(bits))
        }
        // half a step lies below what is read, so integers are halves
        Sharing::TopBits if bits < 8 => {
            let parts = (1 << (8 - bits)) as f32;
            ((rounded(weight / whole, 8) / parts).floor() + 0.5, whole * parts)
        }
        Sharing::DoubleRounding if bits < 8 => {
            let parts = (1 << (8 - bits)) as f32;
            let most = most(bits) as f32;
            let nearest = (rounded(weight / whole, 8) / parts + 0.5).floor();
            (nearest.clamp(-most, most), whole * parts)
        }
        Sharing::TopBits | Sharing::DoubleRounding => (rounded(weight / whole, 8), whole),
    }
}

/// How much of the largest weight is kept: about what loses least of a normal distribution's squares.
fn kept(bits: u32) -> f32 {
    match bits {
        0..=2 => 0.6,
        3 => 0.75,
        4 => 0.9,
        _ => 1.0,
    }
}

/// What is nearest at 8 bits decides over 4 and 2: 17 and 5 are odd, so nothing lies halfway, and this is what is
/// nearest there as well.
fn residual(bits: u32, nearest: impl Fn(u32) -> f32) -> f32 {
    match bits {
        4 => (nearest(8) / 17.0).round(),
        2 => (residual(4, nearest) / 5.0).round(),
        bits => nearest(bits),
    }
}

fn rounded(place: f32, bits: u32) -> f32 {
    let most = most(bits) as f32;
    place.round_ties_even().clamp(-most, most)
}
