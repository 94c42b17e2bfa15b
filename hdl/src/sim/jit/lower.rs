//! Items of a schedule as instructions.

use super::helpers;
use super::item::{Item, State, async_reset, is_source, state_of};
use super::layout::{Layout, limbs, store};
use super::range::{self, Range};
use super::schedule::Schedule;
use super::words::{WordBuilder, Words};
use crate::netlist::*;
use crate::ty::{Int, Type, index_bits};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value, types};
use num_traits::{ToPrimitive, Zero};
use std::collections::{HashMap, HashSet};

/// Our memory is there and aligned.
pub(super) fn flags() -> MemFlagsData {
    MemFlagsData::trusted()
}

/// What the functions of a program share.
pub(super) struct Program<'a> {
    pub(super) module: &'a Module,
    pub(super) layout: &'a mut Layout,
    pub(super) ranges: &'a [Range],
    pub(super) schedule: &'a Schedule,
    pub(super) ticks: &'a dyn Fn(ClockId) -> bool,
    /// Slots of nodes that are used beyond their function.
    pub(super) crossing: HashMap<NodeId, usize>,
    /// Slots of state that is read after it is overwritten.
    pub(super) kept: HashMap<State, usize>,
    /// So many items later a value is loaded anew.
    pub(super) recent: usize,
    /// The address of the leaves' models.
    pub(super) leaves: usize,
}

/// One function under construction.
pub(super) struct Function<'p, 'a, 'f> {
    program: &'p mut Program<'a>,
    b: WordBuilder<'f>,
    index: usize,
    slots: Value,
    words: Value,
    values: HashMap<NodeId, Words>,
    /// Values computed elsewhere, and the position at which they were loaded.
    loaded: HashMap<Loaded, (Words, usize)>,
    /// State whose slot this function has changed.
    overwritten: HashSet<State>,
    /// The item under way.
    position: usize,
    broken: Option<Value>,
    gate: Option<Gate>,
}

/// What is loaded from its slot.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Loaded {
    /// An input, or a node that another function computed.
    Value(NodeId),
    State(State),
}

/// A branch under construction.
struct Gate {
    enable: NodeId,
    after: Block,
    /// What became known inside, and what was known before: inside values end with the branch.
    values: Vec<NodeId>,
    loaded: Vec<(Loaded, Option<(Words, usize)>)>,
}

impl<'p, 'a, 'f> Function<'p, 'a, 'f> {
    /// Fills in function number `index`: `fn(slots, words) -> u64`, not 0 if an assertion fails.
    pub(super) fn emit(program: &'p mut Program<'a>, mut b: WordBuilder<'f>, index: usize) {
        let entry = b.ins.create_block();
        b.ins.append_block_params_for_function_params(entry);
        b.ins.switch_to_block(entry);
        b.ins.seal_block(entry);
        let (slots, words) = (b.ins.block_params(entry)[0], b.ins.block_params(entry)[1]);
        let schedule = program.schedule;
        let mut function = Function {
            program,
            b,
            index,
            slots,
            words,
            values: HashMap::new(),
            loaded: HashMap::new(),
            overwritten: HashSet::new(),
            position: 0,
            broken: None,
            gate: None,
        };
        let items = &schedule.functions[index];
        for (position, &item) in items.iter().enumerate() {
            function.position = position;
            match item {
                Item::Open(enable) => function.open(enable, &items[position + 1..]),
                Item::Close => function.close(),
                _ => function.item(item),
            }
        }
        let broken = match function.broken {
            Some(broken) => broken,
            None => function.b.constant(0),
        };
        function.b.ins.ins().return_(&[broken]);
        let target = function.b.target;
        function.b.ins.finalize(target);
    }

    fn ty(&self, id: NodeId) -> Type {
        self.program.module.ty(id)
    }

