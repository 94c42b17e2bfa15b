//! Where values live: slots of 64-bit words.
//!
//! A value of at most 64 bits is one word, extended by its own sign; a wider one is its words from
//! the least significant up, the last extended likewise. Memories live apart, padded with zero
//! words to a power of two, so that every address can be read.

use super::item::State;
use crate::netlist::{Module, NodeId};
use crate::sim::power_up::PowerUp;
use crate::ty::{Int, Type, index_bits};
use num_bigint::Sign;
use std::collections::HashMap;

/// Number of words a value of the type takes.
pub(super) fn limbs(ty: Type) -> usize {
    ty.width.div_ceil(64) as usize
}

/// First words of everything that has a place of its own.
pub(super) struct Layout {
    pub(super) inputs: HashMap<NodeId, usize>,
    pub(super) registers: Vec<usize>,
    /// For each memory, the words its registered reads show.
    pub(super) reads: Vec<Vec<usize>>,
    /// For each memory, its first word among the memories' words.
    pub(super) memories: Vec<usize>,
    /// One word for each assertion: whether it held.
    pub(super) checks: usize,
    pub(super) leaf_inputs: Vec<Vec<usize>>,
    pub(super) leaf_outputs: Vec<Vec<usize>>,
    /// Values that are looked at from outside.
    pub(super) views: HashMap<NodeId, usize>,
    /// For each node whose changes are counted, its last value and then their number.
    pub(super) counters: HashMap<NodeId, usize>,
    size: usize,
}

impl Layout {
    /// The layout of a module whose registers are best set in this order.
    pub(super) fn new(module: &Module, order: &[usize]) -> Layout {
        let mut layout = Layout {
            inputs: HashMap::new(),
            registers: vec![usize::MAX; module.registers.len()],
            reads: vec![],
            memories: vec![],
            checks: 0,
            leaf_inputs: vec![],
            leaf_outputs: vec![],
            views: HashMap::new(),
            counters: HashMap::new(),
            size: 0,
        };
        for port in &module.inputs {
            let slot = layout.reserve(port.ty);
            layout.inputs.insert(port.node, slot);
        }
        for index in order.iter().copied().chain(0..module.registers.len()) {
            if layout.registers[index] == usize::MAX {
                layout.registers[index] = layout.reserve(module.ty(module.registers[index].node));
            }
        }
        let mut word = 0;
        for memory in &module.memories {
            let reads = memory.reads.iter().map(|_| layout.reserve(memory.word)).collect();
            layout.reads.push(reads);
            layout.memories.push(word);
            word += padded_depth(memory.depth) * limbs(memory.word);
        }
        layout.checks = layout.size;
        layout.size += module.assertions.len();
        for leaf in &module.leaves {
            let inputs = leaf.inputs.iter().map(|&id| layout.reserve(module.ty(id))).collect();
            let outputs = leaf.outputs.iter().map(|&ty| layout.reserve(ty)).collect();
            layout.leaf_inputs.push(inputs);
            layout.leaf_outputs.push(outputs);
        }
        layout
    }

    /// Number of words in use.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Takes words for a value.
    pub(super) fn reserve(&mut self, ty: Type) -> usize {
        self.size += limbs(ty);
        self.size - limbs(ty)
    }

    /// The place of state.
    pub(super) fn state(&self, state: State) -> usize {
        match state {
            State::Register(index) => self.registers[index],
            State::Read(memory, port) => self.reads[memory][port],
        }
    }

    /// The place where a value is looked at.
    pub(super) fn view(&mut self, id: NodeId, ty: Type) -> usize {
        if let Some(&slot) = self.views.get(&id) {
            return slot;
        }
        let slot = self.reserve(ty);
        self.views.insert(id, slot);
        slot
    }

    /// All slots and all memories' words at power-up.
    pub(super) fn fill(&self, module: &Module, state: &PowerUp) -> (Vec<u64>, Vec<u64>) {
        let mut slots = vec![0; self.size];
        for ((&slot, value), register) in
            self.registers.iter().zip(&state.registers).zip(&module.registers)
        {
            store(&mut slots, slot, value, module.ty(register.node));
        }
        let mut words = vec![];
        for (index, memory) in module.memories.iter().enumerate() {
            for (&slot, value) in self.reads[index].iter().zip(&state.reads[index]) {
                store(&mut slots, slot, value, memory.word);
            }
            let stride = limbs(memory.word);
            let base = words.len();
            words.resize(base + padded_depth(memory.depth) * stride, 0);
            for (position, value) in state.memories[index].iter().enumerate() {
                store(&mut words, base + position * stride, value, memory.word);
            }
        }
        (slots, words)
    }
}

/// Number of places an address can name.
fn padded_depth(depth: usize) -> usize {
    1 << index_bits(depth)
}

/// Writes a value of a type to its words.
pub(super) fn store(words: &mut [u64], at: usize, value: &Int, ty: Type) {
    let words = &mut words[at..at + limbs(ty)];
    words.fill(0);
    for (word, digit) in words.iter_mut().zip(value.iter_u64_digits()) {
        *word = digit;
    }
    if value.sign() == Sign::Minus {
        let mut carry = true;
        for word in words {
            (*word, carry) = (!*word).overflowing_add(u64::from(carry));
        }
    }
}

/// Reads a value of a type from its words.
pub(super) fn load(words: &[u64], at: usize, ty: Type) -> Int {
    let words = &words[at..at + limbs(ty)];
    if let [word] = words {
        return if ty.signed { Int::from(*word as i64) } else { Int::from(*word) };
    }
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    match ty.signed {
        true => Int::from_signed_bytes_le(&bytes),
        false => Int::from_bytes_le(Sign::Plus, &bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ty::{s, u};

    #[test]
    fn values_survive_their_words() {
        for (ty, value) in [
            (u(64), Int::from(u64::MAX)),
            (s(5), Int::from(-16)),
            (s(130), -(Int::from(1) << 129u32)),
            (s(130), Int::from(-1)),
            (u(128), (Int::from(1) << 128u32) - 1),
        ] {
            let mut words = vec![7; limbs(ty) + 2];
            store(&mut words, 1, &value, ty);
            assert_eq!((load(&words, 1, ty), words[0], words[words.len() - 1]), (value, 7, 7));
        }
    }
}
