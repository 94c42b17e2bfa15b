//! Searches architectures and bit widths of networks together, with the generator itself as the cost model.

pub mod cost;
pub mod data;
pub mod evolve;
pub mod integers;
pub mod kernels;
pub mod ops;
pub mod report;
pub mod search;
pub mod space;
pub mod study;
pub mod supernet;
pub mod train;
