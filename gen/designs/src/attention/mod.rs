//! Attention: what predicts which keys a query will attend to, the stage that attends to them, and whole
//! engines of both.
//!
//! - [`predictor`]: what predictors share; [`lapa`], [`fact`] and [`sanger`] are three of them.
//! - [`attend`]: attention on the keys that survive; [`accelerator`]: a predictor and that stage as one.
//! - [`spatten`]: attention that prunes tokens, values and bits of keys instead.
//! - [`layer`]: attention whole, from tokens to its output.
//! - [`axi`]: engines behind AXI.

pub mod accelerator;
pub mod attend;
pub mod axi;
pub mod fact;
pub mod lapa;
pub mod layer;
pub mod predictor;
pub mod sanger;
mod shape;
pub mod spatten;

pub use shape::Shape;
pub(crate) use shape::{clog2, signed_bits};
