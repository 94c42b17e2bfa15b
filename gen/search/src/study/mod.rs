//! Comparisons of searches: the same trainer, data and budget for all that are compared; every run a line of a ledger
//! that is kept, so that hours of them go on where they were left.
//!
//! - `arms`: what is compared; `alone`: subnets without a supernet; `runs`: the ledger; `paired`: differences on the same items; `compare`: one arm against
//!   another.

mod alone;
mod arms;
mod compare;
mod paired;
mod runs;

pub use alone::AloneOf;
pub use arms::{Arm, Key, Set, settings};
pub use compare::{Comparison, Meeting, compare, meetings};
pub use paired::{Paired, paired};
pub use runs::{Run, RunPoint, Runs};
