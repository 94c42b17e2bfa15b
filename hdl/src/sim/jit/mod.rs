//! The compiled engine.
//!
//! A tick is one straight run through machine code that computes what the registers, memories and
//! assertions need and overwrites the state in place; outputs and internal signals have programs
//! of their own, compiled when first asked for. While no reset is active a program without resets
//! runs.

mod code;
mod gate;
mod helpers;
mod item;
mod layout;
mod lower;
mod range;
mod schedule;
#[cfg(test)]
mod tests;
mod words;

use super::SimError;
use super::core::Core;
use super::flatten::{Flat, source};
use super::power_up::PowerUp;
use crate::netlist::*;
use crate::passes::{fold_constants, share_common};
use crate::ty::{Int, Type, u};
use code::Code;
use cranelift_codegen::isa::OwnedTargetIsa;
use item::{Goal, Item, is_source, state_of};
use layout::{Layout, load, store};
use schedule::Limits;

use std::collections::HashMap;
use std::sync::Arc;

/// So many internal signals get a program each before one shows them all.
const SEPARATE_SIGNALS: usize = 4;

/// What it takes to look at a value.
#[derive(Clone, Copy)]
enum Place {
    /// Nothing.
    Slot,
    /// Its asynchronous reset must have acted.
    Held,
    /// This output must be settled.
    Output(NodeId),
    /// This node must be computed.
    Inside(NodeId),
}

/// State and programs of a flat module.
pub(super) struct Jit {
    flat: Arc<Flat>,
    target: OwnedTargetIsa,
    limits: Limits,
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
    /// The programs that settle, with any resets and with none.
    settles: [Option<usize>; 2],
    /// The nodes last shown, and the program that does.
    last_show: Option<(Vec<NodeId>, usize)>,
    /// Internal signals asked for, and whether all named ones were added to them.
    asked: Vec<NodeId>,
    asked_all: bool,
    /// For each input, its slot and type.
    inputs: Vec<(usize, Type)>,
    /// For each node that was looked at, where to look.
    places: Vec<Option<(Place, usize)>>,
    /// Counts changes of inputs and state; for each node, the count when it was last shown.
    now: u64,
    fresh: Vec<u64>,
    settled: bool,
    failed: Vec<usize>,
    /// Nodes whose changes are counted, and whether there is a last value yet.
    counted: Arc<[NodeId]>,
    counting: bool,
}

impl Jit {
    pub(super) fn new(flat: Arc<Flat>, state: PowerUp) -> Result<Jit, SimError> {
        Jit::with_limits(flat, state, Limits::NORMAL)
    }

    fn with_limits(flat: Arc<Flat>, state: PowerUp, limits: Limits) -> Result<Jit, SimError> {
        let module = &flat.module;
        let resets = input_resets(module);
        let any = simplified(module.clone());
        let running = (!resets.is_empty()).then(|| simplified(without(module, &resets)));
        let layout = Layout::new(module, &update_order(running.as_ref().unwrap_or(&any), limits));
        let (slots, words) = layout.fill(module, &state);
        let released = (resets.iter())
            .map(|(_, input, level)| (layout.inputs[input], u64::from(*level)))
            .collect();
        let asynchronous = |clock: &Clock| {
            clock.reset.as_ref().is_some_and(|reset| reset.kind == ResetKind::Async)
        };
        let plain_resets = module.leaves.is_empty()
            && (module.clocks.iter().enumerate())
                .filter(|(_, clock)| asynchronous(clock))
                .all(|(index, _)| resets.iter().any(|(clock, ..)| *clock == index));
        let inputs =
            module.inputs.iter().map(|port| (layout.inputs[&port.node], port.ty)).collect();
        let leaves = helpers::Leaves::new(module, &layout);
        Ok(Jit {
            target: code::target()?,
            limits,
            any,
            running,
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
            fresh: vec![0; module.nodes.len()],
            places: vec![None; module.nodes.len()],
            last_show: None,
            asked: vec![],
            asked_all: false,
            settles: [None; 2],
            inputs,
            settled: false,
            failed: vec![],
            counted: Arc::default(),
            counting: false,
            flat,
        })
    }

    /// Whether every reset that is an input is released.
    fn is_running(&self) -> bool {
        !self.released.is_empty()
            && self.released.iter().all(|&(slot, level)| self.slots[slot] == level)
    }

