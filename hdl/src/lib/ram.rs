//! RAMs as modules, in the forms that every FPGA's block RAM has. Contents are unknown at power-up.

use super::naming::check_range;
use crate::build::{MAX_DEPTH, ModuleBuilder};
use crate::netlist::Module;
use crate::ty::{Type, u};
use std::sync::Arc;

/// A simple dual-port RAM: one port writes (`write_enable`, `write_address`, `write_data`, and
/// `write_mask` of `lanes` bits if there are several lanes, lane 0 lowest), one reads
/// (`read_enable`, `read_address`, `read_data`).
///
/// `read_data` shows the word addressed at the last edge with `read_enable`, as it was before that
/// edge (read first). Reads beyond the depth give 0, writes there are lost.
///
/// # Panics
/// If `depth` is outside `1..=2^24`, or `lanes` is outside `1..=word.width` or does not divide it.
pub fn simple_dual_port(depth: usize, word: Type, lanes: u32) -> Arc<Module> {
    check_range("ram", "depth", depth, 1..=MAX_DEPTH);
    check_range("ram", "lanes", lanes, 1..=word.width);
    assert!(
        word.width.is_multiple_of(lanes),
        "ram: {lanes} lanes do not divide words of {} bits",
        word.width
    );
    let suffix = if lanes > 1 { format!("_lanes{lanes}") } else { String::new() };
    let m = ModuleBuilder::new(format!("ram_sdp_d{depth}_{word}{suffix}"));
    m.doc("RAM with a write port and a read port; a read gives the word from before the edge.");
    m.parameter("depth", depth);
    m.parameter("word", word);
    m.parameter("lanes", lanes);
    let memory = m.memory("words", depth, word);
    let address = memory.address_type();
    let write_enable = m.input("write_enable", u(1));
    let write_address = m.input("write_address", address);
    let write_data = m.input("write_data", word);
    if lanes > 1 {
        let mask = m.input("write_mask", u(lanes));
        memory.write_masked(write_address, write_data, write_enable, mask);
    } else {
        memory.write(write_address, write_data, write_enable);
    }
    let read_enable = m.input("read_enable", u(1));
    let read_address = m.input("read_address", address);
    m.output("read_data", memory.read_sync(read_address, read_enable));
    m.finish()
}