    fn item(&mut self, item: Item) {
        let module = self.program.module;
        match item {
            Item::Node(id) => self.node(id),
            Item::Register(index) => {
                let words = self.next(&module.registers[index]);
                self.overwrite(State::Register(index), &words);
            }
            Item::Hold(index) => {
                let words = self.get(module.registers[index].node);
                self.overwrite(State::Register(index), &words);
            }
            Item::Read(memory, port) => self.read(memory, port),
            Item::Write(memory) => {
                for port in &module.memories[memory].writes {
                    if (self.program.ticks)(port.clock) {
                        self.write(memory, port);
                    }
                }
            }
            Item::Check(index) => {
                let held = self.bit(module.assertions[index].condition);
                self.put(self.program.layout.checks + index, &vec![held]);
                let broken = self.b.ins.ins().bxor_imm_s(held, 1);
                self.broken = Some(match self.broken {
                    None => broken,
                    Some(others) => self.b.ins.ins().bor(others, broken),
                });
            }
            Item::View(id) => {
                let words = self.get(id);
                let slot = self.program.layout.view(id, module.ty(id));
                self.put(slot, &words);
            }
            Item::Count(id) => self.count(id),
            Item::LeafSettle(leaf) | Item::LeafEdge(leaf) => {
                let all: Vec<usize> = (0..module.leaves[leaf].inputs.len()).collect();
                self.update_leaf(leaf, &all, matches!(item, Item::LeafEdge(_)));
            }
            Item::Open(_) | Item::Close => unreachable!("gates are opened where items are listed"),
        }
    }

    /// Begins a branch for the items up to the next [`Item::Close`].
    fn open(&mut self, enable: NodeId, items: &[Item]) {
        for item in items.iter().take_while(|item| **item != Item::Close) {
            if let Some(state) = item.overwrites() {
                self.keep(state);
            }
        }
        let condition = self.bit(enable);
        let (inside, after) = (self.b.ins.create_block(), self.b.ins.create_block());
        self.b.ins.ins().brif(condition, inside, &[], after, &[]);
        self.b.ins.switch_to_block(inside);
        self.b.ins.seal_block(inside);
        self.gate = Some(Gate { enable, after, values: vec![], loaded: vec![] });
    }

    fn close(&mut self) {
        let gate = self.gate.take().expect("gates are closed once");
        self.b.ins.ins().jump(gate.after, &[]);
        self.b.ins.switch_to_block(gate.after);
        self.b.ins.seal_block(gate.after);
        for id in gate.values {
            self.values.remove(&id);
        }
        for (what, before) in gate.loaded.into_iter().rev() {
            match before {
                Some(before) => self.loaded.insert(what, before),
                None => self.loaded.remove(&what),
            };
        }
    }

    fn load(&mut self, base: Value, at: usize, length: usize) -> Words {
        (0..length)
            .map(|i| self.b.ins.ins().load(types::I64, flags(), base, offset(at + i)))
            .collect()
    }

    fn put(&mut self, at: usize, words: &Words) {
        for (i, &word) in words.iter().enumerate() {
            self.b.ins.ins().store(flags(), word, self.slots, offset(at + i));
        }
    }

    fn constant(&mut self, value: &Int, ty: Type) -> Words {
        let mut words = vec![0; limbs(ty)];
        store(&mut words, 0, value, ty);
        words.into_iter().map(|word| self.b.constant(word as i64)).collect()
    }

    /// The value of a node that is a source or was computed before.
    fn get(&mut self, id: NodeId) -> Words {
        if let Some(words) = self.values.get(&id) {
            return words.clone();
        }
        let (module, ty) = (self.program.module, self.ty(id));
        if let Kind::Constant(value) = &module.node(id).kind {
            return self.constant(value, ty);
        }
        if is_source(module, id)
            && let Some(state) = state_of(module, id)
        {
            return self.state(state);
        }
        if let Some(words) = self.recent(Loaded::Value(id)) {
            return words;
        }
        let slot = match module.node(id).kind {
            Kind::Input => self.program.layout.inputs[&id],
            _ => self.program.crossing[&id],
        };
        self.load_as(Loaded::Value(id), slot, ty)
    }

    /// A loaded value, unless that was long ago: loading it again is better than keeping it.
    fn recent(&self, what: Loaded) -> Option<Words> {
        let (words, position) = self.loaded.get(&what)?;
        (self.position - position < self.program.recent).then(|| words.clone())
    }

    fn load_as(&mut self, what: Loaded, slot: usize, ty: Type) -> Words {
        let words = self.load(self.slots, slot, limbs(ty));
        let before = self.loaded.insert(what, (words.clone(), self.position));
        if let Some(gate) = &mut self.gate {
            gate.loaded.push((what, before));
        }
        words
    }

