//! Feeds designs through their streams, on any engine, and says what must come out.

mod driven;
mod streams;

pub use driven::Driven;
pub use streams::{Feed, Run, Stalls, run, run_for, run_patiently};
pub(crate) use streams::{feeds, pack, run_streams, unpack};

use rand::Rng;

/// What random numbers look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Every value equally likely.
    Uniform,
    /// Mostly 0 and the extremes: ties, empty sums, saturation.
    Corner,
    /// Small numbers: many equal scores.
    Small,
}

impl Values {
    /// Any of them.
    pub fn any(rng: &mut impl Rng) -> Values {
        [Values::Uniform, Values::Corner, Values::Small][rng.random_range(0..3)]
    }

    /// A number of `bits` bits.
    pub(crate) fn draw(self, rng: &mut impl Rng, bits: u32) -> i32 {
        let limit = 1 << (bits - 1);
        match self {
            Values::Uniform => rng.random_range(-limit..limit),
            Values::Corner => [0, 0, -limit, limit - 1, -1, 1 - limit][rng.random_range(0..6)],
            Values::Small => rng.random_range(-1i32..2).clamp(-limit, limit - 1),
        }
    }
}
