//! Which items a search works with, told so that another machine finds the same.

use hwgen_data::{DataError, Options, Parts, Source, Wish};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Items, and how they are divided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What `hwgen_data::Source` opens.
    pub path: PathBuf,
    /// Training items at most.
    pub limit: Option<usize>,
    /// What is drawn from.
    pub seed: u64,
}

impl Request {
    /// Reads and divides them.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parts(&self) -> Result<Parts, DataError> {
        let data = Source::open(&self.path)?.load(&Options::default())?;
        data.parts(&Wish { limit: self.limit, seed: self.seed, ..Wish::default() })
    }
}