    /// A `u1` node.
    fn bit(&mut self, id: NodeId) -> Value {
        self.get(id)[0]
    }

    fn state_slot(&self, state: State) -> (usize, Type) {
        let module = self.program.module;
        let ty = match state {
            State::Register(index) => module.ty(module.registers[index].node),
            State::Read(memory, _) => module.memories[memory].word,
        };
        (self.program.layout.state(state), ty)
    }

    /// The content of state from before the edge.
    fn state(&mut self, state: State) -> Words {
        if let Some(words) = self.recent(Loaded::State(state)) {
            return words;
        }
        let (slot, ty) = self.state_slot(state);
        match self.program.kept.get(&state) {
            Some(&slot) => self.load_as(Loaded::State(state), slot, ty),
            None if self.overwritten.contains(&state) => {
                self.loaded[&Loaded::State(state)].0.clone()
            }
            None => self.load_as(Loaded::State(state), slot, ty),
        }
    }

    /// Sees to it that whoever reads the state later still finds its old content.
    fn keep(&mut self, state: State) {
        if let Some(&last) = self.program.schedule.late_reads.get(&state) {
            let old = self.state(state);
            if last > self.index {
                let ty = self.state_slot(state).1;
                let slot = self.program.layout.reserve(ty);
                self.put(slot, &old);
                self.program.kept.insert(state, slot);
            }
        }
    }

    fn overwrite(&mut self, state: State, words: &Words) {
        if self.gate.is_none() {
            self.keep(state);
        }
        self.overwritten.insert(state);
        let slot = self.state_slot(state).0;
        self.put(slot, words);
    }

    /// What a register holds after an edge.
    fn next(&mut self, register: &Register) -> Words {
        let ty = self.ty(register.node);
        let mut words = self.get(register.next);
        let gate = self.gate.as_ref().map(|gate| gate.enable);
        if let Some(enable) = register.enable.filter(|enable| Some(*enable) != gate) {
            let (enable, old) = (self.bit(enable), self.get(register.node));
            words = self.b.select(enable, &words, &old);
        }
        if let Some(clear) = register.clear {
            let (clear, value) = (self.bit(clear), self.constant(&register.clear_value, ty));
            words = self.b.select(clear, &value, &words);
        }
        let reset = self.program.module.clocks[register.clock.index()].reset.as_ref();
        if let (Some(reset), Some(value)) = (reset, &register.reset_value) {
            words = self.reset(reset, value, ty, words);
        }
        words
    }

    /// `words`, or the reset value while the reset is active.
    fn reset(&mut self, reset: &Reset, value: &Int, ty: Type, words: Words) -> Words {
        let (level, value) = (self.bit(reset.signal), self.constant(value, ty));
        match reset.active_low {
            true => self.b.select(level, &words, &value),
            false => self.b.select(level, &value, &words),
        }
    }

    /// Adds the bits in which a node differs from its value at the last tick to their number.
    fn count(&mut self, id: NodeId) {
        let (ty, last) = (self.ty(id), self.program.layout.counters[&id]);
        let (words, length) = (self.get(id), limbs(ty));
        let before = self.load(self.slots, last, length);
        let mut number = self.load(self.slots, last + length, 1)[0];
        for (i, (&word, &before)) in words.iter().zip(&before).enumerate() {
            let mut changed = self.b.ins.ins().bxor(word, before);
            if ty.width > 1 || ty.signed {
                // the copies of the sign above the width are no bits
                let above = 64 - (ty.width - 64 * i as u32).min(64);
                changed = self.b.ins.ins().ishl_imm_s(changed, i64::from(above));
                changed = self.b.ins.ins().popcnt(changed);
            }
            number = self.b.ins.ins().iadd(number, changed);
        }
        self.put(last, &words);
        self.put(last + length, &vec![number]);
    }

    /// The address of a memory's word.
    fn word_at(&mut self, memory: usize, address: NodeId) -> Value {
        let stride = limbs(self.program.module.memories[memory].word) as i64;
        let base = 8 * self.program.layout.memories[memory] as i64;
        let address = self.bit(address);
        let from_base = self.b.ins.ins().imul_imm_s(address, 8 * stride);
        let memory_at = self.b.ins.ins().iadd_imm_s(self.words, base);
        self.b.ins.ins().iadd(memory_at, from_base)
    }

