//! A hardware language embedded in Rust.
//!
//! [`ModuleBuilder`] makes checked [`Module`]s from typed signals of any run-time width;
//! [`verilog`] prints them; [`sim`] runs them; [`lib`] holds the components every design needs.
//!
//! One netlist, one semantics: a signal of type `u(8)` or `s(8)` carries an integer, and
//! [`semantics`] says what each operator makes of integers. The interpreter is that text run; the
//! compiled engine and the printed Verilog are tested against it.

pub mod build;
pub mod check;
mod error;
pub mod fuzz;
#[path = "lib/mod.rs"]
pub mod lib;
mod names;
pub mod netlist;
pub mod passes;
mod place;
pub mod semantics;
pub mod sim;
mod ty;
pub mod verilog;

pub use build::{
    Amount, Bundle, Domain, Fields, InstanceBuilder, MemoryBuilder, ModuleBuilder, Operand, Reg,
    Signal, Stream, Wire, cat, fields, mux, reduce,
};
pub use error::{BuildErrors, HdlError};
pub use netlist::Module;
pub use place::{Caller, Place};
pub use ty::{Int, MAX_WIDTH, Type, bits_for, index_bits, s, u};
