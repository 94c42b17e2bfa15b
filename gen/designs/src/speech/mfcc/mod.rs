//! Mel-frequency cepstral coefficients: the front end of keyword spotting.
//!
//! A frame passes through phases, one after the other, on shared multipliers: `window` weighs its
//! samples, `walk` and `turn` transform them, `bins` finds magnitudes and mel bands, `logs` their
//! logarithms, `cosines` the features. Meanwhile `clip` takes the samples of the next frame.
//!
//! The definition is in `docs/mfcc.md`.

mod bins;
mod circuit;
mod clip;
mod cosines;
mod cost;
pub mod drive;
pub mod golden;
mod logs;
mod multiply;
pub(crate) mod spec;
mod tables;
mod turn;
mod walk;
mod widths;
mod window;

pub use spec::MfccSpec;
