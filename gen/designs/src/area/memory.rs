//! Memories: block RAM, RAM in tables, or flip-flops, by the cost that Yosys' `memory_libmap`
//! compares.

use super::Family;
use super::circuit::{self, FlipFlop, Origin, Read, Write};
use super::compare::compare;
use super::exclusive::together;
use super::graph::Bit;
use super::lower::{Lowering, constant};
use hwgen_hdl::index_bits;
use hwgen_hdl::netlist::{BinaryOp, Kind, Memory, NodeId};
use std::collections::HashMap;

/// What a memory became.
#[derive(Clone, Debug)]
pub(super) enum Store {
    /// Flip-flops or known words, each word's bits.
    Words(Vec<Vec<Bit>>),
    /// A memory of the circuit.
    Block(usize, Macro),
}

/// What a memory is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Macro {
    /// Block RAM of so many units.
    Block(usize),
    /// RAM in so many tables.
    Tables(usize),
}

/// Flip-flops of memories have register numbers from here on.
pub(super) const OF_MEMORIES: usize = 1 << 60;

/// Those that hold a write for a cycle, from here on.
pub(super) const HELD: usize = 3 * OF_MEMORIES;

/// Cost of a bit in flip-flops.
const BIT: f64 = 1.0;

/// Cost of a bit of a multiplexer between units, of a demultiplexer, and of a point of emulation.
const MUX: f64 = 0.5;
const DEMUX: f64 = 0.5;
const POINT: f64 = 2.0;

/// A way to make a memory of units.
struct Unit {
    /// Bits of an address at width 1.
    address_bits: u32,
    /// Widths, each twice (or so) the one before, and half as many words.
    widths: &'static [usize],
    /// Cost of one, and the part of it that a narrow unit saves.
    cost: f64,
    scale: f64,
    /// Read ports of one.
    ports: usize,
    /// What one is.
    what: Macro,
}

const fn block(address_bits: u32, widths: &'static [usize], cost: f64, units: usize) -> Unit {
    Unit { address_bits, widths, cost, scale: 0.0, ports: 1, what: Macro::Block(units) }
}

const fn tables(
    address_bits: u32,
    widths: &'static [usize],
    cost: f64,
    scale: f64,
    ports: usize,
) -> Unit {
    Unit { address_bits, widths, cost, scale, ports, what: Macro::Tables(4) }
}

/// Block RAMs of 18 and 36 kbit; widths beyond 18 and 36 take both ports.
const XILINX_BLOCKS: &[Unit] = &[
    block(14, &[1, 2, 4, 9, 18], 129.0, 1),
    block(15, &[1, 2, 4, 9, 18, 36], 257.0, 2),
    block(14, &[1, 2, 4, 9, 18, 36], 129.0, 1),
    block(15, &[1, 2, 4, 9, 18, 36, 72], 257.0, 2),
];

const XILINX_TABLES: &[Unit] = &[
    tables(5, &[6], 8.0, 7.0, 1),
    tables(6, &[3], 8.0, 7.0, 1),
    tables(5, &[4], 8.0, 8.0, 1),
    tables(6, &[2], 8.0, 8.0, 1),
    tables(7, &[1], 8.0, 8.0, 1),
    tables(5, &[2], 7.0, 7.0, 3),
    tables(6, &[1], 7.0, 7.0, 3),
];

const ICE40_BLOCKS: &[Unit] = &[block(11, &[2, 4, 8, 16], 64.0, 1)];

/// Decides what each memory is made of; registered reads get their bits.
pub(super) fn make_memories(lowering: &mut Lowering<'_>) {
    let module = lowering.module;
    let merged = output_registers(lowering);
    for (number, memory) in module.memories.iter().enumerate() {
        let width = memory.word.width as usize;
        let registered =
            |port: usize| memory.reads[port].sync.is_some() || merged.contains_key(&(number, port));
        let all_registered = (0..memory.reads.len()).all(registered);
        let store = match choose(lowering, memory, all_registered) {
            Some(what) => {
                let block = lowering.circuit.memories.len();
                let new = circuit::Memory { what, writes: vec![], reads: vec![] };
                lowering.circuit.memories.push(new);
                Store::Block(block, what)
            }
            None if memory.writes.is_empty() => {
                let known = memory.init.iter().map(|word| constant(word, memory.word));
                let mut words: Vec<_> = known.collect();
                words.resize(memory.depth, vec![Bit::ZERO; width]);
                Store::Words(words)
            }
            None => {
                let graph = &mut lowering.circuit.graph;
                Store::Words((0..memory.depth).map(|_| graph.sources(width)).collect())
            }
        };
        lowering.stores.push(store);
    }
    for (number, memory) in module.memories.iter().enumerate() {
        let width = memory.word.width as usize;
        for (port, read) in memory.reads.iter().enumerate() {
            if let Some(&register) = merged.get(&(number, port)) {
                let raw = lowering.bits[module.registers[register].node.index()].clone();
                lowering.registered.insert((number, port), Registered { raw, beyond: None });
            } else if read.sync.is_some() {
                let graph = &mut lowering.circuit.graph;
                let raw = graph.sources(width);
                let reaches = module.ty(read.address).width;
                let beyond = reaches_beyond(reaches, memory.depth).then(|| graph.source());
                let flag = beyond.unwrap_or(Bit::ZERO);
                let bits = raw.iter().map(|&bit| graph.mux(flag, Bit::ZERO, bit)).collect();
                lowering.bits[read.node.index()] = bits;
                lowering.registered.insert((number, port), Registered { raw, beyond });
            }
        }
    }
    lowering.output_registers = merged;
}

