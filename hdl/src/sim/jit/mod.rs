//! The compiled engine.
//!
//! A tick is one straight run through machine code that computes what the registers, memories and
//! assertions need and overwrites the state in place; outputs and internal signals have programs
//! of their own, compiled when first asked for. While no reset is active a program without resets
//! runs.

mod code;
mod helpers;
mod layout;
mod lower;
mod range;
mod schedule;
mod words;

use super::SimError;
use super::core::Core;
use super::flatten::{Flat, source};
use super::power_up::PowerUp;
use crate::netlist::*;
use crate::passes::{fold_constants, share_common};
use crate::ty::Int;
use code::Code;
use cranelift_codegen::isa::OwnedTargetIsa;
use layout::{Layout, load, store};
use schedule::{Goal, Item, is_source, state_of};
use std::collections::HashMap;
use std::sync::Arc;

/// State and programs of a flat module.
pub(super) struct Jit {
    flat: Arc<Flat>,
    target: OwnedTargetIsa,
    /// The module as compiled while a reset is active, and while none is.
    any: Module,
    running: Option<Module>,
    /// Resets that are inputs: slot and level while released.
    released: Vec<(usize, u64)>,
    /// Whether all asynchronous resets are inputs, and whether there are any (or leaves).
    plain_resets: bool,
    acts_between_edges: bool,
    layout: Layout,
    slots: Vec<u64>,
    words: Vec<u64>,
    leaves: Box<helpers::Leaves>,
    programs: HashMap<Goal, usize>,
    codes: Vec<Code>,
    /// The last tick's clocks and reset state, and its program.
    last: Option<(Vec<bool>, bool, usize)>,
    /// Counts changes of inputs and state; for each program, the count when it last ran.
    now: u64,
    ran: HashMap<usize, u64>,
    settled: bool,
    failed: Vec<usize>,
}

impl Jit {
    pub(super) fn new(flat: Arc<Flat>, state: PowerUp) -> Result<Jit, SimError> {
        let module = &flat.module;
        let layout = Layout::new(module);
        let (slots, words) = layout.fill(module, &state);
        let resets = input_resets(module);
        let released = (resets.iter())
            .map(|(_, input, level)| (layout.inputs[input], u64::from(*level)))
            .collect();
        let asynchronous = |clock: &Clock| {
            clock
                .reset
                .as_ref()
                .is_some_and(|reset| reset.kind == ResetKind::Async)
        };
        let plain_resets = module.leaves.is_empty()
            && (module.clocks.iter().enumerate())
                .filter(|(_, clock)| asynchronous(clock))
                .all(|(index, _)| resets.iter().any(|(clock, ..)| *clock == index));
        let leaves = helpers::Leaves::new(module, &layout);
        Ok(Jit {
            target: code::target()?,
            any: simplified(module.clone()),
            running: (!resets.is_empty()).then(|| simplified(without(module, &resets))),
            released,
            plain_resets,
            acts_between_edges: module.clocks.iter().any(asynchronous) || !module.leaves.is_empty(),
            layout,
            slots,
            words,
            leaves,
            programs: HashMap::new(),
            codes: vec![],
            last: None,
            now: 1,
            ran: HashMap::new(),
            settled: false,
            failed: vec![],
            flat,
        })
    }

    /// Whether every reset that is an input is released.
    fn is_running(&self) -> bool {
        !self.released.is_empty()
            && self
                .released
                .iter()
                .all(|&(slot, level)| self.slots[slot] == level)
    }

    /// The program for a goal, compiled if it is new.
    fn program(&mut self, goal: Goal) -> usize {
        if let Some(&program) = self.programs.get(&goal) {
            return program;
        }
        let running = match &goal {
            Goal::Tick { running, .. } | Goal::Settle { running } => *running,
            Goal::Show(_) => false,
        };
        let module = self
            .running
            .as_ref()
            .filter(|_| running)
            .unwrap_or(&self.any);
        let ticks = |clock: ClockId| match &goal {
            Goal::Tick { clocks, .. } => clocks[clock.index()],
            _ => false,
        };
        let schedule = schedule::schedule(module, &goal);
        let order = schedule
            .functions
            .iter()
            .flatten()
            .filter_map(|item| match item {
                Item::Node(id) => Some(*id),
                _ => None,
            });
        let ranges = range::ranges(module, order);
        let program = lower::Program {
            module,
            layout: &mut self.layout,
            ranges: &ranges,
            schedule: &schedule,
            ticks: &ticks,
            crossing: HashMap::new(),
            kept: HashMap::new(),
            leaves: &raw const *self.leaves as usize,
        };
        let code =
            Code::compile(self.target.clone(), program).unwrap_or_else(|error| panic!("{error}"));
        self.slots.resize(self.layout.size(), 0);
        self.codes.push(code);
        self.programs.insert(goal, self.codes.len() - 1);
        self.codes.len() - 1
    }

