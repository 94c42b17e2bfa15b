//! A netlist as logic bits and the blocks that no table holds: carry chains, multipliers,
//! memories, flip-flops.

use super::graph::{Bit, Gate, Graph};
use super::memory::Macro;
use std::collections::{HashMap, HashSet};

/// A circuit of one module, flat.
#[derive(Debug)]
pub(super) struct Circuit {
    /// Its logic.
    pub(super) graph: Graph,
    /// Where a source of the graph comes from, unless it is a port.
    pub(super) origins: HashMap<usize, Origin>,
    /// Sums.
    pub(super) sums: Vec<Sum>,
    /// Chains that compare.
    pub(super) chains: Vec<Chain>,
    /// Products.
    pub(super) products: Vec<Product>,
    /// Memories.
    pub(super) memories: Vec<Memory>,
    /// Flip-flops, a bit each.
    pub(super) flip_flops: Vec<FlipFlop>,
    /// Choices behind bits of memories, which are there whenever the bit is read.
    pub(super) shown: HashMap<Bit, Bit>,
    /// Flip-flops that are in tables.
    pub(super) lines: HashSet<usize>,
    /// Bits that leave the module.
    pub(super) outputs: Vec<Bit>,
}

/// What drives a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Bit `1` of the sum `0`.
    Sum(usize, usize),
    /// The carry into position `1` of the chain `0`, or its sum there.
    Chain(usize, usize),
    /// A bit of a product.
    Product(usize, usize),
    /// A bit of a memory's port.
    Memory(usize, usize),
    /// A flip-flop.
    FlipFlop(usize),
}

/// One term of a sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// Two's complement if `signed`, the lowest bit first.
    pub(super) bits: Vec<Bit>,
    /// Whether the highest bit is a sign.
    pub(super) signed: bool,
    /// Whether it is taken away.
    pub(super) minus: bool,
}

impl Term {
    /// Without repeated signs, or without zeros on top.
    pub(super) fn new(mut bits: Vec<Bit>, signed: bool, minus: bool) -> Term {
        let mut signed = signed;
        while signed && bits.len() > 1 && bits[bits.len() - 1] == bits[bits.len() - 2] {
            bits.pop();
        }
        if signed && bits.last() == Some(&Bit::ZERO) {
            signed = false;
        }
        while !signed && bits.len() > 1 && bits.last() == Some(&Bit::ZERO) {
            bits.pop();
        }
        Term { bits, signed, minus }
    }

    /// Its bit at a position, however high.
    pub(super) fn bit(&self, at: usize) -> Bit {
        match self.bits.get(at) {
            Some(&bit) => bit,
            None if self.signed => self.bits.last().copied().unwrap_or(Bit::ZERO),
            None => Bit::ZERO,
        }
    }

    /// Whether it is 0.
    pub(super) fn is_zero(&self) -> bool {
        self.bits.iter().all(|&bit| bit == Bit::ZERO)
    }

    /// The width of a signed number that holds it.
    pub(super) fn signed_width(&self) -> usize {
        self.bits.len() + usize::from(!self.signed)
    }
}

/// A sum of terms, modulo two to its width.
#[derive(Clone, Debug)]
pub(super) struct Sum {
    /// The terms.
    pub(super) terms: Vec<Term>,
    /// What it gives, the lowest bit first: sources, or bits known without adding.
    pub(super) out: Vec<Bit>,
    /// Positions that are computed: below `width`, `out` is made here.
    pub(super) width: usize,
    /// Bits in which nothing of it is lost.
    pub(super) natural: usize,
    /// Whether another sum has taken it over.
    pub(super) merged: bool,
}

/// A carry chain that compares: `a`, `b` and the carry that goes in.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// What the carry takes where it does not propagate.
    pub(super) data: Vec<Bit>,
    /// Where it propagates (Xilinx), or the other operand (iCE40).
    pub(super) select: Vec<Bit>,
}

