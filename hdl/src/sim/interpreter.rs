//! The reference engine: [`crate::semantics`] run node by node.

use super::core::Core;
use super::flatten::Flat;
use super::power_up::PowerUp;
use crate::check::combinational_order;
use crate::netlist::*;
use crate::semantics;
use crate::ty::Int;
use num_traits::{One, ToPrimitive, Zero};
use std::sync::Arc;

/// State and settled values of a flat module.
pub(super) struct Interpreter {
    flat: Arc<Flat>,
    order: Arc<[NodeId]>,
    /// For each node, its value; right while `settled`.
    values: Vec<Int>,
    settled: bool,
    /// Whether a reset acts between edges, so that a short pulse of it must not be lost.
    async_resets: bool,
    state: PowerUp,
    leaves: Vec<LeafState>,
    failed: Vec<usize>,
    counted: Vec<Counted>,
}

/// A node whose changes are counted.
struct Counted {
    node: NodeId,
    /// Its bits at the last tick, if there was one.
    last: Option<Int>,
    toggles: u64,
}

struct LeafState {
    model: Box<dyn LeafModel>,
    outputs: Vec<Int>,
}

impl Interpreter {
    pub(super) fn new(flat: Arc<Flat>, mut state: PowerUp) -> Interpreter {
        let module = &flat.module;
        for (words, memory) in state.memories.iter_mut().zip(&module.memories) {
            words.resize(memory.depth, Int::ZERO);
        }
        let order = combinational_order(module).expect("finished modules have no loop").into();
        let fresh = |used: &LeafUse| LeafState {
            model: (used.leaf.model)(),
            outputs: vec![Int::ZERO; used.outputs.len()],
        };
        let leaves = module.leaves.iter().map(fresh).collect();
        let async_resets = has_async_resets(module);
        let values = vec![Int::ZERO; module.nodes.len()];
        let (settled, failed) = (false, vec![]);
        Interpreter {
            order,
            values,
            settled,
            async_resets,
            state,
            leaves,
            failed,
            flat,
            counted: vec![],
        }
    }

    fn value(&self, id: NodeId) -> &Int {
        &self.values[id.index()]
    }

    fn is_set(&self, id: NodeId) -> bool {
        !self.value(id).is_zero()
    }

    fn settle(&mut self) {
        if self.settled {
            return;
        }
        let flat = self.flat.clone();
        for &id in self.order.clone().iter() {
            if let Kind::LeafOutput { leaf, .. } = flat.module.node(id).kind {
                self.update_leaf(leaf, &[]);
            }
            if let Some(value) = self.evaluate(&flat.module, id) {
                self.values[id.index()] = value;
            }
        }
        // A leaf with memory between edges must have seen all its settled inputs.
        for leaf in 0..self.leaves.len() {
            self.update_leaf(LeafId::new(leaf), &[]);
        }
        if self.async_resets {
            for (content, register) in self.state.registers.iter_mut().zip(&flat.module.registers) {
                content.clone_from(&self.values[register.node.index()]);
            }
        }
        self.settled = true;
    }

    /// Lets a leaf settle with the values known so far; the `ticking` clocks are high.
    fn update_leaf(&mut self, leaf: LeafId, ticking: &[bool]) {
        let used = &self.flat.module.leaves[leaf.index()];
        let level = |id: &ClockId| ticking.get(id.index()).is_some_and(|high| *high);
        let clocks: Vec<bool> = used.clocks.iter().map(level).collect();
        let inputs: Vec<Int> = used.inputs.iter().map(|&input| self.value(input).clone()).collect();
        let state = &mut self.leaves[leaf.index()];
        state.model.update(&clocks, &inputs, &mut state.outputs);
    }

    /// The value of a node from the values of those before it; `None` for an input.
    fn evaluate(&self, module: &Module, id: NodeId) -> Option<Int> {
        let node = module.node(id);
        let value = match &node.kind {
            Kind::Input => return None,
            Kind::Constant(value) => value.clone(),
            Kind::Unary(op, a) => semantics::unary(*op, self.value(*a), module.ty(*a), node.ty),
            Kind::Binary(op, a, b) => {
                semantics::binary(*op, self.value(*a), self.value(*b), module.ty(*a), node.ty)
            }
            Kind::Mux { select, on_true, on_false } => {
                self.value(if self.is_set(*select) { *on_true } else { *on_false }).clone()
            }
            Kind::Concat(parts) => {
                semantics::concat(parts.iter().map(|&part| (module.ty(part), self.value(part))))
            }
            Kind::Slice { of, low } => {
                semantics::slice(self.value(*of), module.ty(*of), *low, node.ty)
            }
            Kind::Cast(a) => node.ty.wrap(self.value(*a).clone()),
            Kind::Wire(driver) => self.value((*driver)?).clone(),
            Kind::Register(id) => {
                let register = &module.registers[id.index()];
                let reset = module.clocks[register.clock.index()].reset.as_ref();
                match (reset, &register.reset_value) {
                    (Some(reset), Some(value))
                        if reset.kind == ResetKind::Async && self.in_reset(reset) =>
                    {
                        value.clone()
                    }
                    _ => self.state.registers[id.index()].clone(),
                }
            }
            Kind::MemoryRead { memory, port } => {
                let read = &module.memories[memory.index()].reads[*port];
                match read.sync {
                    Some(_) => self.state.reads[memory.index()][*port].clone(),
                    None => self.word(*memory, read.address),
                }
            }
            Kind::InstanceOutput { .. } => unreachable!("flat modules have no instances"),
            Kind::LeafOutput { leaf, port } => {
                node.ty.wrap(self.leaves[leaf.index()].outputs[*port].clone())
            }
        };
        Some(value)
    }

