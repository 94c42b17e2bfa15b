//! What a memory costs in units of each kind, and the cheapest, as Yosys' `memory_libmap` chooses.

use super::super::Family;
use super::super::graph::Bit;
use super::super::lower::constant;
use super::Macro;
use hwgen_hdl::netlist::Memory;

/// What of a memory's ports decides how it is made.
pub(super) struct Ports {
    /// Parts of a word that are written alone.
    pub(super) lanes: usize,
    /// Reads at once whose address is in a register.
    pub(super) early: usize,
    /// Whether all reads are registered, behind the word or before the address.
    pub(super) registered: bool,
}

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
    /// Bits with one write enable: parts of a word that are written alone are padded to these.
    byte: usize,
    /// Read ports of one.
    ports: usize,
    /// What one is.
    what: Macro,
}

const fn block(
    address_bits: u32,
    widths: &'static [usize],
    byte: usize,
    cost: f64,
    units: usize,
) -> Unit {
    Unit { address_bits, widths, cost, scale: 0.0, byte, ports: 1, what: Macro::Block(units) }
}

const fn tables(
    address_bits: u32,
    widths: &'static [usize],
    cost: f64,
    scale: f64,
    ports: usize,
) -> Unit {
    Unit { address_bits, widths, cost, scale, byte: usize::MAX, ports, what: Macro::Tables(4) }
}

/// Block RAMs of 18 and 36 kbit; widths beyond 18 and 36 take both ports.
const XILINX_BLOCKS: &[Unit] = &[
    block(14, &[1, 2, 4, 9, 18], 9, 129.0, 1),
    block(15, &[1, 2, 4, 9, 18, 36], 9, 257.0, 2),
    block(14, &[1, 2, 4, 9, 18, 36], 9, 129.0, 1),
    block(15, &[1, 2, 4, 9, 18, 36, 72], 9, 257.0, 2),
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

const ICE40_BLOCKS: &[Unit] = &[block(11, &[2, 4, 8, 16], 1, 64.0, 1)];

/// The cheapest way, or none if that is flip-flops or gates.
pub(super) fn choose(family: Family, memory: &Memory, ports: &Ports) -> Option<Macro> {
    let width = changing_bits(memory);
    let bits = (memory.depth * width) as f64;
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
    // a point a read port, three for each way to get the right word out of a collision
    let early = if rom { 0 } else { 3 * ports.early };
    let points = (memory.reads.len() + early) as f64;
    let mut offer = |units: &[Unit], points: f64| {
        for unit in units {
            let (cost, count) = price(unit, memory, width, ports.lanes, points);
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
        offer(tables, points);
    }
    if ports.registered {
        let old_word = family == Family::Ice40 && !rom && ports.early < memory.reads.len();
        offer(blocks, points + if old_word { 3.0 } else { 0.0 });
    }
    best.1
}

/// Bits of a word that are not the same in all words of a memory that is only read.
fn changing_bits(memory: &Memory) -> usize {
    let width = memory.word.width as usize;
    if !memory.writes.is_empty() {
        return width;
    }
    let words: Vec<Vec<Bit>> = memory.init.iter().map(|word| constant(word, memory.word)).collect();
    let rest = (words.len() < memory.depth).then_some(Bit::ZERO);
    let changes = |at: &usize| {
        let mut bits = words.iter().map(|word| word[*at]).chain(rest);
        let first = bits.next();
        bits.any(|bit| Some(bit) != first)
    };
    (0..width).filter(changes).count()
}

/// The cost of a memory of words of `width` bits in units of a kind, and how many it takes.
fn price(unit: &Unit, memory: &Memory, width: usize, lanes: usize, points: f64) -> (f64, usize) {
    let replicas = memory.reads.len().div_ceil(unit.ports).max(1);
    let mut best = (f64::INFINITY, 0);
    for (log, &unit_width) in unit.widths.iter().enumerate() {
        let words = 1usize << (unit.address_bits - (log as u32).min(unit.address_bits));
        let rows = memory.depth.div_ceil(words);
        let lane = width.div_ceil(lanes);
        let byte = unit.byte.min(unit_width);
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
