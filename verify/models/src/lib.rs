//! Whole models with integer attention in place: what selecting keys costs in accuracy.
//!
//! A model runs in floating point but for its attention, which is exchangeable: exact, or the
//! integer golden models of a predictor and of the exact stage behind it, in every layer and
//! head, so that errors pass on through the network. What is measured is in `docs/models.md`.
//!
//! - [`attention`]: the exchangeable part.
//! - [`layers`]: what both kinds of model are made of.
//! - [`encoder`]: sentence embeddings (BERT).
//! - [`decoder`]: the next token (Llama).
//! - [`tensors`]: where weights come from: a file, or a seed.
//! - [`weights`]: the files, from a folder that may be absent.
//! - [`texts`]: token ids to run the models on.
//! - [`selections`]: the predictors that are measured, by name.
//! - [`accuracy`]: what they do to a model.
//! - [`measure`]: differences between two runs.

pub mod accuracy;
pub mod attention;
pub mod decoder;
pub mod encoder;
mod error;
pub mod layers;
pub mod measure;
pub mod selections;
pub mod tensors;
pub mod texts;
pub mod weights;

pub use error::ModelError;
