//! Quantised neural networks.
//!
//! - [`graph`]: a network as integers: tensors, layers, their checks, `network.json`.
//! - [`import`]: networks that others trained and quantised.
//! - [`zoo`]: built-in networks with random weights.

pub mod graph;
pub mod import;
pub mod zoo;