    fn read(&mut self, memory: usize, port: usize) {
        let (module, state) = (self.program.module, State::Read(memory, port));
        let read = &module.memories[memory].reads[port];
        let Some((_, enable)) = read.sync else { return };
        let length = limbs(module.memories[memory].word);
        let (enable, at) = (self.bit(enable), self.word_at(memory, read.address));
        self.keep(state);
        self.overwritten.insert(state);
        let slot = self.state_slot(state).0;
        self.when(enable, |function| {
            let word = function.load(at, 0, length);
            function.put(slot, &word);
        });
    }

    fn write(&mut self, memory: usize, port: &WritePort) {
        let module = self.program.module;
        let Memory { depth, word: ty, .. } = module.memories[memory];
        let mut enable = self.bit(port.enable);
        if !depth.is_power_of_two() || depth < 2 {
            let (address, limit) = (self.bit(port.address), self.b.constant(depth as i64));
            let inside = self.b.condition(IntCC::UnsignedLessThan, address, limit);
            enable = self.b.ins.ins().band(enable, inside);
        }
        debug_assert!(depth <= 1 << index_bits(depth));
        let at = self.word_at(memory, port.address);
        let data = self.get(port.data);
        let mask = port.mask.map(|mask| (self.get(mask), self.ty(mask).width));
        self.when(enable, |function| {
            let words = match mask {
                None => data,
                Some((mask, lanes)) => {
                    let old = function.load(at, 0, limbs(ty));
                    function.masked(&old, &data, &mask, lanes, ty)
                }
            };
            for (i, &word) in words.iter().enumerate() {
                function.b.ins.ins().store(flags(), word, at, offset(i));
            }
        });
    }

    /// `old` with the lanes that `mask` lets through taken from `new`.
    fn masked(&mut self, old: &Words, new: &Words, mask: &Words, lanes: u32, ty: Type) -> Words {
        let lane = ty.width / lanes;
        let lane_type = crate::ty::u(lane);
        let mut parts = vec![];
        for i in (0..lanes).rev() {
            let bit = self.b.slice(mask, i, crate::ty::u(1))[0];
            let all = self.b.ins.ins().ineg(bit);
            let words = vec![all; limbs(lane_type)];
            parts.push((self.b.wrap(words, lane_type), lane_type));
        }
        let chosen = self.b.concat(parts, Type { signed: false, ..ty });
        let differ = self.b.bitwise(BinaryOp::Xor, old, new);
        let taken = self.b.bitwise(BinaryOp::And, &differ, &chosen);
        let words = self.b.bitwise(BinaryOp::Xor, old, &taken);
        self.b.wrap(words, ty)
    }

    /// Code that only runs when a condition is 1.
    fn when(&mut self, condition: Value, then: impl FnOnce(&mut Self)) {
        let (inside, after) = (self.b.ins.create_block(), self.b.ins.create_block());
        self.b.ins.ins().brif(condition, inside, &[], after, &[]);
        self.b.ins.switch_to_block(inside);
        self.b.ins.seal_block(inside);
        then(self);
        self.b.ins.ins().jump(after, &[]);
        self.b.ins.switch_to_block(after);
        self.b.ins.seal_block(after);
    }

    /// Hands these inputs to a leaf and lets it settle or see an edge.
    fn update_leaf(&mut self, leaf: usize, inputs: &[usize], edge: bool) {
        for &input in inputs {
            let words = self.get(self.program.module.leaves[leaf].inputs[input]);
            self.put(self.program.layout.leaf_inputs[leaf][input], &words);
        }
        let arguments = [
            self.b.constant(self.program.leaves as i64),
            self.slots,
            self.b.constant(self.program.layout.size() as i64),
            self.b.constant(leaf as i64),
            self.b.constant(i64::from(edge)),
        ];
        self.b.call(helpers::update_leaf as *const () as usize, &arguments);
    }

    fn node(&mut self, id: NodeId) {
        let words = self.compute(id);
        if self.program.schedule.crossing.contains(&id) {
            let slot = self.program.layout.reserve(self.ty(id));
            self.put(slot, &words);
            self.program.crossing.insert(id, slot);
        }
        self.values.insert(id, words);
        if let Some(gate) = &mut self.gate {
            gate.values.push(id);
        }
    }

