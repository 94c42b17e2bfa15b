//! Simulation: one netlist, one semantics, two engines.
//!
//! The [`Interpreter`](Engine::Interpreter) is [`crate::semantics`] run node by node; the compiled
//! engine ([`Engine::Jit`]) turns the netlist into machine code and is tested against it. Both see
//! a [flat](mod@flatten) module in which stream contracts and promises are ordinary hardware, so every
//! simulation checks them.
//!
//! ```
//! use hwgen_hdl::{ModuleBuilder, u};
//! use hwgen_hdl::sim::{Engine, Simulator};
//!
//! let m = ModuleBuilder::new("counter");
//! let count = m.reg("count", u(8));
//! count.next(count + 1).enable(m.input("up", u(1)));
//! m.output("value", count);
//! let mut sim = Simulator::new(&m.finish(), Engine::Interpreter);
//! sim.reset();
//! sim.poke("up", 1);
//! sim.steps(3);
//! assert_eq!(sim.peek_u64("value"), 3);
//! ```

mod bench;
mod contracts;
mod core;
mod device;
mod error;
pub mod flatten;
mod interpreter;
mod jit;
mod options;
mod power_up;
mod stream;
mod wave;

pub use bench::Bench;
pub use device::Device;
pub use error::{SimError, Violation};
pub use options::{Engine, SimOptions};
pub use power_up::Initial;
pub use stream::{StreamDriver, StreamMonitor};

use crate::netlist::{ClockId, Kind, Module, NodeId};
use crate::ty::Int;
use flatten::{Flat, flatten};
use num_traits::ToPrimitive;
use power_up::PowerUp;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use wave::{Format, Wave};

/// A running module.
///
/// Inputs start at 0. Methods that take names panic with a [`SimError`]'s text; those named `try_`
/// return it.
pub struct Simulator {
    module: Arc<Module>,
    flat: Arc<Flat>,
    core: Box<dyn core::Core>,
    wave: Option<Wave>,
    inputs: HashMap<Arc<str>, usize>,
    names: HashMap<Arc<str>, NodeId>,
    /// For the clocks of the last tick, which flat clocks they are.
    ticking: (Vec<ClockId>, Vec<bool>),
    all_clocks: Vec<ClockId>,
    cycle: u64,
    collect_violations: bool,
    violations: Vec<Violation>,
}

impl Simulator {
    /// A simulator of the module as after power-up, contracts checked.
    ///
    /// # Panics
    /// If the compiled engine cannot be made for this machine.
    pub fn new(module: &Arc<Module>, engine: Engine) -> Simulator {
        Simulator::with_options(module, SimOptions { engine, ..SimOptions::default() })
    }

