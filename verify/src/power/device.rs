//! The gates as a [`Device`], so that every driver runs them.

use super::engine::Machine;
use super::netlist::NetId;
use hwgen_hdl::netlist::ClockId;
use hwgen_hdl::sim::Device;
use hwgen_hdl::{Int, Module, u};
use std::sync::Arc;

/// A design's gates, running; what they do is counted.
#[derive(Debug)]
pub struct GateDevice {
    module: Arc<Module>,
    pub(super) machine: Machine,
    inputs: Vec<Vec<NetId>>,
    outputs: Vec<Vec<NetId>>,
}

impl GateDevice {
    pub(super) fn new(module: &Arc<Module>, machine: Machine) -> GateDevice {
        let ports = &machine.compiled.netlist.ports;
        let nets = |name: &str| ports.get(name).cloned().unwrap_or_default();
        let inputs = module.inputs.iter().map(|port| nets(&port.name)).collect();
        let outputs = module.outputs.iter().map(|port| nets(&port.name)).collect();
        GateDevice { module: module.clone(), inputs, outputs, machine }
    }
}

impl Device for GateDevice {
    fn module(&self) -> &Arc<Module> {
        &self.module
    }

    fn poke(&mut self, input: usize, value: &Int) {
        let port = &self.module.inputs[input];
        assert!(port.ty.holds(value), "input `{}`: {value} does not fit {}", port.name, port.ty);
        let mut words = vec![0; port.ty.words()];
        port.ty.to_pattern(value, &mut words);
        self.poke_pattern(input, &words);
    }

    fn peek(&mut self, output: usize) -> Int {
        let ty = self.module.outputs[output].ty;
        let mut words = vec![0; ty.words()];
        self.peek_pattern(output, &mut words);
        ty.wrap(u(ty.width).from_pattern(&words))
    }

    fn poke_pattern(&mut self, input: usize, words: &[u64]) {
        for bit in 0..self.inputs[input].len() {
            let net = self.inputs[input][bit];
            self.machine.set(net, words[bit / 64] >> (bit % 64) & 1 == 1);
        }
    }

    fn peek_pattern(&mut self, output: usize, words: &mut [u64]) {
        self.machine.settle();
        words.fill(0);
        for (bit, &net) in self.outputs[output].iter().enumerate() {
            words[bit / 64] |= u64::from(self.machine.value(net)) << (bit % 64);
        }
    }

    fn tick(&mut self, clocks: &[ClockId]) {
        // the module has one clock
        if !clocks.is_empty() {
            self.machine.tick();
        }
    }
}
