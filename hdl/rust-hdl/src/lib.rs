//! The bridge between [rust-hdl](https://rust-hdl.org) and hwgen, in both directions.
//!
//! - [`LeafBuilder`] makes any rust-hdl block an hwgen [`Module`](hwgen_hdl::Module): its Verilog
//!   is what rust-hdl prints, its behavior what rust-hdl simulates. [`leaves`] holds ready ones.
//! - [`NetlistBlock`] makes any hwgen module a rust-hdl block, at home in rust-hdl's `Simulation`,
//!   its checks, its VCD and its Verilog.
//!
//! `docs/rationale/rust-hdl.md` tells what rust-hdl is used for here, and what not, and why.

mod block_model;
mod error;
mod leaf;
pub mod leaves;
mod netlist_block;
mod port;
mod runtime_atom;
mod verilog;

pub use block_model::SETTLE_PASSES;
pub use error::Error;
pub use leaf::LeafBuilder;
pub use netlist_block::NetlistBlock;
pub use port::FromBits;
