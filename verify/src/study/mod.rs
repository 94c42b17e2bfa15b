//! Attention accelerators side by side: the same heads of real models, at equal output quality, on
//! gates of the same library.
//!
//! 1. [`accelerator`]: what is compared: each an engine and the golden models of its parts.
//! 2. [`contenders`], [`point`]: for each model the setting that does the least work and stays close to exact
//!    attention.
//! 3. [`gates`]: its circuit in a standard-cell library runs the heads; answers are checked, toggles
//!    counted, energy split into parts.
//! 4. [`ledger`]: every head's figures on disk as they come, so that a study goes on where it was
//!    stopped.
//! 5. [`layer`]: what the masks save in the layers around attention.
//! 6. [`report`] and [`plot`]: tables, CSV and pictures of what is in the ledger; nothing else.

pub mod accelerator;
pub mod contenders;
pub mod gates;
pub mod layer;
pub mod ledger;
pub mod plot;
pub mod point;
pub mod report;
pub mod run;
mod spatten;

pub use ledger::{Ledger, Record, Split};
pub use run::{Plan, Progress};
