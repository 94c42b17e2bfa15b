//! Subnets as networks of integers: trained ones, and blanks that only have a cost.
//!
//! - `build`: how layers become operators of a network; `inputs`: items as it takes them; `linear`: how real weights
//!   become integers, their normalization folded in.

mod build;
mod inputs;
mod linear;

use crate::space::Subnet;
use crate::supernet::{Statistics, Supernet};
use crate::train::{Judge, Verdicts};
pub use build::{Figures, network};
use hwgen_network::candidate::Candidate;
use hwgen_network::graph::{Multiplier, Network, NetworkError};
pub use inputs::inputs;
pub(crate) use linear::{Between, Channel};
use thiserror::Error;

/// Why a subnet is no network.
#[derive(Debug, Error)]
pub enum IntegerError {
    /// Sizes that networks may not have.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// Bits of multipliers: with 17 and less a requantizer takes half the multipliers.
pub const MULTIPLIER_BITS: u32 = 15;

/// Places that terms of additions are shifted by.
pub const ADDITION_SHIFT: u32 = 8;

/// A subnet of which only shapes and widths are known.
///
/// # Errors
/// Sizes that networks may not have.
pub fn candidate(supernet: &Supernet, subnet: &Subnet) -> Result<Candidate, IntegerError> {
    Ok(Candidate::of(&network(supernet, subnet, Figures::Blank)?)?)
}

/// A trained subnet.
///
/// # Errors
/// Sizes that networks may not have.
pub fn trained(
    supernet: &Supernet,
    subnet: &Subnet,
    statistics: &Statistics,
    judge: &Judge,
) -> Result<Network, IntegerError> {
    let calibration = Judge { judged: judge.calibration.clone(), ..judge.clone() };
    let range = range(&calibration.verdicts(supernet, subnet, statistics));
    network(supernet, subnet, Figures::Trained { statistics, range })
}

/// Which scores must be told apart: from the lowest that was second in an item to the highest; always 0. What lies
/// below is never the answer.
fn range(verdicts: &Verdicts) -> [f32; 2] {
    let second = |scores: &Vec<f32>| {
        let mut scores = scores.clone();
        scores.sort_by(|a, b| b.total_cmp(a));
        scores.get(1).copied().unwrap_or(0.0)
    };
    let lowest = verdicts.scores.iter().map(second).fold(0.0, f32::min);
    [lowest, verdicts.scores.iter().flatten().copied().fold(1e-3, f32::max)]
}

/// What a factor is, once it is cut.
pub(crate) fn cut(factor: f64) -> f64 {
    let Multiplier { mantissa, shift } = nearest(factor);
    f64::from(mantissa) * f64::from(shift - 31).exp2()
}

/// A factor between scales, cut as all multipliers are.
fn nearest(factor: f64) -> Multiplier {
    let Multiplier { mantissa, shift } =
        Multiplier::nearest(factor).unwrap_or(Multiplier { mantissa: i32::MAX, shift: 30 });
    let below = 31 - MULTIPLIER_BITS;
    match (i64::from(mantissa) + (1 << (below - 1))) >> below << below {
        most if most > i64::from(i32::MAX) => {
            Multiplier { mantissa: 1 << 30, shift: (shift + 1).min(30) }
        }
        rounded => Multiplier { mantissa: rounded as i32, shift },
    }
}