    fn compute(&mut self, id: NodeId) -> Words {
        let module = self.program.module;
        let node = module.node(id);
        let ty = node.ty;
        match &node.kind {
            Kind::Wire(Some(driver)) => self.get(*driver),
            Kind::Register(index) => {
                let words = self.state(State::Register(index.index()));
                match (async_reset(module, id), &module.registers[index.index()].reset_value) {
                    (Some(reset), Some(value)) => self.reset(reset, value, ty, words),
                    _ => words,
                }
            }
            Kind::MemoryRead { memory, port } => {
                let read = &module.memories[memory.index()].reads[*port];
                let at = self.word_at(memory.index(), read.address);
                self.load(at, 0, limbs(ty))
            }
            Kind::LeafOutput { leaf, port } => {
                let leaf = leaf.index();
                self.update_leaf(leaf, &module.leaves[leaf].leaf.combinational[*port], false);
                self.load(self.slots, self.program.layout.leaf_outputs[leaf][*port], limbs(ty))
            }
            Kind::Mux { select, on_true, on_false } => self.mux(*select, *on_true, *on_false),
            Kind::Concat(parts) => {
                let parts = parts.iter().map(|&part| (self.get(part), self.ty(part))).collect();
                self.b.concat(parts, ty)
            }
            Kind::Slice { of, low } => {
                let words = self.get(*of);
                if words.len() == 1 && self.fits(node) {
                    return vec![self.b.ins.ins().ushr_imm_s(words[0], i64::from(*low))];
                }
                self.b.slice(&words, *low, ty)
            }
            Kind::Cast(a) => {
                if let Some(word) = self.signed_slice(*a, ty) {
                    return vec![word];
                }
                let words = self.get(*a);
                if limbs(ty) == 1 && self.fits(node) {
                    return words;
                }
                self.b.cast(words, self.ty(*a), ty)
            }
            Kind::Unary(UnaryOp::Neg, a) if limbs(ty) == 1 && self.fits(node) => {
                let a = self.get(*a)[0];
                vec![self.b.ins.ins().ineg(a)]
            }
            Kind::Unary(op, a) => {
                let words = self.get(*a);
                self.b.unary(*op, words, self.ty(*a))
            }
            Kind::Binary(op, a, b) => self.binary(node, *op, *a, *b),
            Kind::Input | Kind::Constant(_) => self.get(id),
            Kind::Wire(None) | Kind::InstanceOutput { .. } => {
                unreachable!("flat modules have no instances and no open wires")
            }
        }
    }

    fn mux(&mut self, select: NodeId, on_true: NodeId, on_false: NodeId) -> Words {
        let (condition, yes, no) = (self.condition(select), self.get(on_true), self.get(on_false));
        let module = self.program.module;
        let is_zero = |id: NodeId| module.constant(id).is_some_and(Int::is_zero);
        if !self.is_plain(select) {
            return self.b.select(condition, &yes, &no);
        }
        if is_zero(on_false) {
            let masks = self.masks(select);
            let masked =
                |word| masks.iter().fold(word, |word, &mask| self.b.ins.ins().band(word, mask));
            return yes.into_iter().map(masked).collect();
        }
        if is_zero(on_true) {
            let mask = self.b.ins.ins().iadd_imm_s(condition, -1);
            return no.iter().map(|&word| self.b.ins.ins().band(word, mask)).collect();
        }
        let negated = module.node(on_true);
        if negated.kind == Kind::Unary(UnaryOp::Neg, on_false)
            && let ([word], true) = (&no[..], self.fits(negated))
        {
            let mask = self.b.ins.ins().ineg(condition);
            let flipped = self.b.ins.ins().bxor(*word, mask);
            return vec![self.b.ins.ins().isub(flipped, mask)];
        }
        self.b.select(condition, &yes, &no)
    }

    /// Whether a condition lies in a word anyway: others are best left in the processor's flags.
    fn is_plain(&self, condition: NodeId) -> bool {
        use UnaryOp::{ReduceAnd, ReduceOr, ReduceXor};
        match &self.program.module.node(condition).kind {
            Kind::Binary(op, ..) if op.compares() => false,
            Kind::Unary(ReduceAnd | ReduceOr | ReduceXor, _) => false,
            Kind::Unary(_, a) => self.is_plain(*a),
            Kind::Binary(BinaryOp::And, a, b) => self.is_plain(*a) && self.is_plain(*b),
            _ => true,
        }
    }

