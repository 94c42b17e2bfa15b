//! What can go wrong on the way from a module to its energy.

use super::liberty::{Library, LibraryError};
use crate::cosim::CosimError;

/// Why a design's energy cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum PowerError {
    /// The library.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// Yosys, or the files it works on.
    #[error(transparent)]
    Synthesis(#[from] CosimError),
    /// Yosys' netlist is none.
    #[error("cannot read the netlist of Yosys: {0}")]
    Json(#[from] serde_json::Error),
    /// The netlist has something that cannot be simulated.
    #[error("{at}: {what}")]
    Netlist {
        /// The instance and cell.
        at: String,
        /// What is wrong with it.
        what: String,
    },
    /// A module with no clock, or several.
    #[error("module `{module}` has {clocks} clocks; energy is told of designs with one")]
    Clocks {
        /// Its name.
        module: String,
        /// How many it has.
        clocks: usize,
    },
    /// A parameter out of its range.
    #[error("{name} is {value}; it must be {range}")]
    Option {
        /// Which.
        name: &'static str,
        /// What it is.
        value: String,
        /// What it can be.
        range: &'static str,
    },
}

pub(super) fn no_plain_flip_flop(library: &Library) -> PowerError {
    netlist(
        format!("library `{}`", library.name),
        "it has no plain flip-flop to put behind a clock gate",
    )
}

pub(super) fn netlist(at: impl Into<String>, what: impl Into<String>) -> PowerError {
    PowerError::Netlist { at: at.into(), what: what.into() }
}
