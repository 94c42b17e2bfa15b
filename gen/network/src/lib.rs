//! Quantized neural networks.
//!
//! - [`graph`]: a network as integers: tensors, layers, their checks, `network.json`.
//! - [`import`]: networks that others trained and quantized.
//! - [`plan`]: a network on a core: memory, program, cycles.
//! - [`policy`]: bit widths by layer.
//! - [`zoo`]: built-in networks with random weights.

pub mod graph;
pub mod import;
pub mod plan;
pub mod policy;
pub mod zoo;