/// A registered read: the word as stored, and the flip-flop that tells that it is none.
#[derive(Clone, Debug)]
pub(super) struct Registered {
    raw: Vec<Bit>,
    beyond: Option<Bit>,
}

/// Whether an address of so many bits may point beyond a memory.
fn reaches_beyond(bits: u32, depth: usize) -> bool {
    1usize.checked_shl(bits).is_none_or(|reach| reach > depth)
}

/// Reads at once whose word only a register takes: the register becomes the port's.
fn output_registers(lowering: &Lowering<'_>) -> HashMap<(usize, usize), usize> {
    let module = lowering.module;
    let mut users: HashMap<NodeId, usize> = HashMap::new();
    let mut count = |id: NodeId| *users.entry(id).or_default() += 1;
    for (_, node) in module.ids() {
        node.kind.operands().into_iter().for_each(&mut count);
    }
    module.outputs.iter().for_each(|output| count(output.node));
    for register in &module.registers {
        count(register.next);
        register.enable.iter().chain(&register.clear).for_each(|&id| count(id));
    }
    for memory in &module.memories {
        for write in &memory.writes {
            [write.address, write.data, write.enable].into_iter().for_each(&mut count);
            write.mask.into_iter().for_each(&mut count);
        }
        for read in &memory.reads {
            count(read.address);
            read.sync.into_iter().for_each(|(_, enable)| count(enable));
        }
    }
    let mut merged = HashMap::new();
    for (number, register) in module.registers.iter().enumerate() {
        let mut id = register.next;
        let mut alone = users[&id] == 1;
        while let Kind::Wire(Some(driver)) = module.node(id).kind {
            id = driver;
            alone &= users[&id] == 1;
        }
        let plain = register.reset_value.is_none() && register.clear.is_none();
        if let Kind::MemoryRead { memory, port } = module.node(id).kind
            && alone
            && plain
            && module.memories[memory.index()].reads[port].sync.is_none()
            && module.memories[memory.index()].depth.is_power_of_two()
        {
            merged.insert((memory.index(), port), number);
        }
    }
    merged
}

/// The cheapest way, or none if that is flip-flops or gates.
fn choose(lowering: &Lowering<'_>, memory: &Memory, registered: bool) -> Option<Macro> {
    let family = lowering.family;
    let bits = (memory.depth * memory.word.width as usize) as f64;
    let rom = memory.writes.is_empty();
    // a known bit is cheap, the cheaper the larger the tables are
    let bit = match family {
        _ if !rom => BIT,
        Family::Xilinx7 => 1.0 / 64.0,
        Family::Ice40 => 1.0 / 16.0,
    };
    let mut best = (bits * bit, None);
    let (blocks, tables) = match family {
        Family::Xilinx7 => (XILINX_BLOCKS, XILINX_TABLES),
        Family::Ice40 => (ICE40_BLOCKS, &[][..]),
    };
    let masks = memory.writes.iter().filter_map(|write| write.mask);
    let lanes = masks.map(|mask| lowering.module.ty(mask).width as usize).max().unwrap_or(1);
    let mut offer = |units: &[Unit], points: f64| {
        for unit in units {
            let (cost, count) = price(unit, memory, lanes, points);
            if cost < best.0 {
                let what = match unit.what {
                    Macro::Block(each) => Macro::Block(each * count),
                    Macro::Tables(each) => Macro::Tables(each * count),
                };
                best = (cost, Some(what));
            }
        }
    };
    if memory.writes.len() > 1 {
        return None;
    }
    // at equal cost the first in the library's order is taken: tables
    if !rom {
        offer(tables, memory.reads.len() as f64);
    }
    if registered {
        let emulated = family == Family::Ice40 && !rom;
        offer(blocks, if emulated { 3.0 } else { 0.0 } + memory.reads.len() as f64);
    }
    best.1
}

