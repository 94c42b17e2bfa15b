//! Runnable stories; each is also a test.
//!
//! - `cargo run --example streaming`: write a small streaming design, simulate it, print it.
//! - `cargo run --example attention`: a LAPA predictor on attention data, held against its model.
//! - `cargo run --example cosimulation`: our engines and Verilator in lockstep.
//! - `cargo run --example kws_mini`: a network on the CNN core, its cycles counted as it runs.
//!
//! The code in the README and in the docs is compiled and run as this crate's doc tests.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../docs/language.md")]
pub struct Language;

#[cfg(doctest)]
#[doc = include_str!("../../docs/add-a-design.md")]
pub struct AddADesign;

#[cfg(doctest)]
#[doc = include_str!("../../docs/add-a-component.md")]
pub struct AddAComponent;

#[cfg(doctest)]
#[doc = include_str!("../../docs/add-a-subcommand.md")]
pub struct AddASubcommand;

#[cfg(doctest)]
#[doc = include_str!("../../docs/simulation.md")]
pub struct Simulation;

#[cfg(doctest)]
#[doc = include_str!("../../docs/verification.md")]
pub struct Verification;

#[cfg(doctest)]
#[doc = include_str!("../../docs/power.md")]
pub struct Power;
