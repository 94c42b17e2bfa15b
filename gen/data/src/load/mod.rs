//! Loaders, a file a format: each finds its files in a place, says what it found, and reads it.

pub mod cifar10;
pub mod features;
pub mod idx;

pub(crate) mod clips;
pub(crate) mod folder;
pub(crate) mod pictures;

pub(crate) mod parallel;
mod twelve;
