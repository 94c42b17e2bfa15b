//! One instance of a rust-hdl block, run by rust-hdl's own `update_all`.

use crate::Error;
use crate::port::{Port, PortDirection, ProbedPort, atom_bits, probe_ports};
use hwgen_hdl::netlist::LeafModel;
use hwgen_hdl::{Int, Type};
use num_bigint::BigUint;
use rust_hdl::prelude::*;
use std::sync::Arc;

/// Passes of `update_all` a block may need to settle; rust-hdl's own simulator allows as many.
pub const SETTLE_PASSES: usize = 100;

/// Sets one input of a block.
pub(crate) type Drive<U> = Arc<dyn Fn(&mut U, &BigUint) + Send + Sync>;

/// Sets the clocks and inputs of a block, each in port order.
pub(crate) struct Drives<U> {
    pub(crate) clocks: Vec<Drive<U>>,
    pub(crate) inputs: Vec<Drive<U>>,
}

pub(crate) struct BlockModel<U> {
    name: String,
    block: U,
    drives: Arc<Drives<U>>,
    /// Whether outputs may change with a clock only.
    registered: bool,
    input_types: Vec<Type>,
    outputs: Vec<Output>,
    /// Clocks and inputs of the last update.
    last: Option<(Vec<bool>, Vec<Int>)>,
}

struct Output {
    id: usize,
    port: Port,
    value: Int,
}

impl<U: Block> BlockModel<U> {
    pub(crate) fn new(
        name: String,
        mut block: U,
        drives: Arc<Drives<U>>,
        registered: bool,
    ) -> Self {
        block.connect_all();
        let (mut input_types, mut outputs) = (Vec::new(), Vec::new());
        for ProbedPort { port, id } in probe_ports(&block) {
            match port.direction {
                PortDirection::Input => input_types.push(port.ty),
                PortDirection::Output => outputs.push(Output { id, port, value: Int::ZERO }),
                PortDirection::Clock | PortDirection::InOut => {}
            }
        }
        Self { name, block, drives, registered, input_types, outputs, last: None }
    }

    fn drive(&mut self, clocks: &[bool], inputs: &[Int]) {
        for (drive, &level) in self.drives.clocks.iter().zip(clocks) {
            drive(&mut self.block, &u32::from(level).into());
        }
        for ((drive, value), ty) in self.drives.inputs.iter().zip(inputs).zip(&self.input_types) {
            drive(&mut self.block, ty.to_bits(value).magnitude());
        }
    }

    fn step(&mut self, clocks: &[bool], inputs: &[Int]) -> Result<(), Error> {
        let same_clocks = match &self.last {
            Some((old_clocks, old_inputs)) if old_clocks == clocks => {
                if old_inputs == inputs {
                    return Ok(());
                }
                true
            }
            _ => false,
        };
        self.drive(clocks, inputs);
        settle(&self.name, &mut self.block)?;
        let mut probe = OutputProbe { outputs: &mut self.outputs, next: 0, changed: None };
        self.block.accept("top", &mut probe);
        if let Some(port) = probe.changed.filter(|_| self.registered && same_clocks) {
            return Err(Error::NotRegistered { module: self.name.clone(), port });
        }
        self.last = Some((clocks.to_vec(), inputs.to_vec()));
        Ok(())
    }
}

impl<U: Block + Send> LeafModel for BlockModel<U> {
    /// A register takes what its inputs are in the very call that raises its clock, so data and
    /// a rising clock given together mean "this data was there before the edge".
    ///
    /// # Panics
    /// With the text of [`Error::NotSettled`] or [`Error::NotRegistered`].
    fn update(&mut self, clocks: &[bool], inputs: &[Int], outputs: &mut [Int]) {
        self.step(clocks, inputs).unwrap_or_else(|error| panic!("{error}"));
        for (to, from) in outputs.iter_mut().zip(&self.outputs) {
            to.clone_from(&from.value);
        }
    }
}

fn settle(name: &str, block: &mut dyn Block) -> Result<(), Error> {
    for _ in 0..SETTLE_PASSES {
        block.update_all();
        if !block.has_changed() {
            return Ok(());
        }
    }
    Err(Error::NotSettled { module: name.to_string(), passes: SETTLE_PASSES })
}

/// Refreshes the outputs in one walk; ports come in the same order every time.
struct OutputProbe<'a> {
    outputs: &'a mut [Output],
    next: usize,
    /// The last output found with a new value.
    changed: Option<String>,
}

impl Probe for OutputProbe<'_> {
    fn visit_atom(&mut self, _name: &str, atom: &dyn Atom) {
        if let Some(output) = self.outputs.get_mut(self.next)
            && output.id == atom.id()
        {
            let value = output.port.ty.wrap(atom_bits(atom).into());
            if value != output.value {
                self.changed = Some(output.port.name.clone());
                output.value = value;
            }
            self.next += 1;
        }
    }
}
