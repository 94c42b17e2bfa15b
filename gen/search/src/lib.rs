//! Searches architectures and bit widths of networks together, with the generator itself as the cost model.

pub mod cost;
pub mod evolve;
pub mod integers;
pub mod kernels;
pub mod ops;
pub mod report;
pub mod search;
pub mod space;
pub mod supernet;
pub mod train;
