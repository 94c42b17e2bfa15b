//! What can go wrong with a model.

use std::path::PathBuf;
use thiserror::Error;

/// A model that cannot be loaded or run.
#[derive(Debug, Error)]
pub enum ModelError {
    /// A file that cannot be opened or read.
    #[error(transparent)]
    File(#[from] hwgen_files::FileError),
    /// A file that is not what its name says.
    #[error("{path}: {why}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A tensor that is missing or of another shape or format.
    #[error("tensor `{name}`: {got}: expected {expected}")]
    Tensor {
        /// Its name.
        name: String,
        /// What was found.
        got: String,
        /// What the model needs.
        expected: String,
    },
    /// A dimension of the model that cannot be run.
    #[error("{what} = {value}: must be {allowed}")]
    Shape {
        /// The dimension.
        what: &'static str,
        /// As the file has it.
        value: usize,
        /// What can be run.
        allowed: String,
    },
    /// Text of no tokens, or of more than the model has positions for.
    #[error("a text of {tokens} tokens: must be 1..={most}")]
    Length {
        /// Tokens given.
        tokens: usize,
        /// Positions there are.
        most: usize,
    },
    /// A token that the model does not know.
    #[error("token {token}: the vocabulary ends at {vocabulary}")]
    Token {
        /// The token.
        token: u32,
        /// Tokens there are.
        vocabulary: usize,
    },
    /// Attention that failed.
    #[error("layer {layer} head {head}: {why}")]
    Attention {
        /// Its layer.
        layer: usize,
        /// Its head.
        head: usize,
        /// Why.
        why: String,
    },
}