/// A product, exact.
#[derive(Clone, Debug)]
pub(super) struct Product {
    /// The operands.
    pub(super) operands: [Term; 2],
    /// What is added to the product in the block.
    pub(super) addend: Vec<Bit>,
    /// Enables and resets of registers in the block.
    pub(super) controls: Vec<Bit>,
    /// What it gives.
    pub(super) out: Vec<Bit>,
}

/// A memory.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    /// What it is made of.
    pub(super) what: Macro,
    /// Write ports.
    pub(super) writes: Vec<Write>,
    /// Read ports.
    pub(super) reads: Vec<Read>,
}

/// A write port.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) clock: usize,
    pub(super) address: Vec<Bit>,
    pub(super) data: Vec<Bit>,
    /// An enable a bit.
    pub(super) enables: Vec<Bit>,
}

/// A read port.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) address: Vec<Bit>,
    pub(super) out: Vec<Bit>,
    /// Clock and enable of a registered read.
    pub(super) sync: Option<(usize, Bit)>,
}

/// A flip-flop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FlipFlop {
    /// Its content.
    pub(super) q: Bit,
    /// What it takes.
    pub(super) d: Bit,
    /// When it takes it.
    pub(super) enable: Bit,
    /// When it goes to `value` instead.
    pub(super) reset: Bit,
    /// Its value after a reset.
    pub(super) value: bool,
    /// Whether the reset needs the enable.
    pub(super) enable_first: bool,
    /// An asynchronous reset.
    pub(super) asynchronous: Option<Bit>,
    /// Its clock.
    pub(super) clock: usize,
    /// The register it is a bit of.
    pub(super) register: usize,
    /// Which bit.
    pub(super) at: usize,
    /// Whether a block has taken it in.
    pub(super) absorbed: bool,
}

impl Circuit {
    /// Bits that a sum, product, memory or flip-flop reads, by its source.
    pub(super) fn reads(&self, origin: Origin) -> Vec<Bit> {
        match origin {
            Origin::Sum(sum, at) => {
                let sum = &self.sums[sum];
                sum.terms.iter().flat_map(|term| (0..=at).map(|at| term.bit(at))).collect()
            }
            Origin::Chain(chain, at) => {
                let chain = &self.chains[chain];
                chain.data[..at].iter().chain(&chain.select[..at]).copied().collect()
            }
            Origin::Product(product, _) => {
                let product = &self.products[product];
                let bits = product.operands.iter().flat_map(|term| &term.bits);
                bits.chain(&product.addend).chain(&product.controls).copied().collect()
            }
            Origin::Memory(memory, port) => {
                let memory = &self.memories[memory];
                let writes = memory.writes.iter();
                let writes = writes.flat_map(|w| [&w.address, &w.data, &w.enables]).flatten();
                let read = &memory.reads[port];
                let enable = read.sync.map(|(_, enable)| enable);
                writes.chain(&read.address).copied().chain(enable).collect()
            }
            Origin::FlipFlop(at) => {
                let FlipFlop { d, enable, reset, asynchronous, .. } = self.flip_flops[at];
                [d, enable, reset].into_iter().chain(asynchronous).collect()
            }
        }
    }

    /// Whether a gate makes a bit.
    pub(super) fn is_made(&self, bit: Bit) -> bool {
        matches!(self.graph.gates[bit.gate()], Gate::And(..) | Gate::Xor(..))
    }

    /// Gates and sources that reach an output, by position.
    pub(super) fn live(&self) -> Vec<bool> {
        let mut live = vec![false; self.graph.gates.len()];
        let mut pending: Vec<Bit> = self.outputs.clone();
        while let Some(bit) = pending.pop() {
            let gate = bit.gate();
            if std::mem::replace(&mut live[gate], true) {
                continue;
            }
            match self.graph.gates[gate] {
                Gate::And(a, b) | Gate::Xor(a, b) => pending.extend([a, b]),
                Gate::Source => {
                    pending.extend(self.shown.get(&Bit((gate << 1) as u32)));
                    if let Some(&origin) = self.origins.get(&gate) {
                        pending.extend(self.reads(origin));
                    }
                }
                Gate::Zero => {}
            }
        }
        live
    }
}