    /// A simulator of the module as after power-up.
    ///
    /// # Panics
    /// If the compiled engine cannot be made for this machine.
    pub fn with_options(module: &Arc<Module>, options: SimOptions) -> Simulator {
        Simulator::try_with_options(module, options).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A simulator of the module as after power-up.
    pub fn try_with_options(
        module: &Arc<Module>,
        options: SimOptions,
    ) -> Result<Simulator, SimError> {
        let flat = Arc::new(flatten(module, options.check_contracts));
        let state = PowerUp::new(&flat, options.initial);
        let core: Box<dyn core::Core> = match options.engine {
            Engine::Interpreter => Box::new(interpreter::Interpreter::new(flat.clone(), state)),
            Engine::Jit => Box::new(jit::Jit::new(flat.clone(), state)?),
        };
        Ok(Simulator {
            module: module.clone(),
            core,
            wave: None,
            inputs: positions(module),
            names: names(&flat.module),
            ticking: (vec![], vec![false; flat.roots.len()]),
            all_clocks: (0..module.clocks.len()).map(ClockId::new).collect(),
            cycle: 0,
            collect_violations: options.collect_violations,
            violations: vec![],
            flat,
        })
    }

    /// The module that runs.
    pub fn module(&self) -> &Arc<Module> {
        &self.module
    }

    /// The module that runs, flattened: what [`Simulator::peek`] finds names in.
    pub fn flat(&self) -> &Flat {
        &self.flat
    }

    /// Sets an input.
    #[track_caller]
    pub fn poke(&mut self, input: &str, value: impl Into<Int>) {
        self.try_poke(input, value).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Sets an input.
    pub fn try_poke(&mut self, input: &str, value: impl Into<Int>) -> Result<(), SimError> {
        let Some(&position) = self.inputs.get(input) else {
            let available = self.module.inputs.iter().map(|port| &*port.name);
            return Err(no_such_name(&self.module, "input", input, available));
        };
        self.poke_index(position, &value.into())
    }

    /// Sets the input at this position in [`Module::inputs`].
    pub fn poke_index(&mut self, input: usize, value: &Int) -> Result<(), SimError> {
        let port = &self.module.inputs[input];
        if !port.ty.holds(value) {
            return Err(SimError::ValueDoesNotFit {
                module: self.module.name.to_string(),
                input: port.name.to_string(),
                value: value.clone(),
                ty: port.ty,
            });
        }
        self.core.poke(input, value);
        Ok(())
    }

    /// The settled value of a port or of an internal named signal (`inst.sub.name`).
    #[track_caller]
    pub fn peek(&mut self, name: &str) -> Int {
        self.try_peek(name).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The settled value of a port or of an internal named signal (`inst.sub.name`).
    pub fn try_peek(&mut self, name: &str) -> Result<Int, SimError> {
        match self.names.get(name) {
            Some(&node) => Ok(self.core.peek(node)),
            None => {
                let ports = self.module.inputs.iter().chain(&self.module.outputs);
                let available = ports.map(|port| &*port.name);
                Err(no_such_name(&self.module, "signal", name, available))
            }
        }
    }

    /// The settled value of the output at this position in [`Module::outputs`].
    pub fn peek_index(&mut self, output: usize) -> Int {
        self.core.peek(self.module.outputs[output].node)
    }

    /// Sets the input at this position to a value of at most 64 bits: the fast way.
    ///
    /// # Panics
    /// If the value does not fit.
    #[track_caller]
    pub fn set_u64(&mut self, input: usize, value: u64) {
        let ty = self.module.inputs[input].ty;
        let bits = ty.width - u32::from(ty.signed);
        if ty.width <= 64 && (bits == 64 || value >> bits == 0) {
            self.core.poke_word(input, value);
        } else {
            self.poke_index(input, &value.into()).unwrap_or_else(|error| panic!("{error}"));
        }
    }

    /// The value of the output at this position: the fast way.
    ///
    /// # Panics
    /// If it is negative or needs more than 64 bits.
    #[track_caller]
    pub fn get_u64(&mut self, output: usize) -> u64 {
        let ty = self.module.outputs[output].ty;
        if ty.width <= 64 && !ty.signed {
            return self.core.peek_word(self.flat.module.outputs[output].node);
        }
        let (value, name) = (self.peek_index(output), self.module.outputs[output].name.clone());
        value.to_u64().unwrap_or_else(|| panic!("{}", self.misfit(&name, value, "u64")))
    }

    /// Sets the input at this position to a bit pattern: 64-bit words, the lowest first, zeros above
    /// the width. The fast way for wide ports.
    ///
    /// # Panics
    /// If there are not as many words as the width takes, or a bit above it is set.
    #[track_caller]
    pub fn set_pattern(&mut self, input: usize, words: &[u64]) {
        let ty = self.module.inputs[input].ty;
        device::check_pattern(ty, words);
        self.core.poke_pattern(input, ty, words);
    }

    /// The bit pattern of the output at this position: the fast way for wide ports.
    ///
    /// # Panics
    /// If there are not as many words as the width takes.
    #[track_caller]
    pub fn get_pattern(&mut self, output: usize, words: &mut [u64]) {
        let port = &self.module.outputs[output];
        device::check_length(port.ty, words);
        self.core.peek_pattern(port.node, port.ty, words);
    }

    /// [`Simulator::peek`] for values in `0..2^64`.
    #[track_caller]
    pub fn peek_u64(&mut self, name: &str) -> u64 {
        let value = self.peek(name);
        value.to_u64().unwrap_or_else(|| panic!("{}", self.misfit(name, value, "u64")))
    }

    /// [`Simulator::peek`] for values in `-2^63..2^63`.
    #[track_caller]
    pub fn peek_i64(&mut self, name: &str) -> i64 {
        let value = self.peek(name);
        value.to_i64().unwrap_or_else(|| panic!("{}", self.misfit(name, value, "i64")))
    }

    fn misfit(&self, name: &str, value: Int, wanted: &'static str) -> SimError {
        let (module, name) = (self.module.name.to_string(), name.to_string());
        SimError::PeekDoesNotFit { module, name, value, wanted }
    }

    /// A rising edge of every clock at once.
    #[track_caller]
    pub fn step(&mut self) {
        self.steps(1);
    }

    /// `n` rising edges of every clock at once.
    #[track_caller]
    pub fn steps(&mut self, n: u64) {
        let clocks = std::mem::take(&mut self.all_clocks);
        self.run(&clocks, n);
        self.all_clocks = clocks;
    }

    /// Simultaneous rising edges of these clocks.
    #[track_caller]
    pub fn tick(&mut self, clocks: &[&str]) {
        self.try_tick(clocks).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Simultaneous rising edges of these clocks.
    #[track_caller]
    pub fn try_tick(&mut self, clocks: &[&str]) -> Result<(), SimError> {
        let position = |name: &&str| {
            let known = self.module.clocks.iter().position(|clock| *clock.name == **name);
            known.map(ClockId::new).ok_or_else(|| {
                let available = self.module.clocks.iter().map(|clock| &*clock.name);
                no_such_name(&self.module, "clock", name, available)
            })
        };
        let ids = clocks.iter().map(position).collect::<Result<Vec<_>, _>>()?;
        self.tick_ids(&ids);
        Ok(())
    }

    /// Simultaneous rising edges of these clocks.
    #[track_caller]
    pub fn tick_ids(&mut self, clocks: &[ClockId]) {
        self.run(clocks, 1);
    }

    #[track_caller]
    fn run(&mut self, clocks: &[ClockId], n: u64) {
        if self.ticking.0 != clocks {
            let ticks = self.flat.roots.iter().map(|root| clocks.contains(root)).collect();
            self.ticking = (clocks.to_vec(), ticks);
        }
        let mut left = n;
        while left > 0 {
            let ran = match &mut self.wave {
                None => self.core.run(&self.ticking.1, left),
                Some(wave) => {
                    wave.sample(&mut *self.core, 10 * self.cycle, &[]);
                    self.core.tick(&self.ticking.1);
                    wave.sample(&mut *self.core, 10 * self.cycle + 5, clocks);
                    1
                }
            };
            left -= ran;
            self.cycle += ran;
            self.report();
        }
    }

    /// Notes the assertions that failed at the last edge.
    #[track_caller]
    fn report(&mut self) {
        if self.core.failed().is_empty() {
            return;
        }
        let (assertions, cycle) = (&self.flat.module.assertions, self.cycle.wrapping_sub(1));
        let failed = self.core.failed().iter().map(|&index| Violation {
            message: assertions[index].message.to_string(),
            place: assertions[index].place,
            cycle,
        });
        let known = self.violations.len();
        self.violations.extend(failed);
        if let Some(first) = self.violations.get(known)
            && !self.collect_violations
        {
            panic!("{first}");
        }
    }

    /// Counts, from the next edge on, how often the bits of these signals (as [`Simulator::peek`]
    /// knows them) change from one rising edge to the next: settled values only, no glitches.
    ///
    /// # Errors
    /// [`SimError::NoSuchName`] if one is not there; nothing is counted then.
    pub fn count_toggles(&mut self, signals: &[impl AsRef<str>]) -> Result<(), SimError> {
        let node = |name: &str| match self.names.get(name) {
            Some(&node) => Ok(node),
            None => Err(no_such_name(&self.module, "signal", name, std::iter::empty())),
        };
        let nodes = signals.iter().map(|name| node(name.as_ref())).collect::<Result<_, _>>()?;
        self.core.count(nodes);
        Ok(())
    }

    /// For each signal of [`Simulator::count_toggles`], the changes of its bits so far.
    pub fn toggles(&self) -> Vec<u64> {
        self.core.toggles()
    }

    /// Asserts every reset for two edges of all clocks, then releases them.
    #[track_caller]
    pub fn reset(&mut self) {
        self.set_resets(true);
        self.steps(2);
        self.set_resets(false);
    }

    fn set_resets(&mut self, active: bool) {
        for index in 0..self.module.clocks.len() {
            let Some(reset) = &self.module.clocks[index].reset else {
                continue;
            };
            let port = self.module.inputs.iter().position(|port| port.node == reset.signal);
            let level = Int::from(u8::from(active != reset.active_low));
            if let Some(port) = port {
                self.core.poke(port, &level);
            }
        }
    }

    /// Writes the values of all named signals to a VCD file, from now until
    /// [`Simulator::finish_trace`] or the end of the simulator.
    ///
    /// # Errors
    /// [`SimError::Wave`] if the file cannot be made.
    pub fn trace_vcd(&mut self, path: impl AsRef<Path>) -> Result<(), SimError> {
        self.trace(path.as_ref(), Format::Vcd)
    }

    /// The same in the compressed FST format.
    ///
    /// # Errors
    /// [`SimError::Wave`] if the file cannot be made.
    pub fn trace_fst(&mut self, path: impl AsRef<Path>) -> Result<(), SimError> {
        self.trace(path.as_ref(), Format::Fst)
    }

    fn trace(&mut self, path: &Path, format: Format) -> Result<(), SimError> {
        self.finish_trace()?;
        self.wave = Some(Wave::new(path, format, &self.flat.module, &self.names)?);
        Ok(())
    }

    /// Completes the wave file under way, if there is one.
    ///
    /// # Errors
    /// [`SimError::Wave`] with the first thing that went wrong in writing it.
    pub fn finish_trace(&mut self) -> Result<(), SimError> {
        self.wave.take().map_or(Ok(()), |mut wave| wave.finish())
    }

    /// Rising edges since power-up.
    pub fn cycle(&self) -> u64 {
        self.cycle
    }

    /// Promises and stream contracts broken so far.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

fn no_such_name<'a>(
    module: &Module,
    what: &'static str,
    name: &str,
    available: impl Iterator<Item = &'a str>,
) -> SimError {
    let available: Vec<_> = available.map(|name| format!("`{name}`")).collect();
    SimError::NoSuchName {
        module: module.name.to_string(),
        what,
        name: name.chars().take(80).collect(),
        available: if available.is_empty() { "none".into() } else { available.join(", ") },
    }
}

fn positions(module: &Module) -> HashMap<Arc<str>, usize> {
    module.inputs.iter().enumerate().map(|(index, port)| (port.name.clone(), index)).collect()
}

/// Names of ports, then of registers, then of other signals; the first of a name has it.
fn names(flat: &Module) -> HashMap<Arc<str>, NodeId> {
    let mut names = HashMap::new();
    for port in flat.inputs.iter().chain(&flat.outputs) {
        names.entry(port.name.clone()).or_insert(port.node);
    }
    let named = || flat.ids().filter_map(|(id, node)| Some((node.name.as_ref()?, id, node)));
    let registers = named().filter(|(.., node)| matches!(node.kind, Kind::Register(_)));
    for (name, id, _) in registers.chain(named()) {
        names.entry(name.clone()).or_insert(id);
    }
    names
}
