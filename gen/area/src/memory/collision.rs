//! A word that is read while it is written, where the RAM does not promise what comes out.

use super::super::circuit::{FlipFlop, Write};
use super::super::exclusive::together;
use super::super::graph::Bit;
use super::super::lower::Lowering;
use super::{HELD, Registered};

/// Whether a word may be read while it is written.
pub(super) fn may_collide(
    lowering: &mut Lowering<'_>,
    write: &Write,
    address: &[Bit],
    enable: Bit,
) -> bool {
    let graph = lowering.graph();
    let same: Vec<Bit> =
        write.address.iter().zip(address).map(|(&a, &b)| !graph.xor(a, b)).collect();
    let same = graph.all(&same);
    let writes = graph.any(&write.enables);
    together(graph, &[same, writes, enable])
}

/// A RAM that does not promise the word from before the edge: the write waits a cycle in
/// flip-flops (once a memory), and a read of a word that waits takes it from there.
pub(super) fn old_word(
    lowering: &mut Lowering<'_>,
    (number, port): (usize, usize),
    write: &Write,
    address: &[Bit],
    enable: Bit,
    first: bool,
) {
    let register = HELD + (number << 32);
    let mut enables = write.enables.clone();
    enables.dedup();
    let mut held = vec![];
    if first {
        let wait = write.address.iter().chain(&write.data).chain(&enables);
        for (at, &d) in wait.copied().collect::<Vec<_>>().iter().enumerate() {
            held.push(kept(lowering, d, (register, at), write.clock, Bit::ONE));
        }
        lowering.held.insert(number, held.clone());
    }
    let held = lowering.held[&number].clone();
    let (held_address, rest) = held.split_at(write.address.len());
    let (held_data, held_enables) = rest.split_at(write.data.len());
    let graph = &mut lowering.circuit.graph;
    let same: Vec<Bit> =
        held_address.iter().zip(address).map(|(&a, &b)| !graph.xor(a, b)).collect();
    let same = graph.all(&same);
    let register = register + (1 << 24) + (port << 16);
    let mut passes = vec![];
    for (at, &enabled) in held_enables.iter().enumerate() {
        let d = lowering.circuit.graph.and(same, enabled);
        passes.push(kept(lowering, d, (register, at), write.clock, enable));
    }
    let Registered { raw, .. } = lowering.registered[&(number, port)].clone();
    let lane = write.data.len().div_ceil(passes.len().max(1));
    for (at, (&d, &word)) in held_data.iter().zip(&raw).enumerate() {
        let q = kept(lowering, d, (register + 1, at), write.clock, enable);
        let shown = lowering.circuit.graph.mux(passes[at / lane], q, word);
        lowering.circuit.shown.insert(word, shown);
    }
}

/// A read whose address is in a register sees a write at the edge at which the register takes the
/// address: the word written waits in flip-flops, and is shown where the addresses were equal.
pub(super) fn new_word(
    lowering: &mut Lowering<'_>,
    (number, port): (usize, usize),
    write: &Write,
    address: &[Bit],
) {
    let register = HELD + (number << 32) + (1 << 24) + (port << 16);
    let graph = &mut lowering.circuit.graph;
    let same: Vec<Bit> =
        write.address.iter().zip(address).map(|(&a, &b)| !graph.xor(a, b)).collect();
    let same = graph.all(&same);
    let Registered { raw, .. } = lowering.registered[&(number, port)].clone();
    for (at, &word) in raw.iter().enumerate() {
        let written = lowering.circuit.graph.and(same, write.enables[at]);
        let pass = kept(lowering, written, (register, at), write.clock, Bit::ONE);
        let q = kept(lowering, write.data[at], (register + 1, at), write.clock, Bit::ONE);
        let shown = lowering.circuit.graph.mux(pass, q, word);
        lowering.circuit.shown.insert(word, shown);
    }
}

/// A flip-flop around a memory, unless another does the same.
pub(super) fn kept(
    lowering: &mut Lowering<'_>,
    d: Bit,
    place: (usize, usize),
    clock: usize,
    enable: Bit,
) -> Bit {
    let q = lowering.made(place).unwrap_or_else(|| lowering.place(place));
    if lowering.circuit.is_free(q) {
        add_plain(lowering, q, d, place, clock, enable);
    }
    q
}

pub(super) fn add_plain(
    lowering: &mut Lowering<'_>,
    q: Bit,
    d: Bit,
    (register, at): (usize, usize),
    clock: usize,
    enable: Bit,
) {
    lowering.circuit.add(FlipFlop {
        q,
        d,
        enable,
        reset: Bit::ZERO,
        value: false,
        enable_first: false,
        asynchronous: None,
        clock,
        register,
        at,
        absorbed: false,
    });
}