/// A true dual-port RAM: ports `a` and `b`, each with `enable`, `write`, `address`, `write_data`,
/// `read_data` (prefixed `a_`, `b_`).
///
/// At an edge with `enable` a port reads its word as it was before the edge, and writes it if
/// `write` is 1. Both must not write one word at one edge; that is promised in simulation.
///
/// # Panics
/// If `depth` is outside `1..=2^24`.
pub fn true_dual_port(depth: usize, word: Type) -> Arc<Module> {
    check_range("ram", "depth", depth, 1..=MAX_DEPTH);
    let m = ModuleBuilder::new(format!("ram_tdp_d{depth}_{word}"));
    m.doc("RAM with two ports that read and write; a read gives the word from before the edge.");
    m.parameter("depth", depth);
    m.parameter("word", word);
    let memory = m.memory("words", depth, word);
    let ports = ["a", "b"].map(|port| {
        let input = |name: &str, ty| m.input(format!("{port}_{name}"), ty);
        let (enable, write) = (input("enable", u(1)), input("write", u(1)));
        let address = input("address", memory.address_type());
        let writes = (enable & write).named(format!("{port}_writes"));
        memory.write(address, input("write_data", word), writes);
        m.output(format!("{port}_read_data"), memory.read_sync(address, enable));
        (writes, address)
    });
    let [(a_writes, a_address), (b_writes, b_address)] = ports;
    let collide = a_writes & b_writes & a_address.eq(b_address);
    m.promise("the ports do not write one word at one edge", !collide);
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    use crate::ty::s;
    vec![
        simple_dual_port(1, u(1), 1),
        simple_dual_port(512, u(36), 4),
        simple_dual_port(100, s(9), 1),
        true_dual_port(2, u(1)),
        true_dual_port(512, u(18)),
        true_dual_port(100, s(9)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{Random, simulate};
    use crate::ty::{Int, index_bits, s};

    /// Writes every word, so that nothing depends on power-up.
    fn model(depth: usize) -> Vec<Int> {
        vec![Int::ZERO; depth]
    }

    #[test]
    fn simple_dual_port_reads_first() {
        for (depth, word, lanes) in [(1, u(1), 1), (5, s(9), 1), (8, u(12), 3), (6, s(72), 9)] {
            let mut sim = simulate(&simple_dual_port(depth, word, lanes));
            let mut random = Random::new(depth as u64);
            let mut words = model(depth);
            for address in 0..depth {
                sim.poke("write_enable", 1);
                sim.poke("write_address", address);
                sim.poke("write_data", 0);
                if lanes > 1 {
                    sim.poke("write_mask", u(lanes).max());
                }
                sim.step();
            }
            let mut shown: Option<Int> = None;
            for _ in 0..400 {
                let (write, read) = (random.percent(50), random.percent(60));
                let addresses = 1 << index_bits(depth);
                let (to, from) = (random.below(addresses), random.below(addresses));
                let (data, mask) = (random.value(word), random.value(u(lanes)));
                sim.poke("write_enable", u32::from(write));
                sim.poke("write_address", to);
                sim.poke("write_data", data.clone());
                if lanes > 1 {
                    sim.poke("write_mask", mask.clone());
                }
                sim.poke("read_enable", u32::from(read));
                sim.poke("read_address", from);
                sim.step();
                if read {
                    shown = Some(words.get(from as usize).cloned().unwrap_or_default());
                }
                if let Some(old) = words.get_mut(to as usize).filter(|_| write) {
                    let lane = word.width / lanes;
                    let mut bits = word.to_bits(old);
                    for bit in 0..word.width {
                        if lanes == 1 || mask.bit((bit / lane).into()) {
                            bits.set_bit(bit.into(), word.to_bits(&data).bit(bit.into()));
                        }
                    }
                    *old = word.wrap(bits);
                }
                if let Some(shown) = &shown {
                    assert_eq!(sim.peek("read_data"), *shown);
                }
            }
        }
    }

    #[test]
    fn true_dual_port_reads_first_on_both_sides() {
        for (depth, word) in [(2usize, u(1)), (5, s(9)), (8, u(12))] {
            let mut sim = simulate(&true_dual_port(depth, word));
            let mut random = Random::new(depth as u64);
            let mut words = model(depth);
            for address in 0..depth {
                sim.poke("a_enable", 1);
                sim.poke("a_write", 1);
                sim.poke("a_address", address);
                sim.poke("a_write_data", 0);
                sim.step();
            }
            let mut shown = [None, None];
            for _ in 0..400 {
                let before = words.clone();
                let mut written = None;
                for (side, port) in ["a", "b"].into_iter().enumerate() {
                    let (enable, mut write) = (random.percent(60), random.percent(50));
                    let address = random.below(depth as u64) as usize;
                    write &= written != Some(address);
                    let data = random.value(word);
                    sim.poke(&format!("{port}_enable"), u32::from(enable));
                    sim.poke(&format!("{port}_write"), u32::from(write));
                    sim.poke(&format!("{port}_address"), address);
                    sim.poke(&format!("{port}_write_data"), data.clone());
                    if enable {
                        shown[side] = Some(before[address].clone());
                    }
                    if enable && write {
                        words[address] = data;
                        written = Some(address);
                    }
                }
                sim.step();
                for (port, shown) in ["a", "b"].into_iter().zip(&shown) {
                    if let Some(shown) = shown {
                        assert_eq!(sim.peek(&format!("{port}_read_data")), *shown);
                    }
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "ram: 3 lanes do not divide words of 8 bits")]
    fn lanes_must_divide_the_word() {
        simple_dual_port(4, u(8), 3);
    }
}
