//! Co-simulation: the same inputs into several engines, and every output of every cycle compared.
//!
//! - [`VerilatorDevice`] and [`IcarusDevice`] run a module's Verilog, [`yosys`] its gates, each as
//!   a [`Device`](hwgen_hdl::sim::Device) like our own engines;
//! - [`Engine`] names them all, [`compare`] holds them against each other cycle by cycle,
//!   [`compare_traffic`] by what passes through streams;
//! - [`verilator_lint`] and [`yosys_check`](yosys::yosys_check) read the text without running it;
//! - [`race`] measures cycles per second.
//!
//! What is compiled for a simulation is kept in [`cache_folder`].

mod cache;
mod compare;
mod engine;
mod error;
mod icarus;
mod lint;
mod ports;
mod process;
pub mod race;
mod remote;
mod stimulus;
mod survive;
mod traffic;
mod verilator;
pub mod yosys;

pub use cache::cache_folder;
pub use compare::{Comparison, Mismatch, Report, compare};
pub use engine::Engine;
pub use error::{CosimError, Finding};
pub use icarus::IcarusDevice;
pub use lint::{lint_text, verilator_lint};
pub use remote::Remote;
pub use survive::survive;
pub use traffic::{Traffic, compare_traffic};
pub use verilator::{Compiled, Optimize, VerilatorDevice};

/// What is kept, for others who keep what tools make.
pub(crate) mod kept {
    pub(crate) use super::cache::{cached, key, read, write};
}

use hwgen_hdl::Module;

/// What a module prints.
pub(crate) fn verilog_of(module: &Module) -> Result<String, CosimError> {
    module.verilog().map_err(|error| CosimError::Emission {
        module: module.name.to_string(),
        reason: error.to_string(),
    })
}
