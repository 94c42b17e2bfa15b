//! The numbers that all subnets of a space share, and what they compute.
//!
//! - `numbers`: parameters by name; `quantize`: weights of few bits within weights of many; `forward`: a subnet on
//!   a batch, normalized by the batch or by statistics; `known`: rounded as integers will be; `statistics`: those; `gates`: choices that are trained.

mod forward;
mod gates;
mod known;
mod numbers;
mod quantize;
mod statistics;

pub use forward::{Normal, Run};
pub use gates::Gates;
pub use numbers::{Numbers, Parameter, Role};
pub use quantize::{Sharing, most, quantize};
pub use statistics::{Moments, Statistics};

use crate::space::{Slots, Space};
use serde::{Deserialize, Serialize};

/// How real numbers stand for what goes in: those of the data.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct InputScale {
    /// What a step of eight bits stands for.
    pub scale: f64,
    /// The integer that stands for 0.
    pub zero_point: i32,
}

/// A space with its numbers.
#[derive(Debug, Clone)]
pub struct Supernet {
    /// The space.
    pub space: Space,
    /// Where layers keep their numbers.
    pub slots: Slots,
    /// How weights of few bits lie in those of eight.
    pub sharing: Sharing,
    /// What goes in.
    pub input: InputScale,
    /// The numbers.
    pub numbers: Numbers,
}

impl Supernet {
    /// A space with numbers drawn by the seed.
    pub fn new(space: Space, sharing: Sharing, input: InputScale, seed: u64) -> Supernet {
        let slots = Slots::of(&space);
        let numbers = Numbers::new(&space, &slots, seed);
        Supernet { space, slots, sharing, input, numbers }
    }
}
