//! Accelerator designs: a specification becomes a netlist, held against a golden model.
//!
//! A design has one room: its parameters (`spec`), circuit, exact cycles (`cost`), integer model (`golden`,
//! written from its page in `docs/`, never from the circuit), test bench (`drive`) and what
//! `hwgen verify` runs (`check`). Families of rooms:
//!
//! - [`attention`]: LAPA, its rivals, the exact stage, whole engines.
//! - [`linear`]: the linear layers around attention.
//! - [`cnn`]: quantized networks from a program.
//! - [`speech`]: the front end of keyword spotting.
//! - [`arrays`]: arrays of processing elements.
//!
//! Around them: [`spec`] and [`generate`], what a design says of itself; [`golden`] and [`drive`], how it is
//! held against its model; [`cost`], how many cycles it takes; [`axi`], a top around any design; [`registry`], the only list of designs.

pub mod arrays;
pub mod attention;
pub mod axi;
pub mod cnn;
pub mod cost;
pub mod drive;
pub mod generate;
pub mod golden;
pub mod linear;
pub mod registry;
pub mod speech;
mod wiring;

pub use hwgen_spec as spec;
