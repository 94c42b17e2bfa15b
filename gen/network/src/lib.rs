//! Quantized neural networks.
//!
//! - [`graph`]: a network as integers: tensors, layers, their checks, `network.json`.
//! - [`import`]: networks that others trained and quantized.
//! - [`interpret`]: the integer model, layer by layer.
//! - [`inferences`]: a planned network run on any engine.
//! - [`plan`]: a network on a core: memory, program, cycles.
//! - [`policy`]: bit widths by layer.
//! - [`zoo`]: built-in networks with random weights.

pub mod graph;
pub mod import;
pub mod inferences;
pub mod interpret;
pub mod plan;
pub mod policy;
pub mod zoo;
