//! Token ids to run the models on: `tokens.json`, which `scripts/fetch-models` makes.

use crate::ModelError;
use serde::Deserialize;
use std::path::Path;

/// The longest file that is read.
const MOST_BYTES: u64 = 1 << 26;

/// Texts of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Texts {
    /// As the tables print it.
    pub name: String,
    /// The tokens of each text.
    pub texts: Vec<Vec<u32>>,
}

/// Texts for each model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tokens {
    /// For the encoder: sentences.
    pub minilm: Vec<Texts>,
    /// For the decoder: stretches of running text.
    pub smollm2: Vec<Texts>,
}

/// Reads the folder's texts.
///
/// # Errors
/// A file that cannot be read or has another form.
pub fn tokens(folder: &Path) -> Result<Tokens, ModelError> {
    let path = folder.join("tokens.json");
    let bytes = hwgen_files::read(&path, MOST_BYTES)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| ModelError::Format { path, why: error.to_string() })
}
