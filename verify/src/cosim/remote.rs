//! A simulator in another process as a [`Device`].
//!
//! Pokes and ticks are only noted; they travel together when an output is looked at, so that a
//! cycle costs one write and one read, whatever the number of ports.

use super::CosimError;
use super::process::Process;
use super::survive::died;
use hwgen_hdl::netlist::ClockId;
use hwgen_hdl::sim::Device;
use hwgen_hdl::{Int, Module, Type, u};
use num_traits::Zero;
use std::io::{self, BufReader};
use std::process::ChildStdout;
use std::sync::Arc;

/// How requests and answers are written.
pub trait Language {
    /// Sets an input to a bit pattern.
    fn poke(requests: &mut Vec<u8>, input: usize, bits: &Int, width: u32);
    /// Rising, then falling edges of the clocks whose bits are set.
    fn tick(requests: &mut Vec<u8>, clocks: u32);
    /// Asks for all outputs.
    fn peek(requests: &mut Vec<u8>);
    /// Reads all outputs, of these widths: bit patterns, and masks of the unknown bits.
    fn answer(
        from: &mut BufReader<ChildStdout>,
        widths: &[u32],
        outputs: &mut Vec<(Int, Int)>,
    ) -> io::Result<()>;
}

/// A simulator in another process.
///
/// If the process dies or hangs, its methods of [`Device`] end the run that
/// [`survive`](super::survive) began; outside of one they panic.
pub struct Remote<L: Language> {
    module: Arc<Module>,
    process: Process,
    widths: Vec<u32>,
    /// Bit patterns of the inputs as last sent.
    inputs: Vec<Int>,
    /// Bit patterns of the outputs and their unknown bits, if nothing happened since.
    outputs: Vec<(Int, Int)>,
    fresh: bool,
    language: std::marker::PhantomData<L>,
}

impl<L: Language> Remote<L> {
    pub(super) fn new(module: &Arc<Module>, process: Process) -> Result<Remote<L>, CosimError> {
        if module.clocks.len() > 32 {
            let (name, clocks) = (module.name.to_string(), module.clocks.len());
            return Err(CosimError::TooManyClocks { module: name, clocks });
        }
        Ok(Remote {
            process,
            widths: module.outputs.iter().map(|port| port.ty.width).collect(),
            inputs: vec![Int::ZERO; module.inputs.len()],
            outputs: vec![],
            fresh: false,
            module: module.clone(),
            language: std::marker::PhantomData,
        })
    }

    /// Sets an input; an error if the process died.
    pub fn try_poke(&mut self, input: usize, value: &Int) -> Result<(), CosimError> {
        let Type { width, .. } = self.module.inputs[input].ty;
        let bits = u(width).wrap(value.clone());
        if self.inputs[input] != bits {
            L::poke(self.process.requests(), input, &bits, width);
            self.inputs[input] = bits;
            self.fresh = false;
            self.process.send_if_long()?;
        }
        Ok(())
    }

    /// Rising, then falling edges; an error if the process died.
    pub fn try_tick(&mut self, clocks: &[ClockId]) -> Result<(), CosimError> {
        let mask = clocks.iter().fold(0, |mask, clock| mask | 1 << clock.index());
        L::tick(self.process.requests(), mask);
        self.fresh = false;
        self.process.send_if_long()
    }

    /// An output's value and unknown bits; an error if the process died.
    pub fn try_peek(&mut self, output: usize) -> Result<(Int, Int), CosimError> {
        if !self.fresh {
            L::peek(self.process.requests());
            let (widths, outputs) = (&self.widths, &mut self.outputs);
            outputs.clear();
            self.process.ask(|from| L::answer(from, widths, outputs))?;
            self.fresh = true;
        }
        let (bits, unknown) = self.outputs[output].clone();
        Ok((self.module.outputs[output].ty.wrap(bits), unknown))
    }
}

impl<L: Language> Device for Remote<L> {
    fn module(&self) -> &Arc<Module> {
        &self.module
    }

    fn poke(&mut self, input: usize, value: &Int) {
        let port = &self.module.inputs[input];
        assert!(port.ty.holds(value), "input `{}`: {value} does not fit {}", port.name, port.ty);
        self.try_poke(input, value).unwrap_or_else(|error| died(error));
    }

    fn peek(&mut self, output: usize) -> Int {
        self.peek_known(output).0
    }

    fn peek_known(&mut self, output: usize) -> (Int, Int) {
        self.try_peek(output).unwrap_or_else(|error| died(error))
    }

    fn tick(&mut self, clocks: &[ClockId]) {
        self.try_tick(clocks).unwrap_or_else(|error| died(error));
    }
}

/// Whether every bit is known.
pub(super) fn is_known(unknown: &Int) -> bool {
    unknown.is_zero()
}