    /// The program for a goal, compiled if it is new.
    fn program(&mut self, goal: Goal) -> usize {
        if let Some(&program) = self.programs.get(&goal) {
            return program;
        }
        let running = match &goal {
            Goal::Tick { running, .. } | Goal::Settle { running, .. } => *running,
            Goal::Show(_) => false,
        };
        let module = self.running.as_ref().filter(|_| running).unwrap_or(&self.any);
        let ticks = |clock: ClockId| match &goal {
            Goal::Tick { clocks, .. } => clocks[clock.index()],
            _ => false,
        };
        let schedule = schedule::schedule(module, &goal, self.limits);
        let order = schedule.functions.iter().flatten().filter_map(|item| match item {
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
            recent: self.limits.recent,
            leaves: &raw const *self.leaves as usize,
        };
        let code =
            Code::compile(self.target.clone(), program).unwrap_or_else(|error| panic!("{error}"));
        self.slots.resize(self.layout.size(), 0);
        self.codes.push(code);
        self.programs.insert(goal, self.codes.len() - 1);
        self.codes.len() - 1
    }

    fn execute(&mut self, program: usize, n: u64) -> (u64, bool) {
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
            let program = match self.settles[usize::from(running)] {
                Some(program) => program,
                None => self.program(Goal::Settle { outputs: self.outputs(), running }),
            };
            self.settles[usize::from(running)] = Some(program);
            self.execute(program, 1);
            self.settled = true;
        }
    }

    /// The outputs that must be computed.
    fn outputs(&self) -> Vec<NodeId> {
        let outputs = self.any.outputs.iter().map(|port| source(&self.any, port.node));
        outputs.filter(|&node| !is_source(&self.any, node)).collect()
    }

    fn change(&mut self) {
        self.now += 1;
        self.settled = false;
    }

    /// The slot and type of an input that is about to change.
    fn before_poke(&mut self, input: usize) -> (usize, Type) {
        // A reset must have acted before it is released.
        if self.acts_between_edges && !(self.plain_resets && self.is_running()) {
            self.settle();
        }
        self.change();
        self.inputs[input]
    }

    /// Makes a node's value right and returns its slot.
    fn refresh(&mut self, node: NodeId) -> usize {
        let (place, slot) = match self.places[node.index()] {
            Some(place) => place,
            None => {
                let place = self.locate(node);
                self.places[node.index()] = Some(place);
                place
            }
        };
        match place {
            Place::Slot => {}
            Place::Output(node) | Place::Inside(node) if self.fresh[node.index()] == self.now => {}
            Place::Held | Place::Output(_) => self.settle(),
            Place::Inside(node) => self.show_inside(node),
        }
        slot
    }

    /// Shows one internal signal; together with all named ones once several have been asked for.
    fn show_inside(&mut self, node: NodeId) {
        if !self.asked.contains(&node) {
            self.asked.push(node);
        }
        if self.asked.len() > SEPARATE_SIGNALS && !self.asked_all {
            self.asked_all = true;
            let named = self.flat.module.ids().filter(|(_, node)| node.name.is_some());
            self.asked.extend(named.map(|(id, _)| source(&self.any, id)));
            self.asked.sort();
            self.asked.dedup();
        }
        match self.asked_all {
            true => {
                let asked = std::mem::take(&mut self.asked);
                self.show(&asked);
                self.asked = asked;
            }
            false => self.show(&[node]),
        }
    }

    /// The slot of the number of a node's changes.
    fn counter(&self, node: NodeId) -> usize {
        self.layout.counters[&node] + layout::limbs(self.flat.module.ty(node))
    }

    fn locate(&mut self, node: NodeId) -> (Place, usize) {
        let node = source(&self.any, node);
        if let Some(&slot) = self.layout.inputs.get(&node) {
            return (Place::Slot, slot);
        }
        if let Some(state) = state_of(&self.any, node) {
            let place = if is_source(&self.any, node) { Place::Slot } else { Place::Held };
            return (place, self.layout.state(state));
        }
        let is_output = |port: &Port| source(&self.any, port.node) == node;
        let place = match &self.any.node(node).kind {
            Kind::Constant(_) => Place::Slot,
            _ if self.any.outputs.iter().any(is_output) => Place::Output(node),
            _ => Place::Inside(node),
        };
        let ty = self.flat.module.ty(node);
        let slot = self.layout.view(node, ty);
        self.slots.resize(self.layout.size(), 0);
        if let Kind::Constant(value) = &self.any.node(node).kind {
            store(&mut self.slots, slot, value, ty);
        }
        (place, slot)
    }
}

impl Core for Jit {
    fn poke(&mut self, input: usize, value: &Int) {
        let port = self.before_poke(input);
        store(&mut self.slots, port.0, value, port.1);
    }

    fn poke_word(&mut self, input: usize, value: u64) {
        let port = self.before_poke(input);
        self.slots[port.0] = value;
    }

