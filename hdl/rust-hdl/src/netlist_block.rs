//! An hwgen module as a rust-hdl block, for rust-hdl's `Simulation`, checks, VCD and Verilog.

use crate::Error;
use crate::port::{Port, PortDirection};
use crate::runtime_atom::RuntimeAtom;
use hwgen_hdl::sim::{SimOptions, Simulator};
use hwgen_hdl::{Int, Module, u};
use rust_hdl::prelude::*;
use std::sync::Arc;

/// An hwgen module wherever rust-hdl wants a `Block`; hwgen's simulator runs it.
///
/// Ports are driven and read by name, since their widths are known only at run time; for the same
/// reason rust-hdl cannot check that a parent drives all of them. As in rust-hdl's flip-flops,
/// data that is set together with a rising clock counts as there before the edge.
/// ```
/// use hwgen_hdl::{ModuleBuilder, u};
/// use hwgen_rust_hdl::NetlistBlock;
/// use rust_hdl::prelude::*;
///
/// let m = ModuleBuilder::new("counter");
/// let count = m.reg("count", u(8)).no_reset();
/// count.next(count + 1);
/// m.output("value", count);
///
/// let mut block = NetlistBlock::new(&m.finish(), Default::default())?;
/// block.connect_all();
/// for _ in 0..6 {
///     block.toggle("clk")?;
///     assert!(simulate(&mut block, 10));
/// }
/// assert_eq!(block.get("value")?, 3.into());
/// # Ok::<(), hwgen_rust_hdl::Error>(())
/// ```
pub struct NetlistBlock {
    module: Arc<Module>,
    simulator: Simulator,
    clocks: Vec<RuntimeAtom>,
    inputs: Vec<RuntimeAtom>,
    outputs: Vec<RuntimeAtom>,
    /// The module's Verilog, each module behind a guard so that several blocks may share it.
    verilog: String,
    failure: Option<Error>,
}

impl NetlistBlock {
    /// A block that runs `module` as after power-up. A broken promise or stream contract stops it.
    ///
    /// # Errors
    /// [`Error::Simulator`] if the engine cannot be made, [`Error::Refused`] if the module does
    /// not print.
    pub fn new(module: &Arc<Module>, options: SimOptions) -> Result<Self, Error> {
        let name = || module.name.to_string();
        let options = SimOptions { collect_violations: true, ..options };
        let simulator = Simulator::try_with_options(module, options)
            .map_err(|e| Error::Simulator { module: name(), problem: e.to_string() })?;
        let texts = module
            .verilog_modules()
            .map_err(|e| Error::Refused { module: name(), problem: e.to_string() })?;
        let guarded = texts.iter().map(|text| {
            let guard = format!("HWGEN_{}", text.name);
            format!("`ifndef {guard}\n`define {guard}\n{}\n`endif\n", text.text)
        });
        let atom = |name: &Arc<str>, ty, direction| {
            RuntimeAtom::new(Port { name: name.to_string(), ty, direction })
        };
        let atoms = |ports: &[hwgen_hdl::netlist::Port], direction| -> Vec<RuntimeAtom> {
            ports.iter().map(|port| atom(&port.name, port.ty, direction)).collect()
        };
        let clocks = module.clocks.iter();
        let mut block = Self {
            clocks: clocks.map(|clock| atom(&clock.name, u(1), PortDirection::Clock)).collect(),
            inputs: atoms(&module.inputs, PortDirection::Input),
            outputs: atoms(&module.outputs, PortDirection::Output),
            verilog: guarded.collect(),
            module: module.clone(),
            simulator,
            failure: None,
        };
        block.read_outputs();
        Ok(block)
    }

    /// Sets an input or clock; as with `Signal::next` it takes effect at the next update.
    ///
    /// # Errors
    /// [`Error::NoSuchPort`] and [`Error::DoesNotFit`].
    pub fn set(&mut self, port: &str, value: impl Into<Int>) -> Result<(), Error> {
        let (module, value) = (&self.module.name, value.into());
        let mut atoms = self.clocks.iter_mut().chain(&mut self.inputs);
        match atoms.find(|atom| atom.port.name == port) {
            None => Err(self.no_such_port("input or clock", port)),
            Some(atom) if atom.port.ty.holds(&value) => {
                atom.next = value;
                Ok(())
            }
            Some(atom) => {
                let (module, ty) = (module.to_string(), atom.port.ty);
                Err(Error::DoesNotFit { module, port: port.into(), ty, value })
            }
        }
    }

