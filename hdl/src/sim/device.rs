//! Any engine seen from outside.

use super::Simulator;
use crate::netlist::{ClockId, Module};
use crate::ty::Int;
use std::sync::Arc;

/// A running design: our engines, Verilator, Icarus, a synthesised netlist. Drivers and monitors
/// work on any of them.
pub trait Device {
    /// The interface.
    fn module(&self) -> &Arc<Module>;

    /// Sets an input, given by its position in [`Module::inputs`].
    ///
    /// # Panics
    /// If the value does not fit the input's type.
    fn poke(&mut self, input: usize, value: &Int);

    /// The settled value of an output, given by its position in [`Module::outputs`].
    fn peek(&mut self, output: usize) -> Int;

    /// The value of an output and a mask of the bits that are unknown; 4-state engines have some.
    fn peek_known(&mut self, output: usize) -> (Int, Int) {
        (self.peek(output), Int::ZERO)
    }

    /// Simultaneous rising edges of these clocks, then falling ones.
    fn tick(&mut self, clocks: &[ClockId]);
}

impl Device for Simulator {
    fn module(&self) -> &Arc<Module> {
        Simulator::module(self)
    }

    fn poke(&mut self, input: usize, value: &Int) {
        if let Err(error) = self.poke_index(input, value) {
            panic!("{error}");
        }
    }

    fn peek(&mut self, output: usize) -> Int {
        self.peek_index(output)
    }

    fn tick(&mut self, clocks: &[ClockId]) {
        self.tick_ids(clocks);
    }
}
