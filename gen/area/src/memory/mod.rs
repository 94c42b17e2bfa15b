//! Memories: block RAM, RAM in tables, or flip-flops, by the cost that Yosys' `memory_libmap`
//! compares.

mod collision;
mod ports;
mod units;

use super::Family;
use super::circuit::{self, Origin, Read, Write};
use super::compare::compare;
use super::graph::Bit;
use super::lower::{Lowering, constant};
use collision::{add_plain, kept, may_collide, new_word, old_word};
use hwgen_hdl::index_bits;
use hwgen_hdl::netlist::{BinaryOp, Memory};
use units::{Ports, choose};

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

/// The register that holds a copy of a read port's address.
fn address_copy(memory: usize, port: usize) -> usize {
    HELD + (memory << 32) + (2 << 24) + (port << 16)
}

/// Decides what each memory is made of; registered reads get their bits.
pub(super) fn make_memories(lowering: &mut Lowering<'_>) {
    let module = lowering.module;
    let merged = ports::output_registers(module);
    let early = ports::address_registers(module, &merged);
    for (number, memory) in module.memories.iter().enumerate() {
        let width = memory.word.width as usize;
        let reads = 0..memory.reads.len();
        let registered =
            |port: usize| memory.reads[port].sync.is_some() || merged.contains_key(&(number, port));
        let is_early = |port: &usize| early.contains_key(&(number, *port));
        let masks = memory.writes.iter().filter_map(|write| write.mask);
        let ports = Ports {
            lanes: masks.map(|mask| module.ty(mask).width as usize).max().unwrap_or(1),
            early: reads.clone().filter(is_early).count(),
            registered: reads.clone().all(|port| registered(port) || is_early(&port)),
        };
        let store = match choose(lowering.family, memory, &ports) {
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
    lowering.address_registers = early;
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

/// The word of a read at once.
pub(super) fn read_now(lowering: &mut Lowering<'_>, memory: usize, port: usize) -> Vec<Bit> {
    let module = lowering.module;
    let known = &module.memories[memory];
    if let Some(registered) = lowering.registered.get(&(memory, port)) {
        // nobody but the register reads it
        return registered.raw.clone();
    }
    let address = lowering.of(known.reads[port].address);
    let early = lowering.address_registers.contains_key(&(memory, port));
    let word = match lowering.stores[memory].clone() {
        Store::Block(_, Macro::Block(_)) if early => early_word(lowering, memory, port),
        Store::Words(_) if early && known.writes.is_empty() => early_word(lowering, memory, port),
        store => {
            // what has no register of its own gets a copy of the address's
            let copy = |at| lowering.place((address_copy(memory, port), at));
            let copied: Vec<Bit> = match early {
                true => (0..address.len()).map(copy).collect(),
                false => address.clone(),
            };
            word_now(lowering, &store, copied, known.word.width as usize)
        }
    };
    guarded(lowering, known, &address, word)
}

/// The word that a register behind the memory will hold.
fn early_word(lowering: &mut Lowering<'_>, memory: usize, port: usize) -> Vec<Bit> {
    let width = lowering.module.memories[memory].word.width as usize;
    let raw = lowering.circuit.graph.sources(width);
    let read = Registered { raw: raw.clone(), beyond: None };
    lowering.registered.insert((memory, port), read);
    raw
}

/// The word at an address, at once.
fn word_now(
    lowering: &mut Lowering<'_>,
    store: &Store,
    address: Vec<Bit>,
    width: usize,
) -> Vec<Bit> {
    match store {
        Store::Words(words) => pick(lowering, words, &address),
        Store::Block(block, _) => {
            let bits = lowering.circuit.graph.sources(width);
            add_read(lowering, *block, address, bits.clone(), None);
            bits
        }
    }
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
            if let Some(&clock) = lowering.address_registers.get(&(number, port)) {
                let address = lowering.of(read.address);
                let address = ports::before(lowering, &address);
                if lowering.registered.contains_key(&(number, port)) {
                    for write in writes.iter().filter(|write| write.clock == clock) {
                        new_word(lowering, (number, port), write, &address);
                    }
                    registered_read(lowering, number, port, address, (clock, Bit::ONE));
                } else {
                    for (at, &d) in address.iter().enumerate() {
                        kept(lowering, d, (address_copy(number, port), at), clock, Bit::ONE);
                    }
                }
                continue;
            }
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
            let now = word_now(lowering, &store, address, raw.len());
            for (at, (&q, now)) in raw.iter().zip(now).enumerate() {
                add_plain(lowering, q, now, (register, at), clock, enable);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Family, Resources, estimate};
    use hwgen_hdl::{ModuleBuilder, Signal, s, u};

    /// What a memory takes that is written and read through its own port, `wire` connecting it.
    fn store(depth: usize, width: u32, family: Family, wire: Wire) -> Resources {
        let m = ModuleBuilder::new("store");
        let memory = m.memory("words", depth, u(width));
        let (write, fetch) = (m.input("write", u(1)), m.input("fetch", u(1)));
        let (tail, data) = (m.input("tail", memory.address_type()), m.input("data", u(width)));
        match wire {
            Wire::Lanes(lanes) => memory.write_masked(tail, data, write, m.input("mask", u(lanes))),
            _ => memory.write(tail, data, write),
        };
        let address = m.input("address", memory.address_type());
        let word: Signal<'_> = match wire {
            Wire::AddressRegister => {
                let head = m.reg("head", address.ty()).no_reset().next(address).enable(fetch);
                memory.read(head)
            }
            _ => memory.read_sync(address, fetch),
        };
        m.output("word", word);
        estimate(&m.finish(), family)
    }

    #[derive(Clone, Copy)]
    enum Wire {
        Plain,
        Lanes(u32),
        AddressRegister,
    }

    #[test]
    fn tables_are_taken_where_blocks_cost_the_same() {
        // 66 words of 77 bits cost Yosys 389 either way
        let even = store(66, 77, Family::Xilinx7, Wire::Plain);
        assert_eq!(even.bram, 0);
        assert!(even.lut >= 4 * 39, "{even:?}");
        assert_eq!(store(66, 78, Family::Xilinx7, Wire::Plain).bram, 3);
    }

    #[test]
    fn parts_that_are_written_alone_are_padded_to_the_bits_of_a_write_enable() {
        assert_eq!(store(256, 56, Family::Ice40, Wire::Plain).bram, 4);
        assert_eq!(store(256, 56, Family::Ice40, Wire::Lanes(2)).bram, 4);
        // nine bits an enable: two parts of 28 bits take 36 each
        assert_eq!(store(512, 56, Family::Xilinx7, Wire::Plain).bram, 2);
        assert_eq!(store(512, 72, Family::Xilinx7, Wire::Lanes(8)).bram, 2);
        assert_eq!(store(512, 40, Family::Xilinx7, Wire::Lanes(8)).bram, 2);
    }

    #[test]
    fn a_register_before_the_address_makes_a_read_one_of_block_ram() {
        let early = store(16, 16, Family::Ice40, Wire::AddressRegister);
        // a word that is written as its address is taken waits, with the flag that shows it
        assert_eq!((early.bram, early.ff), (1, 16 + 1 + 4));
        // tables get their address from a copy of the register
        let tables = store(16, 16, Family::Xilinx7, Wire::AddressRegister);
        assert_eq!((tables.bram, tables.ff), (0, 4 + 4));
    }

    #[test]
    fn what_no_word_changes_is_not_stored() {
        let rom = |bits: u32, depth: usize| {
            let m = ModuleBuilder::new("rom");
            let words = (0..depth).map(|n| (n * 7919 % (1 << bits)) as i64);
            let memory = m.memory("words", depth, s(24)).init(words);
            let (fetch, address) =
                (m.input("fetch", u(1)), m.input("address", memory.address_type()));
            m.output("word", memory.read_sync(address, fetch));
            estimate(&m.finish(), Family::Ice40)
        };
        assert_eq!(rom(16, 256).bram, 1);
        assert_eq!(rom(17, 256).bram, 2);
        // a known bit is a sixteenth of a flip-flop: 63 x 16 bits cost less than a block
        assert_eq!(rom(16, 63).bram, 0);
    }
}