    /// Inverts a one-bit input: what a test bench does with a clock.
    ///
    /// # Errors
    /// [`Error::NoSuchPort`], and [`Error::DoesNotFit`] for a wider port.
    pub fn toggle(&mut self, port: &str) -> Result<(), Error> {
        let level = self.get(port)?;
        self.set(port, level ^ Int::from(1))
    }

    /// The value of any port as of the last update.
    ///
    /// # Errors
    /// [`Error::NoSuchPort`].
    pub fn get(&self, port: &str) -> Result<Int, Error> {
        let found = self.atoms().find(|atom| atom.port.name == port);
        found.map(|atom| atom.value.clone()).ok_or_else(|| self.no_such_port("port", port))
    }

    /// What stopped the module, if anything did; rust-hdl itself then says `FailedToConverge`.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    fn atoms(&self) -> impl Iterator<Item = &RuntimeAtom> {
        self.clocks.iter().chain(&self.inputs).chain(&self.outputs)
    }

    fn no_such_port(&self, what: &'static str, port: &str) -> Error {
        let known: Vec<_> = self.atoms().map(|atom| atom.port.name.as_str()).collect();
        let (module, port) = (self.module.name.to_string(), port.to_string());
        Error::NoSuchPort { module, what, port, known: known.join(", ") }
    }

    fn read_outputs(&mut self) {
        for (index, atom) in self.outputs.iter_mut().enumerate() {
            atom.next = self.simulator.peek_index(index);
        }
    }

    /// Hands the new inputs and rising clocks to the simulator.
    fn run(&mut self, rising: &[usize]) {
        for (index, atom) in self.inputs.iter().enumerate().filter(|(_, atom)| atom.changed) {
            if let Err(error) = self.simulator.poke_index(index, &atom.value) {
                self.fail(error.to_string());
                return;
            }
        }
        let rising: Vec<_> = rising.iter().map(|&clock| &*self.module.clocks[clock].name).collect();
        if !rising.is_empty()
            && let Err(error) = self.simulator.try_tick(&rising)
        {
            self.fail(error.to_string());
        }
        if let Some(violation) = self.simulator.violations().first() {
            self.fail(violation.to_string());
        }
        self.read_outputs();
    }

    fn fail(&mut self, problem: String) {
        let module = self.module.name.to_string();
        self.failure.get_or_insert(Error::Simulator { module, problem });
    }
}

impl Logic for NetlistBlock {
    fn update(&mut self) {}

    /// An instance of the module, and its text.
    fn hdl(&self) -> Verilog {
        let pins: Vec<_> =
            self.atoms().map(|atom| format!("    .{0}({0})", atom.port.name)).collect();
        Verilog::Wrapper(Wrapper {
            code: format!("{} inner (\n{}\n);\n", self.module.name, pins.join(",\n")),
            cores: self.verilog.clone(),
        })
    }
}

impl Block for NetlistBlock {
    fn connect_all(&mut self) {
        self.connect();
    }

    fn update_all(&mut self) {
        let mut changed = false;
        for atom in &mut self.inputs {
            changed |= atom.step();
        }
        let mut rising = Vec::new();
        for (index, atom) in self.clocks.iter_mut().enumerate() {
            if atom.step() && atom.value == Int::from(1) {
                rising.push(index);
            }
        }
        if changed || !rising.is_empty() {
            self.run(&rising);
        }
        for atom in &mut self.outputs {
            atom.step();
        }
    }

    fn has_changed(&self) -> bool {
        self.failure.is_some() || self.atoms().any(|atom| atom.changed)
    }

    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        for atom in self.atoms() {
            probe.visit_atom(&atom.port.name, atom);
        }
        probe.visit_end_scope(name, self);
    }
}
