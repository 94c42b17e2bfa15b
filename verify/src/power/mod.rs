//! Energy of a design, told from its gates (`docs/power.md` has the definition).
//!
//! - [`liberty`] reads a library of cells: functions, areas, leakage, energy tables;
//! - `synthesis` has Yosys map the design to it, hierarchy and larger memories kept;
//! - `gating` puts registers behind clock gates, if asked to;
//! - `json`, `memory`, `netlist` read what comes out, and flatten it;
//! - `kind` makes tables of a cell, `compiled` of all of them and their nets;
//! - `engine` and `ram` run them and count what changes;
//! - [`sram`] defines what memories cost;
//! - [`report`] adds it up, instance by instance.
//!
//! ```no_run
//! use hwgen_designs::registry;
//! use hwgen_verify::power::{Library, Options, PowerModel};
//!
//! let design = registry::find("mac_array").unwrap().configure(None, &[]).unwrap();
//! let library = Library::read("osu018_stdcells.lib").unwrap();
//! let model = PowerModel::new(&design.build(), &library, &Options::default()).unwrap();
//! let mut device = model.device();
//! design.golden().batch(&mut device, 1).unwrap();
//! println!("{} J", model.report(&device).total().energy.total_joules());
//! ```

mod compiled;
mod device;
mod engine;
mod error;
mod gating;
mod json;
mod kind;
pub mod liberty;
mod memory;
mod netlist;
mod ram;
pub mod report;
pub mod sram;
mod synthesis;
#[cfg(test)]
mod tests;

pub use device::GateDevice;
pub use error::PowerError;
pub use liberty::Library;
pub use report::{Energy, Part, Report};
pub use sram::SramTechnology;

use compiled::{Compiled, Conditions};
use engine::Machine;
use hwgen_hdl::Module;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What energy depends on besides design and library.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The clock in hertz: leakage lasts as long as the run.
    pub clock_hertz: f64,
    /// Transition time of every input pin in seconds, where tables are looked up.
    pub slew_seconds: f64,
    /// Farads of wire for each pin that a net drives.
    pub wire_farads: f64,
    /// Memories with no more bits than this become flip-flops.
    pub flip_flop_bits: usize,
    /// Whether registers with an enable share a clock gate.
    pub clock_gating: bool,
    /// Feature size in nanometres for the model of memories; `None`: told from the library's name.
    pub node_nm: Option<f64>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            clock_hertz: 100e6,
            slew_seconds: 0.1e-9,
            wire_farads: 0.0,
            flip_flop_bits: 2048,
            clock_gating: false,
            node_nm: None,
        }
    }
}

/// Feature sizes of libraries we know by a part of their names.
const NODES: &[(&str, f64)] =
    &[("osu018", 180.0), ("osu035", 350.0), ("osu05", 500.0), ("sky130", 130.0), ("sg13g2", 130.0)];

/// A design in a library's cells, ready to run as often as one likes.
#[derive(Clone, Debug)]
pub struct PowerModel {
    module: Arc<Module>,
    compiled: Arc<Compiled>,
    setting: report::Setting,
    verilog: PathBuf,
}

impl PowerModel {
    /// Synthesizes the module (kept in the cache, as all that is compiled) and makes it ready.
    ///
    /// # Errors
    /// No Yosys; a module that has not exactly one clock; a cell that is not simulated; options
    /// out of range.
    pub fn new(
        module: &Arc<Module>,
        library: &Library,
        options: &Options,
    ) -> Result<PowerModel, PowerError> {
        let [clock] = &module.clocks[..] else {
            let (name, clocks) = (module.name.to_string(), module.clocks.len());
            return Err(PowerError::Clocks { module: name, clocks });
        };
        let sram = check(options, library)?;
        let gated = options.clock_gating.then(|| gating::with_gated(library));
        let gated = gated.map(|gated| gated.ok_or_else(|| error::no_plain_flip_flop(library)));
        let gated = gated.transpose()?;
        let library = gated.as_ref().unwrap_or(library);
        let gate = gating::verilog(library);
        let bits = options.flip_flop_bits;
        let (design, verilog) = synthesis::synthesize(module, library, bits, gate)?;
        let flat = netlist::flatten(&design, &module.name, library)?;
        let conditions = Conditions { slew: options.slew_seconds, wire: options.wire_farads };
        let compiled = Compiled::new(flat, library, &clock.name, conditions)?;
        let setting = report::Setting {
            module: module.name.to_string(),
            library: library.name.clone(),
            volts: library.volts,
            clock_hertz: options.clock_hertz,
            wire: options.wire_farads,
            sram,
        };
        Ok(PowerModel { module: module.clone(), compiled: Arc::new(compiled), setting, verilog })
    }

