//! Anything with run-time ports as a rust-hdl block, for rust-hdl's `Simulation`, checks and VCD.

use crate::runtime_atom::RuntimeAtom;
use crate::{Error, Leaf, Model, Port, PortDirection};
use num_bigint::BigUint;
use rust_hdl::prelude::*;

/// A [`Model`] with its ports, at home wherever rust-hdl wants a `Block`.
///
/// Ports are driven and read by name, since their widths are known only at run time; for the same
/// reason rust-hdl cannot check that a parent drives all of them.
/// ```
/// use hwgen_rust_hdl::{ModelBlock, leaves};
/// use rust_hdl::prelude::*;
///
/// let mut block = ModelBlock::from(&leaves::bit_synchronizer(1)?);
/// block.connect_all();
/// for clock in [0_u32, 1, 0, 1] {
///     block.set("sig_in", 1_u32)?;
///     block.set("clock", clock)?;
///     assert!(simulate(&mut block, 10));
/// }
/// assert_eq!(block.get("sig_out")?, 1_u32.into());
/// # Ok::<(), hwgen_rust_hdl::Error>(())
/// ```
pub struct ModelBlock {
    name: String,
    verilog: String,
    model: Box<dyn Model>,
    inputs: Vec<RuntimeAtom>,
    outputs: Vec<RuntimeAtom>,
    /// Buffers for the call of the model, kept to spare allocations.
    input_bits: Vec<BigUint>,
    output_bits: Vec<BigUint>,
    /// The outputs are unknown until the model has run once.
    has_run: bool,
    failure: Option<Error>,
}

impl ModelBlock {
    /// A block with `ports`, behaving as `model`, whose text `verilog` has a module `name`.
    ///
    /// # Errors
    /// [`Error::InOut`]: two-valued models have no such ports.
    pub fn new(
        name: impl Into<String>,
        verilog: impl Into<String>,
        ports: &[Port],
        model: Box<dyn Model>,
    ) -> Result<Self, Error> {
        let name = name.into();
        if let Some(port) = ports
            .iter()
            .find(|port| port.direction == PortDirection::InOut)
        {
            return Err(Error::InOut {
                module: name,
                port: port.name.clone(),
            });
        }
        let is_output = |port: &&Port| port.direction == PortDirection::Output;
        let atoms = |wanted: bool| -> Vec<RuntimeAtom> {
            let ports = ports.iter().filter(|port| is_output(port) == wanted);
            ports.cloned().map(RuntimeAtom::new).collect()
        };
        let (inputs, outputs) = (atoms(false), atoms(true));
        Ok(Self {
            name,
            verilog: verilog.into(),
            model,
            input_bits: vec![BigUint::ZERO; inputs.len()],
            output_bits: vec![BigUint::ZERO; outputs.len()],
            inputs,
            outputs,
            has_run: false,
            failure: None,
        })
    }

    /// Sets an input or clock; as with `Signal::next` it takes effect at the next update.
    ///
    /// # Errors
    /// [`Error::NoSuchPort`] and [`Error::DoesNotFit`].
    pub fn set(&mut self, port: &str, bits: impl Into<BigUint>) -> Result<(), Error> {
        let Some(index) = position(&self.inputs, port) else {
            return Err(self.no_such_port("input", port, &self.inputs));
        };
        let (atom, bits) = (&mut self.inputs[index], bits.into());
        if bits.bits() > atom.port.width as u64 {
            let (module, port, width) = (self.name.clone(), port.into(), atom.port.width);
            return Err(Error::DoesNotFit {
                module,
                port,
                width,
                bits,
            });
        }
        atom.next = bits;
        Ok(())
    }

    /// Inverts a one-bit input: what a test bench does with a clock.
    ///
    /// # Errors
    /// [`Error::NoSuchPort`], and [`Error::DoesNotFit`] for a wider port.
    pub fn toggle(&mut self, port: &str) -> Result<(), Error> {
        let level = self.get(port)?;
        self.set(port, level ^ BigUint::from(1_u32))
    }

    /// The bits of any port as of the last update.
    ///
    /// # Errors
    /// [`Error::NoSuchPort`].
    pub fn get(&self, port: &str) -> Result<BigUint, Error> {
        let atoms = [&self.outputs, &self.inputs];
        let found = atoms
            .iter()
            .find_map(|atoms| Some(&atoms[position(atoms, port)?]));
        match found {
            Some(atom) => Ok(atom.value.clone()),
            None => Err(self.no_such_port("port", port, &self.outputs)),
        }
    }

    /// What stopped the model, if anything did; rust-hdl itself then reports `FailedToConverge`.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    fn no_such_port(&self, what: &'static str, port: &str, atoms: &[RuntimeAtom]) -> Error {
        let known: Vec<_> = atoms.iter().map(|atom| atom.port.name.as_str()).collect();
        let (module, port) = (self.name.clone(), port.to_string());
        Error::NoSuchPort {
            module,
            what,
            port,
            known: known.join(", "),
        }
    }

    fn run(&mut self) {
        for (bits, atom) in self.input_bits.iter_mut().zip(&self.inputs) {
            bits.clone_from(&atom.value);
        }
        if let Err(failure) = self.model.update(&self.input_bits, &mut self.output_bits) {
            self.failure = Some(failure);
        }
        self.has_run = true;
        for (bits, atom) in self.output_bits.iter().zip(&mut self.outputs) {
            atom.next.clone_from(bits);
        }
    }
}

impl From<&Leaf> for ModelBlock {
    fn from(leaf: &Leaf) -> Self {
        Self::new(leaf.name(), leaf.verilog(), leaf.ports(), leaf.model())
            .expect("a leaf has no inout ports, its builder refuses them")
    }
}

fn position(atoms: &[RuntimeAtom], port: &str) -> Option<usize> {
    atoms.iter().position(|atom| atom.port.name == port)
}

impl Logic for ModelBlock {
    fn update(&mut self) {}

    /// An instance of the module, and its text, which several blocks may share.
    fn hdl(&self) -> Verilog {
        let names = self
            .inputs
            .iter()
            .chain(&self.outputs)
            .map(|atom| &atom.port.name);
        let pins: Vec<_> = names.map(|name| format!("    .{name}({name})")).collect();
        let (name, guard) = (&self.name, self.name.to_uppercase());
        Verilog::Wrapper(Wrapper {
            code: format!("{name} inner (\n{}\n);\n", pins.join(",\n")),
            cores: format!(
                "`ifndef {guard}\n`define {guard}\n{}\n`endif\n",
                self.verilog
            ),
        })
    }
}

impl Block for ModelBlock {
    fn connect_all(&mut self) {
        self.connect();
    }

    fn update_all(&mut self) {
        let mut changed = !self.has_run;
        for atom in &mut self.inputs {
            changed |= atom.step();
        }
        if changed {
            self.run();
        }
        for atom in &mut self.outputs {
            atom.step();
        }
    }

    fn has_changed(&self) -> bool {
        let mut atoms = self.inputs.iter().chain(&self.outputs);
        self.failure.is_some() || atoms.any(|atom| atom.changed)
    }

    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        for atom in self.inputs.iter().chain(&self.outputs) {
            probe.visit_atom(&atom.port.name, atom);
        }
        probe.visit_end_scope(name, self);
    }
}
