//! Weights of real models, from files.
//!
//! They are no part of this project: `scripts/fetch-models` gets them into `target/models`, or
//! into the folder that the environment variable `HWGEN_MODELS` names.

mod gguf;
mod safetensors;

pub use gguf::decoder;
pub use safetensors::encoder;

use std::{
    env,
    path::{Path, PathBuf},
};

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 30;

/// The folder of models, if there is one.
pub fn folder() -> Option<PathBuf> {
    let target = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/models");
    let folder = env::var_os("HWGEN_MODELS").map_or_else(target, PathBuf::from);
    // what comes last when they are fetched
    folder.join("tokens.json").is_file().then_some(folder)
}