    /// The gates after power-up (all state 0), counting from there on.
    pub fn device(&self) -> GateDevice {
        GateDevice::new(&self.module, Machine::new(self.compiled.clone()))
    }

    /// Energy since the device was made or [`GateDevice::restart`].
    pub fn report(&self, device: &GateDevice) -> Report {
        report::report(&device.machine, &self.setting)
    }

    /// The netlist as Verilog, for other tools: a file in the cache.
    pub fn verilog(&self) -> &Path {
        &self.verilog
    }

    /// Cells of the library.
    pub fn cells(&self) -> usize {
        self.compiled.netlist.cells.len()
    }

    /// What the model of memories assumes.
    pub fn sram(&self) -> SramTechnology {
        self.setting.sram
    }
}

impl GateDevice {
    /// Counts from here on, from zero; the state stays.
    pub fn restart(&mut self) {
        self.machine.start();
    }

    /// Rising edges counted.
    pub fn cycles(&self) -> u64 {
        self.machine.counts.cycles
    }

    /// For every net the author named, `path.name` and the changes of each bit (the lowest first)
    /// from one rising edge to the next.
    pub fn toggles(&self) -> Vec<(String, Vec<u64>)> {
        let names = self.machine.compiled.netlist.names.iter();
        let toggles = &self.machine.counts.toggles;
        let bits = |nets: &[u32]| nets.iter().map(|&net| toggles[net as usize]).collect();
        names.map(|(name, nets)| (name.clone(), bits(nets))).collect()
    }
}

/// Checks the options; returns what memories are made of.
fn check(options: &Options, library: &Library) -> Result<SramTechnology, PowerError> {
    let within = |name, value: f64, least: f64, most: f64, range| {
        let value_text = format!("{value:e}");
        let fits = value >= least && value <= most;
        fits.then_some(()).ok_or(PowerError::Option { name, value: value_text, range })
    };
    within("the clock", options.clock_hertz, 1.0, 1e11, "1 Hz to 100 GHz")?;
    within("the slew", options.slew_seconds, 0.0, 1e-7, "0 to 100 ns")?;
    within("the wire load", options.wire_farads, 0.0, 1e-9, "0 to 1 nF a pin")?;
    let known = NODES.iter().find(|(part, _)| library.name.contains(part)).map(|(_, node)| *node);
    let node = options.node_nm.or(known).unwrap_or(f64::NAN);
    within("the feature size", node, 5.0, 2000.0, "5 to 2000 nm, and given for this library")?;
    let inverters = library.cells.values().filter(|cell| {
        let mut outputs = cell.pins.iter().filter(|pin| pin.output);
        let function = outputs.next().and_then(|pin| pin.function.as_deref());
        cell.pins.len() == 2 && matches!(function, Some(liberty::Function::Not(_)))
    });
    let by_area = |a: &&liberty::Cell, b: &&liberty::Cell| {
        a.area.total_cmp(&b.area).then_with(|| a.name.cmp(&b.name))
    };
    let leakage = inverters.min_by(by_area).map_or(0.0, |inverter| inverter.leakage);
    Ok(SramTechnology {
        feature_um: node / 1000.0,
        volts: library.volts,
        cell_leakage_watts: 2.0 * leakage,
    })
}