    fn in_reset(&self, reset: &Reset) -> bool {
        self.is_set(reset.signal) != reset.active_low
    }

    /// The word at an address; 0 beyond the depth.
    fn word(&self, memory: MemoryId, address: NodeId) -> Int {
        let words = &self.state.memories[memory.index()];
        let word = self.value(address).to_usize().and_then(|address| words.get(address));
        word.cloned().unwrap_or_default()
    }

    /// What a register holds after an edge of its clock.
    fn next(&self, register: &Register) -> Int {
        let reset = self.flat.module.clocks[register.clock.index()].reset.as_ref();
        match &register.reset_value {
            Some(value) if reset.is_some_and(|reset| self.in_reset(reset)) => value.clone(),
            _ if register.clear.is_some_and(|clear| self.is_set(clear)) => {
                register.clear_value.clone()
            }
            _ if register.enable.is_none_or(|enable| self.is_set(enable)) => {
                self.value(register.next).clone()
            }
            _ => self.value(register.node).clone(),
        }
    }

    /// The writes at this edge to a memory: address and new word, in the order of the ports.
    fn write(&mut self, memory: &Memory, index: usize, ticking: &[bool]) {
        for port in memory.writes.iter().filter(|port| ticking[port.clock.index()]) {
            let address = self.value(port.address).to_usize();
            let Some(address) = address.filter(|&address| address < memory.depth) else {
                continue;
            };
            if !self.is_set(port.enable) {
                continue;
            }
            let old = &self.state.memories[index][address];
            let new = match port.mask {
                None => self.value(port.data).clone(),
                Some(mask) => {
                    let lanes = self.flat.module.ty(mask).width;
                    masked(memory, old, self.value(port.data), self.value(mask), lanes)
                }
            };
            self.state.memories[index][address] = new;
        }
    }
}

/// `old` with the lanes that `mask` lets through taken from `new`.
fn masked(memory: &Memory, old: &Int, new: &Int, mask: &Int, lanes: u32) -> Int {
    let width = memory.word.width / lanes;
    let lane: Int = (Int::one() << width) - 1;
    let chosen = (0..lanes)
        .filter(|&i| mask.bit(u64::from(i)))
        .fold(Int::ZERO, |bits, i| bits | (&lane << (i * width)));
    let (old, new) = (memory.word.to_bits(old), memory.word.to_bits(new));
    let kept = &old ^ (&old & &chosen);
    memory.word.wrap(kept | (new & chosen))
}

/// Whether a register of the module has an asynchronous reset.
pub(super) fn has_async_resets(module: &Module) -> bool {
    let resets = module.clocks.iter().filter_map(|clock| clock.reset.as_ref());
    resets.into_iter().any(|reset| reset.kind == ResetKind::Async)
}

impl Core for Interpreter {
    fn poke(&mut self, input: usize, value: &Int) {
        if self.async_resets || !self.leaves.is_empty() {
            self.settle();
        }
        let node = self.flat.module.inputs[input].node;
        self.values[node.index()].clone_from(value);
        self.settled = false;
    }

    fn peek(&mut self, node: NodeId) -> Int {
        self.settle();
        self.value(node).clone()
    }

    fn count(&mut self, nodes: Vec<NodeId>) {
        let fresh = |node| Counted { node, last: None, toggles: 0 };
        self.counted = nodes.into_iter().map(fresh).collect();
    }

    fn toggles(&self) -> Vec<u64> {
        self.counted.iter().map(|counted| counted.toggles).collect()
    }

    fn tick(&mut self, ticking: &[bool]) -> bool {
        self.settle();
        let flat = self.flat.clone();
        let module = &flat.module;
        for counted in &mut self.counted {
            let bits = module.ty(counted.node).to_bits(&self.values[counted.node.index()]);
            if let Some(last) = counted.last.take() {
                let changed = (last ^ &bits).iter_u64_digits().map(u64::count_ones).sum::<u32>();
                counted.toggles += u64::from(changed);
            }
            counted.last = Some(bits);
        }
        self.failed = (module.assertions.iter().enumerate())
            .filter(|(_, it)| ticking[it.clock.index()] && !self.is_set(it.condition))
            .map(|(index, _)| index)
            .collect();
        for leaf in 0..self.leaves.len() {
            self.update_leaf(LeafId::new(leaf), ticking);
            self.update_leaf(LeafId::new(leaf), &[]);
        }
        for (index, register) in module.registers.iter().enumerate() {
            if ticking[register.clock.index()] {
                self.state.registers[index] = self.next(register);
            }
        }
        // Reads before writes: they show the word from before the edge.
        for (index, memory) in module.memories.iter().enumerate() {
            for (port, read) in memory.reads.iter().enumerate() {
                if let Some((clock, enable)) = read.sync
                    && ticking[clock.index()]
                    && self.is_set(enable)
                {
                    self.state.reads[index][port] = self.word(MemoryId::new(index), read.address);
                }
            }
            self.write(memory, index, ticking);
        }
        self.settled = false;
        self.failed.is_empty()
    }

    fn failed(&self) -> &[usize] {
        &self.failed
    }
}
