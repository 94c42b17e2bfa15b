//! Accelerator designs: a specification becomes a netlist.
//!
//! - [`spec`]: what every design's specification shares: parameters, loading, errors.
//! - [`generate`]: what a design is.
//! - [`accelerator`]: a predictor and the exact stage as one engine.
//! - [`attend`]: attention on the keys that a predictor let survive.
//! - [`fact`]: FACT's predictor, to compare with.
//! - [`axi`]: a top around any design, with AXI4-Stream and AXI4-Lite.
//! - [`lapa`]: a predictor of the keys a Transformer's query will attend to.
//! - [`layer`]: attention whole, from tokens to its output.
//! - [`linear`]: the linear layers around attention.
//! - [`mac_array`]: a systolic array of multiply-accumulators.
//! - [`mfcc`]: features of speech, the front end of keyword spotting.
//! - [`predictor`]: what predictors of attention share.
//! - [`registry`]: the list of designs.
//! - [`sanger`]: Sanger's predictor, to compare with.
//! - [`spatten`]: attention that prunes tokens, values and bits of keys.

pub mod accelerator;
pub mod area;
pub mod attend;
pub mod axi;
pub mod cnn;
pub mod fact;
pub mod generate;
pub mod lapa;
pub mod layer;
pub mod linear;
pub mod listen;
pub mod mac_array;
pub mod mfcc;
pub mod predictor;
pub mod registry;
pub mod sanger;
pub mod spatten;
mod wiring;

pub use hwgen_spec as spec;
