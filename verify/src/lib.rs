//! What a circuit is held against.
//!
//! - [`area`]: what Yosys makes of a module on an FPGA, counted.
//! - [`attention`]: queries and keys, real and synthetic, and how well a predictor does on them.
//! - [`cosim`]: other engines, run side by side with ours and compared.
//! - [`check`]: all of it for one design, as `hwgen verify` does.
//! - [`exercise`]: a design run at random, its promises watched.
//! - [`power`]: energy, told from the gates of a standard-cell library.
//! - `study` (feature `study`): accelerators side by side, in energy at equal quality.
//! - [`suite`]: what suites of circuits walk.
//! - [`waves`]: recorded runs as vectors.

pub mod area;
pub mod attention;
pub mod check;
pub mod cosim;
pub mod exercise;
pub mod power;
#[cfg(feature = "study")]
pub mod study;
pub mod suite;
pub mod waves;