    fn poke_pattern(&mut self, input: usize, ty: Type, words: &[u64]) {
        let (slot, _) = self.before_poke(input);
        // an assignment each: a call to copy costs more than most ports' few words
        self.slots[slot..].iter_mut().zip(words).for_each(|(to, from)| *to = *from);
        let (last, spare) = (slot + words.len() - 1, 64 * words.len() as u32 - ty.width);
        if ty.signed {
            self.slots[last] = ((self.slots[last] << spare) as i64 >> spare) as u64;
        }
    }

    fn peek_pattern(&mut self, node: NodeId, ty: Type, words: &mut [u64]) {
        let slot = self.refresh(node);
        words.iter_mut().zip(&self.slots[slot..]).for_each(|(to, from)| *to = *from);
        let (last, spare) = (words.len() - 1, 64 * words.len() as u32 - ty.width);
        words[last] = words[last] << spare >> spare;
    }

    fn peek(&mut self, node: NodeId) -> Int {
        let slot = self.refresh(node);
        load(&self.slots, slot, self.flat.module.ty(node))
    }

    fn peek_word(&mut self, node: NodeId) -> u64 {
        let slot = self.refresh(node);
        self.slots[slot]
    }

    fn show(&mut self, nodes: &[NodeId]) {
        let program = match &self.last_show {
            Some((last, program)) if last == nodes => *program,
            _ => {
                let inside = nodes.iter().map(|&node| source(&self.any, node));
                let inside = inside.filter(|&node| !is_source(&self.any, node)).collect();
                let program = self.program(Goal::Show(inside));
                self.last_show = Some((nodes.to_vec(), program));
                program
            }
        };
        self.execute(program, 1);
        for &node in nodes {
            let node = source(&self.any, node);
            self.fresh[node.index()] = self.now;
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
                let counted = self.counted.clone();
                let program = self.program(Goal::Tick { clocks: clocks.clone(), running, counted });
                self.leaves.ticking.clone_from(&clocks);
                self.last = Some((clocks, running, program));
                program
            }
        };
        // what changed at the first counted tick is not known
        let first = !self.counting && !self.counted.is_empty();
        let (done, broken) = self.execute(program, if first { n.min(1) } else { n });
        if first {
            self.counting = true;
            for &node in self.counted.iter() {
                let number = self.counter(node);
                self.slots[number] = 0;
            }
        }
        self.change();
        self.failed.clear();
        if broken {
            let assertions = self.flat.module.assertions.iter().enumerate();
            let failed = assertions.filter(|(index, assertion)| {
                ticking[assertion.clock.index()] && self.slots[self.layout.checks + index] == 0
            });
            self.failed.extend(failed.map(|(index, _)| index));
        }
        done
    }

    fn count(&mut self, nodes: Vec<NodeId>) {
        let nodes = nodes.into_iter().map(|node| source(&self.flat.module, node));
        (self.counted, self.counting, self.last) = (nodes.collect(), false, None);
        for &node in self.counted.iter() {
            let ty = self.flat.module.ty(node);
            if !self.layout.counters.contains_key(&node) {
                let last = self.layout.reserve(ty);
                self.layout.reserve(u(64));
                self.layout.counters.insert(node, last);
            }
        }
        self.slots.resize(self.layout.size(), 0);
    }

    fn toggles(&self) -> Vec<u64> {
        self.counted.iter().map(|&node| self.slots[self.counter(node)]).collect()
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

/// The registers in the order in which a tick of all clocks sets them: neighbors in time are best
/// neighbors in memory, since a load waits for recent stores whose addresses look like its own.
fn update_order(module: &Module, limits: Limits) -> Vec<usize> {
    let clocks = vec![true; module.clocks.len()];
    let goal = Goal::Tick { clocks, running: true, counted: Arc::default() };
    let schedule = schedule::schedule(module, &goal, limits);
    let items = schedule.functions.into_iter().flatten();
    let set = items.filter_map(|item| match item {
        Item::Register(index) => Some(index),
        _ => None,
    });
    set.collect()
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
    module.memories.iter_mut().for_each(|memory| memory.init.clear());
    let outputs = module.outputs.clone();
    // What a registered read shows at power-up is not known, whatever its address.
    let states = module.ids().filter(|(id, _)| state_of(&module, *id).is_some());
    let states: Vec<_> = states.map(|(id, node)| (id, node.kind.clone())).collect();
    for (id, _) in &states {
        module.nodes[id.index()].kind = Kind::Input;
    }
    let mut simple = share_common(&fold_constants(&module));
    for (id, kind) in states {
        simple.nodes[id.index()].kind = kind;
    }
    Module { outputs, ..simple }
}