/// The cost of a memory in units of a kind, and how many it takes.
fn price(unit: &Unit, memory: &Memory, lanes: usize, points: f64) -> (f64, usize) {
    let width = memory.word.width as usize;
    let replicas = memory.reads.len().div_ceil(unit.ports).max(1);
    let mut best = (f64::INFINITY, 0);
    for (log, &unit_width) in unit.widths.iter().enumerate() {
        let words = 1usize << (unit.address_bits - (log as u32).min(unit.address_bits));
        let rows = memory.depth.div_ceil(words);
        let lane = width.div_ceil(lanes);
        let byte =
            if matches!(unit.what, Macro::Block(_)) { unit_width.min(9) } else { unit_width };
        let padded = if lanes > 1 { lanes * lane.next_multiple_of(byte) } else { width };
        let count = (rows * padded).div_ceil(unit_width);
        let scaled = unit.scale * (rows * width) as f64 / unit_width as f64;
        let mut cost = ((unit.cost - unit.scale) * count as f64 + scaled) * replicas as f64;
        cost += MUX * ((rows - 1) * width * memory.reads.len()) as f64;
        if rows > 1 && !memory.writes.is_empty() {
            cost += DEMUX * (rows * lanes) as f64;
        }
        cost += POINT * points;
        if cost < best.0 {
            best = (cost, count * replicas);
        }
    }
    best
}

/// The word of a read at once.
pub(super) fn read_now(lowering: &mut Lowering<'_>, memory: usize, port: usize) -> Vec<Bit> {
    let module = lowering.module;
    let known = &module.memories[memory];
    if let Some(registered) = lowering.registered.get(&(memory, port)) {
        // nobody but the register reads it
        return registered.raw.clone();
    }
    let address = lowering.of(known.reads[port].address);
    let word = match lowering.stores[memory].clone() {
        Store::Words(words) => pick(lowering, &words, &address),
        Store::Block(block, _) => {
            let bits = lowering.circuit.graph.sources(known.word.width as usize);
            add_read(lowering, block, address.clone(), bits.clone(), None);
            bits
        }
    };
    guarded(lowering, known, &address, word)
}

/// A word, 0 if the address is beyond the memory.
fn guarded(
    lowering: &mut Lowering<'_>,
    memory: &Memory,
    address: &[Bit],
    word: Vec<Bit>,
) -> Vec<Bit> {
    let inside = inside(lowering, memory, address);
    let graph = lowering.graph();
    word.into_iter().map(|bit| graph.mux(inside, bit, Bit::ZERO)).collect()
}

/// Whether an address is within the memory.
fn inside(lowering: &mut Lowering<'_>, memory: &Memory, address: &[Bit]) -> Bit {
    if !reaches_beyond(address.len() as u32, memory.depth) {
        return Bit::ONE;
    }
    let depth = (0..address.len()).map(|at| Bit::known(memory.depth >> at & 1 == 1));
    compare(lowering, BinaryOp::Lt, address.to_vec(), depth.collect(), false)
}

/// One of the words: a tree of choices, the highest bit of the address at its root.
fn pick(lowering: &mut Lowering<'_>, words: &[Vec<Bit>], address: &[Bit]) -> Vec<Bit> {
    let bits = (index_bits(words.len()) as usize).min(address.len());
    let mut level: Vec<Vec<Bit>> = words.to_vec();
    for &select in &address[..bits] {
        let graph = lowering.graph();
        let pair = |pair: &[Vec<Bit>]| match pair {
            [low, high] => {
                let legs = high.iter().zip(low);
                legs.map(|(&high, &low)| graph.mux(select, high, low)).collect()
            }
            _ => pair[0].clone(),
        };
        level = level.chunks(2).map(pair).collect();
    }
    level.swap_remove(0)
}

fn add_read(
    lowering: &mut Lowering<'_>,
    block: usize,
    address: Vec<Bit>,
    out: Vec<Bit>,
    sync: Option<(usize, Bit)>,
) {
    let circuit = &mut lowering.circuit;
    let port = circuit.memories[block].reads.len();
    for bit in &out {
        circuit.origins.insert(bit.gate(), Origin::Memory(block, port));
    }
    circuit.memories[block].reads.push(Read { address, out, sync });
}

