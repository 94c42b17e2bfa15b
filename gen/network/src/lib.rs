//! Quantized neural networks.
//!
//! - [`graph`]: a network as integers: tensors, layers, their checks, `network.json`.
//! - `basics`, `operators`: what layers are made of, and all that is known of each.
//! - [`import`]: networks that others trained and quantized.
//! - [`interpret`]: the integer model, layer by layer.
//! - [`inferences`]: a planned network run on any engine.
//! - [`candidate`]: networks without weights, which have a cost.
//! - [`plan`]: a network on a core: memory, program, cycles; `lowering`: what operators become jobs with.
//! - [`policy`]: bit widths by layer.
//! - [`zoo`]: built-in networks with random weights.

mod basics;
pub mod candidate;
pub mod graph;
pub mod import;
pub mod inferences;
pub mod interpret;
mod lowering;
mod operators;
pub mod plan;
pub mod policy;
pub mod zoo;
