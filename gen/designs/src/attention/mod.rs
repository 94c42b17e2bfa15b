//! Attention: what predicts which keys a query will attend to, the stage that attends to them, and whole
//! engines of both.
//!
//! - [`predictor`]: what predictors share; [`lapa_predictor`], [`fact_predictor`] and [`sanger_predictor`]
//!   are three of them.
//! - [`attend`]: attention on the keys that survive; [`engine`]: a predictor and that stage as one.
//! - [`spatten`]: attention that prunes tokens, values and bits of keys instead.
//! - [`lapa`]: attention whole, from tokens to its output.
//! - [`axi`]: engines behind AXI.

pub mod attend;
pub mod axi;
pub mod engine;
pub mod fact_predictor;
pub mod lapa;
pub mod lapa_predictor;
pub mod predictor;
pub mod sanger_predictor;
mod shape;
pub mod spatten;

pub use shape::Shape;
pub(crate) use shape::{clog2, signed_bits};
