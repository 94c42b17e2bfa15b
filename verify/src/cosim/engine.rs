//! The engines by name.

use super::yosys::{gates_in_icarus, gates_in_verilator};
use super::{Compiled, CosimError, IcarusDevice, Optimize};
use hwgen_hdl::Module;
use hwgen_hdl::sim::{self, Device, Initial, SimOptions, Simulator};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Everything that can run a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Our reference: the definition of each operator, run.
    Interpreter,
    /// Our compiled engine.
    Jit,
    /// The Verilog in Verilator.
    Verilator,
    /// The Verilog in Icarus, four-state.
    Icarus,
    /// The gates Yosys makes of the Verilog, in Verilator.
    Yosys,
    /// The gates Yosys makes of the Verilog, in Icarus.
    YosysIcarus,
}

impl Engine {
    /// All of them, the reference first.
    pub const ALL: [Engine; 6] = [
        Engine::Interpreter,
        Engine::Jit,
        Engine::Verilator,
        Engine::Icarus,
        Engine::Yosys,
        Engine::YosysIcarus,
    ];

    /// The name on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Engine::Interpreter => "interpreter",
            Engine::Jit => "jit",
            Engine::Verilator => "verilator",
            Engine::Icarus => "icarus",
            Engine::Yosys => "yosys",
            Engine::YosysIcarus => "yosys-icarus",
        }
    }

    /// Whether the engine takes over the power-up state it is given, so that it must agree with
    /// others even on what nothing has set. Four-state engines show that as unknown, and Yosys
    /// may choose what suits it.
    pub const fn keeps_power_up(self) -> bool {
        matches!(self, Engine::Interpreter | Engine::Jit | Engine::Verilator)
    }

    /// Starts the engine on a module, promises unchecked: random inputs break them.
    ///
    /// `initial` is the content of state at power-up. Icarus starts unknown whatever it says, and
    /// the random bits of Verilator are its own.
    pub fn open(
        self,
        module: &Arc<Module>,
        initial: Initial,
    ) -> Result<Box<dyn Device>, CosimError> {
        self.start(module, SimOptions { initial, check_contracts: false, ..SimOptions::default() })
    }

    /// Starts the engine on a module from zeros, promises checked if it is one of ours.
    pub fn open_checked(self, module: &Arc<Module>) -> Result<Box<dyn Device>, CosimError> {
        self.start(module, SimOptions::default())
    }

    fn start(
        self,
        module: &Arc<Module>,
        options: SimOptions,
    ) -> Result<Box<dyn Device>, CosimError> {
        let ours = |engine| Simulator::try_with_options(module, SimOptions { engine, ..options });
        Ok(match self {
            Engine::Interpreter => Box::new(ours(sim::Engine::Interpreter)?),
            Engine::Jit => Box::new(ours(sim::Engine::Jit)?),
            Engine::Verilator => {
                Box::new(Compiled::new(module, Optimize::Build)?.device(options.initial)?)
            }
            Engine::Icarus => Box::new(IcarusDevice::open(module)?),
            Engine::Yosys => Box::new(gates_in_verilator(module)?),
            Engine::YosysIcarus => Box::new(gates_in_icarus(module)?),
        })
    }

    /// Reads a list such as `jit,icarus`.
    pub fn parse_list(list: &str) -> Result<Vec<Engine>, CosimError> {
        list.split(',').map(str::parse).collect()
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Engine {
    type Err = CosimError;

    fn from_str(name: &str) -> Result<Engine, CosimError> {
        let found = Engine::ALL.into_iter().find(|engine| engine.name() == name.trim());
        found.ok_or_else(|| CosimError::UnknownEngine {
            name: name.trim().chars().take(80).collect(),
            known: Engine::ALL.map(Engine::name).join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_read_by_name() {
        assert_eq!(Engine::parse_list("jit, icarus").unwrap(), [Engine::Jit, Engine::Icarus]);
        assert_eq!(
            Engine::parse_list("jit,modelsim").unwrap_err().to_string(),
            "no engine `modelsim`; there are \
             interpreter, jit, verilator, icarus, yosys, yosys-icarus"
        );
    }
}
