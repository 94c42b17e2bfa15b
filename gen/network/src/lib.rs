//! Quantised neural networks.
//!
//! - [`graph`]: a network as integers: tensors, layers, their checks, `network.json`.

pub mod graph;
pub mod plan;
