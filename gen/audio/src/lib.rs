//! Speech clips and their features: the front end of keyword spotting, on the host.
//!
//! - [`read`]: a WAV or FLAC file becomes a [`Clip`] of 16-bit samples.
//! - [`Recipe`]: how samples become mel-frequency cepstral coefficients; [`Recipe::KEYWORDS`] and
//!   [`Recipe::CENET`] are the two there are.
//! - [`Extractor`]: a recipe at work, in 64-bit floating point.
//!
//! The circuit `mfcc` computes the same in integers (`docs/mfcc.md`); this is what it is compared
//! with, and what a host uses that has no such circuit.

mod clip;
mod extract;
mod recipe;

pub use clip::{AudioError, Clip, MAX_SAMPLES, decode, read};
pub use extract::Extractor;
pub use recipe::{Recipe, RecipeError};
