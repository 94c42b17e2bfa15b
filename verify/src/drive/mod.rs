//! Feeds designs through their streams, on any engine, and says what must come out.

pub mod lapa;
pub mod linear;
pub mod mac_array;
mod streams;

pub use streams::{Feed, Run, run};