    /// All ones, in every mask, where a condition is 1. A conjunction's parts have one each: they
    /// often serve many.
    fn masks(&mut self, condition: NodeId) -> Vec<Value> {
        let bits = match self.program.module.node(condition).kind {
            Kind::Binary(BinaryOp::And, a, b) => self.at_hand(a).zip(self.at_hand(b)),
            _ => None,
        };
        let bits = match bits {
            Some((a, b)) => vec![a[0], b[0]],
            None => vec![self.condition(condition)],
        };
        bits.into_iter().map(|bit| self.b.ins.ins().ineg(bit)).collect()
    }

    /// The value of a node that this function has already used, however long ago: nobody else's
    /// operands may be fetched anew, their places may have been overwritten.
    fn at_hand(&self, id: NodeId) -> Option<&Words> {
        let module = self.program.module;
        let state = state_of(module, id).filter(|_| is_source(module, id));
        let loaded = || self.loaded.get(&state.map_or(Loaded::Value(id), Loaded::State));
        self.values.get(&id).or_else(|| Some(&loaded()?.0))
    }

    /// A condition, the same word for all its users: so they share its mask.
    fn condition(&mut self, id: NodeId) -> Value {
        match self.at_hand(id) {
            Some(words) => words[0],
            None => self.bit(id),
        }
    }

    /// A slice within a word that is read as signed: two shifts instead of four steps.
    fn signed_slice(&mut self, slice: NodeId, ty: Type) -> Option<Value> {
        let Node { kind: Kind::Slice { of, low }, ty: from, .. } = *self.program.module.node(slice)
        else {
            return None;
        };
        let (word, low) = ((low / 64) as usize, low % 64);
        if !ty.signed || ty.width != from.width || low == 0 || low + ty.width > 64 {
            return None;
        }
        let word = self.at_hand(of)?[word];
        let up = self.b.ins.ins().ishl_imm_s(word, i64::from(64 - ty.width - low));
        Some(self.b.ins.ins().sshr_imm_s(up, i64::from(64 - ty.width)))
    }

    /// Whether a one-word operation cannot leave its type.
    fn fits(&self, node: &Node) -> bool {
        let one_word = |&id: &NodeId| self.ty(id).width <= 64;
        let (low, high) = range::of_kind(node, self.program.ranges);
        let (least, largest) = range::of_type(node.ty);
        node.kind.operands().iter().all(one_word) && least <= low && high <= largest
    }

    fn binary(&mut self, node: &Node, op: BinaryOp, left: NodeId, right: NodeId) -> Words {
        let (a, b, ty) = (self.get(left), self.get(right), node.ty);
        let wrapped =
            |function: &mut Self, words: Words| match limbs(ty) == 1 && function.fits(node) {
                true => words,
                false => function.b.wrap(words, ty),
            };
        use BinaryOp::*;
        match op {
            Add => {
                let words = self.b.add(&a, &b, false);
                wrapped(self, words)
            }
            Sub => {
                let words = self.b.add(&a, &b, true);
                wrapped(self, words)
            }
            Mul => self.b.mul(&a, &b, ty),
            And | Or | Xor => self.b.bitwise(op, &a, &b),
            Shl | Shr => {
                let known = self.program.module.constant(right);
                let words = match known.map(|amount| amount.to_u32().unwrap_or(u32::MAX)) {
                    Some(amount) if a.len() > 1 || amount > 63 => {
                        self.b.shift_known(op, &a, amount, ty)
                    }
                    _ if a.len() > 1 => self.b.shift_wide(op, &a, b[0], ty),
                    _ => {
                        let most = self.program.ranges[right.index()].1;
                        vec![self.b.shift_word(op, a[0], b[0], most, ty.signed)]
                    }
                };
                if op == Shl { wrapped(self, words) } else { words }
            }
            Eq | Ne | Lt | Le | Gt | Ge => {
                vec![self.b.compare(op, &a, &b, self.ty(left))]
            }
        }
    }
}

fn offset(word: usize) -> i32 {
    i32::try_from(8 * word).expect("slots take less than 2 GiB")
}