/// Connects ports, once all nodes have their bits.
pub(super) fn connect(lowering: &mut Lowering<'_>) {
    let module = lowering.module;
    for (number, memory) in module.memories.iter().enumerate() {
        let writes: Vec<Write> = memory
            .writes
            .iter()
            .map(|write| {
                let address = lowering.of(write.address);
                let inside = inside(lowering, memory, &address);
                let enable = lowering.of(write.enable)[0];
                let enable = lowering.graph().and(enable, inside);
                let width = memory.word.width as usize;
                let enables = match write.mask {
                    None => vec![enable; width],
                    Some(mask) => {
                        let mask = lowering.of(mask);
                        let lane = width / mask.len();
                        let graph = lowering.graph();
                        let lanes: Vec<Bit> =
                            mask.iter().map(|&bit| graph.and(enable, bit)).collect();
                        (0..width).map(|at| lanes[at / lane]).collect()
                    }
                };
                let (clock, data) = (write.clock.index(), lowering.of(write.data));
                Write { clock, address, data, enables }
            })
            .collect();
        match lowering.stores[number].clone() {
            Store::Words(words) if !writes.is_empty() => fill(lowering, number, &words, &writes),
            Store::Words(_) => {}
            Store::Block(block, _) => lowering.circuit.memories[block].writes = writes.clone(),
        }
        let blocks = matches!(lowering.stores[number], Store::Block(_, Macro::Block(_)));
        let mut delayed = false;
        for (port, read) in memory.reads.iter().enumerate() {
            let register = lowering.output_registers.get(&(number, port));
            let (clock, enable) = match (read.sync, register.map(|&at| &module.registers[at])) {
                (Some((clock, enable)), _) => (clock, lowering.of(enable)[0]),
                (None, Some(register)) => {
                    let enable = register.enable.map(|enable| lowering.of(enable)[0]);
                    (register.clock, enable.unwrap_or(Bit::ONE))
                }
                (None, None) => continue,
            };
            let address = lowering.of(read.address);
            if let [write] = writes.as_slice()
                && lowering.family == Family::Ice40
                && blocks
                && write.clock == clock.index()
                && may_collide(lowering, write, &address, enable)
            {
                old_word(lowering, (number, port), write, &address, enable, !delayed);
                delayed = true;
            }
            registered_read(lowering, number, port, address, (clock.index(), enable));
        }
    }
}

/// Whether a word may be read while it is written.
fn may_collide(lowering: &mut Lowering<'_>, write: &Write, address: &[Bit], enable: Bit) -> bool {
    let graph = lowering.graph();
    let same: Vec<Bit> =
        write.address.iter().zip(address).map(|(&a, &b)| !graph.xor(a, b)).collect();
    let same = graph.all(&same);
    let writes = graph.any(&write.enables);
    together(graph, &[same, writes, enable])
}

/// A RAM that does not promise the word from before the edge: the write waits a cycle in
/// flip-flops (once a memory), and a read of a word that waits takes it from there.
fn old_word(
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

/// Flip-flops for words.
fn fill(lowering: &mut Lowering<'_>, number: usize, words: &[Vec<Bit>], writes: &[Write]) {
    for (at, word) in words.iter().enumerate() {
        for (bit, &q) in word.iter().enumerate() {
            let mut d = q;
            for write in writes {
                let graph = &mut lowering.circuit.graph;
                let here: Vec<Bit> = (write.address.iter().enumerate())
                    .map(|(n, &address)| if at >> n & 1 == 1 { address } else { !address })
                    .collect();
                let here = graph.all(&here);
                let here = graph.and(here, write.enables[bit]);
                d = graph.mux(here, write.data[bit], d);
            }
            let register = 2 * OF_MEMORIES + (number << 32);
            add_plain(lowering, q, d, (register + at, bit), writes[0].clock, Bit::ONE);
        }
    }
}

/// A flip-flop around a memory, unless another does the same.
fn kept(
    lowering: &mut Lowering<'_>,
    d: Bit,
    place: (usize, usize),
    clock: usize,
    enable: Bit,
) -> Bit {
    let q = lowering.place(place);
    if lowering.circuit.is_free(q) {
        add_plain(lowering, q, d, place, clock, enable);
    }
    q
}

fn add_plain(
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

/// A registered read: the block's own register, or flip-flops behind a read at once.
fn registered_read(
    lowering: &mut Lowering<'_>,
    number: usize,
    port: usize,
    address: Vec<Bit>,
    (clock, enable): (usize, Bit),
) {
    let memory = &lowering.module.memories[number];
    let Registered { raw, beyond } = lowering.registered[&(number, port)].clone();
    let register = OF_MEMORIES + (number << 32) + (port << 24);
    if let Some(flag) = beyond {
        let inside = inside(lowering, memory, &address);
        add_plain(lowering, flag, !inside, (register, usize::MAX), clock, enable);
    }
    match lowering.stores[number].clone() {
        Store::Block(block, Macro::Block(_)) => {
            add_read(lowering, block, address, raw, Some((clock, enable)));
        }
        store => {
            let now = match store {
                Store::Words(words) => pick(lowering, &words, &address),
                Store::Block(block, _) => {
                    let bits = lowering.circuit.graph.sources(raw.len());
                    add_read(lowering, block, address, bits.clone(), None);
                    bits
                }
            };
            for (at, (&q, now)) in raw.iter().zip(now).enumerate() {
                add_plain(lowering, q, now, (register, at), clock, enable);
            }
        }
    }
}
