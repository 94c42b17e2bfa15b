//! Checks of a whole module's structure.

mod order;
mod streams;

pub(crate) use order::combinational_inputs;
pub use order::combinational_order;
pub(crate) use streams::valid_waits_for_ready;
