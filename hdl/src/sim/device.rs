//! Any engine seen from outside.

use super::Simulator;
use crate::netlist::{ClockId, Module};
use crate::ty::{Int, Type};
use std::sync::Arc;

/// A running design: our engines, Verilator, Icarus, a synthesized netlist. Drivers and monitors
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

    /// [`Device::poke`] with a bit pattern: 64-bit words, the lowest first, zeros above the width.
    ///
    /// # Panics
    /// If there are not as many words as the width takes, or a bit above it is set.
    fn poke_pattern(&mut self, input: usize, words: &[u64]) {
        let ty = self.module().inputs[input].ty;
        check_pattern(ty, words);
        self.poke(input, &ty.from_pattern(words));
    }

    /// [`Device::peek`] as a bit pattern.
    ///
    /// # Panics
    /// If there are not as many words as the width takes.
    fn peek_pattern(&mut self, output: usize, words: &mut [u64]) {
        let ty = self.module().outputs[output].ty;
        check_length(ty, words);
        ty.to_pattern(&self.peek(output), words);
    }

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

    fn poke_pattern(&mut self, input: usize, words: &[u64]) {
        self.set_pattern(input, words);
    }

    fn peek_pattern(&mut self, output: usize, words: &mut [u64]) {
        self.get_pattern(output, words);
    }

    fn tick(&mut self, clocks: &[ClockId]) {
        self.tick_ids(clocks);
    }
}

pub(super) fn check_length(ty: Type, words: &[u64]) {
    assert_eq!(words.len(), ty.words(), "64-bit words of a {ty}");
}

pub(super) fn check_pattern(ty: Type, words: &[u64]) {
    check_length(ty, words);
    let used = ty.width % 64;
    let above = if used == 0 { 0 } else { words[words.len() - 1] >> used };
    assert_eq!(above, 0, "bits above a {ty}");
}