    fn execute(&mut self, program: usize, n: u64) -> u64 {
        let done = self.codes[program].run(&mut self.slots, &mut self.words, n);
        if let Some(panic) = self.leaves.panic.take() {
            std::panic::resume_unwind(panic);
        }
        done
    }

    /// Makes outputs visible, lets asynchronous resets act and leaves see their inputs.
    fn settle(&mut self) {
        if !self.settled {
            let running = self.is_running();
            let program = self.program(Goal::Settle { running });
            self.execute(program, 1);
            self.settled = true;
        }
    }

    fn change(&mut self) {
        self.now += 1;
        self.settled = false;
    }
}

impl Core for Jit {
    fn poke(&mut self, input: usize, value: &Int) {
        // A reset must have acted before it is released.
        if self.acts_between_edges && !(self.plain_resets && self.is_running()) {
            self.settle();
        }
        let port = &self.flat.module.inputs[input];
        store(
            &mut self.slots,
            self.layout.inputs[&port.node],
            value,
            port.ty,
        );
        self.change();
    }

    fn peek(&mut self, node: NodeId) -> Int {
        let (node, ty) = (source(&self.any, node), self.flat.module.ty(node));
        if let Kind::Constant(value) = &self.any.node(node).kind {
            return value.clone();
        }
        if let Some(&slot) = self.layout.inputs.get(&node) {
            return load(&self.slots, slot, ty);
        }
        let is_output = |jit: &Jit| {
            let mut outputs = jit.any.outputs.iter();
            outputs.any(|port| source(&jit.any, port.node) == node)
        };
        match state_of(&self.any, node) {
            Some(state) => {
                if !is_source(&self.any, node) {
                    self.settle();
                }
                let slot = match state {
                    schedule::State::Register(index) => self.layout.registers[index],
                    schedule::State::Read(memory, port) => self.layout.reads[memory][port],
                };
                return load(&self.slots, slot, ty);
            }
            None if self.settled && self.layout.views.contains_key(&node) && is_output(self) => {}
            None if is_output(self) => self.settle(),
            None => self.show(&[node]),
        }
        load(&self.slots, self.layout.views[&node], ty)
    }

    fn show(&mut self, nodes: &[NodeId]) {
        let program = self.program(Goal::Show(nodes.to_vec()));
        if self.ran.insert(program, self.now) != Some(self.now) {
            self.execute(program, 1);
        }
    }

    fn tick(&mut self, ticking: &[bool]) -> bool {
        self.run(ticking, 1);
        self.failed.is_empty()
    }

    fn run(&mut self, ticking: &[bool], n: u64) -> u64 {
        let running = self.is_running();
        let program = match &self.last {
            Some((clocks, state, program)) if clocks == ticking && *state == running => *program,
            _ => {
                let clocks = ticking.to_vec();
                let program = self.program(Goal::Tick {
                    clocks: clocks.clone(),
                    running,
                });
                self.leaves.ticking.clone_from(&clocks);
                self.last = Some((clocks, running, program));
                program
            }
        };
        let done = self.execute(program, n);
        self.change();
        self.failed.clear();
        let assertions = self.flat.module.assertions.iter().enumerate();
        for (index, assertion) in assertions {
            if ticking[assertion.clock.index()] && self.slots[self.layout.checks + index] == 0 {
                self.failed.push(index);
            }
        }
        done
    }

    fn failed(&self) -> &[usize] {
        &self.failed
    }
}

/// Every clock whose reset is an input: the clock, the input and its level while released.
fn input_resets(module: &Module) -> Vec<(usize, NodeId, bool)> {
    let input = |(index, clock): (usize, &Clock)| {
        let reset = clock.reset.as_ref()?;
        let (mut signal, mut released) = (source(module, reset.signal), reset.active_low);
        while let Kind::Unary(UnaryOp::Not, a) = module.node(signal).kind {
            (signal, released) = (source(module, a), !released);
        }
        (module.node(signal).kind == Kind::Input).then_some((index, signal, released))
    };
    module.clocks.iter().enumerate().filter_map(input).collect()
}

/// The module with these resets released for good.
fn without(module: &Module, resets: &[(usize, NodeId, bool)]) -> Module {
    let mut module = module.clone();
    for &(clock, input, level) in resets {
        module.clocks[clock].reset = None;
        module.nodes[input.index()].kind = Kind::Constant(Int::from(u8::from(level)));
    }
    module
}

/// The module with everything folded and shared; ids, outputs and state stay.
fn simplified(mut module: Module) -> Module {
    // Names are kept out of the way of sharing: we know nodes by their ids.
    module.nodes.iter_mut().for_each(|node| node.name = None);
    let outputs = module.outputs.clone();
    Module {
        outputs,
        ..share_common(&fold_constants(&module))
    }
}
