//! The bridge between [rust-hdl](https://rust-hdl.org) and hwgen, in both directions.
//!
//! - [`LeafBuilder`] makes any rust-hdl block a leaf with run-time ports: its Verilog is printed
//!   once, its behaviour is rust-hdl's own simulation. [`leaves`] holds the ready-made ones.
//! - [`ModelBlock`] goes the other way: something with run-time ports becomes a rust-hdl block,
//!   at home in rust-hdl's `Simulation`, its checks and its VCD.
//!
//! `docs/rationale/rust-hdl.md` tells what rust-hdl is used for here, and what not, and why.

mod error;
mod leaf;
pub mod leaves;
mod model_block;
mod port;
mod runtime_atom;
mod verilog;

pub use error::Error;
pub use leaf::{Leaf, LeafBuilder, Model, SETTLE_PASSES};
pub use model_block::ModelBlock;
pub use port::{FromBits, Port, PortDirection};
