//! Checks of a whole module's structure.

mod domains;
mod order;
mod streams;

pub(crate) use domains::{Unnamed, memory_writers, of_other_domains};
pub(crate) use order::combinational_inputs;
pub use order::combinational_order;
pub(crate) use streams::valid_waits_for_ready;
