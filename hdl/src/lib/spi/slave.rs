//! The slave: bytes of mode 0, oversampled by our own clock.

use crate::build::{Bundle, ModuleBuilder, Stream};
use crate::lib::naming::{check_range, data};
use crate::lib::synchronizer::synchronize;
use crate::netlist::Module;
use crate::ty::u;
use std::sync::Arc;

/// Bits of a byte.
const BITS: u32 = 8;

/// The slave of a mode 0 bus, eight bits a word: pins `sclk`, `mosi`, `cs_n` of any clock and `miso`; streams
/// `in` of `data: u8`, bytes to the master, and `out` of `data: u8` and `framing_error: u1` (`cs_n` rose
/// within the byte), bytes from it; out `overrun`.
///
/// A *selection* is the time that `cs_n` is 0. Its first byte says nothing, either way: the master gives
/// this side time to see that it is meant, and other slaves on the same wires a command that they do not know.
///
/// - The master is never made to wait: where `in` has no byte in time, it gets `filler`. A byte of `in` has
///   gone when its last bit was sampled; if `cs_n` rises before, it is sent again in the next selection.
/// - A byte from the master is offered once its last bit is there and waits in a register; if the next
///   one comes before it was taken, that one is lost and `overrun` is 1 for a cycle.
///
/// All pins go through two registers. So `sclk` must stay at each level for two cycles or more, `mosi` must be
/// stable one cycle before and two behind a rising edge, and `cs_n` must fall and rise two cycles apart from
/// an edge of `sclk`, and stay up for three. `miso` changes two to three cycles behind a rising edge: at four cycles a bit the master
/// samples it a cycle later.
///
/// # Panics
/// If `filler` is outside `0..=255`.
pub fn slave(filler: u32) -> Arc<Module> {
    check_range("spi_slave", "filler", filler, 0..=255);
    let m = ModuleBuilder::new(format!("spi_slave_f{filler}"));
    m.doc("SPI slave, mode 0, bytes: those of in go to the master, its own to out.");
    m.parameter("filler", filler);
    let pin = |name, idle| synchronize(m.domain(), name, m.input(name, u(1)), 2, idle);
    let (sclk, mosi, deselected) = (pin("sclk", 0), pin("mosi", 0), pin("cs_n", 1));
    let input = m.stream_in("in", &data(BITS));

    let sclk_before = m.reg("sclk_before", u(1)).next(sclk);
    let rises = (!deselected & sclk & !*sclk_before).named("sclk_rises");
    let bits = m.reg("bits_so_far", u(3)).clear(deselected).enable(rises);
    bits.next(*bits + 1);
    let ends = (rises & bits.all()).named("byte_ends");
    let counts = m.reg("byte_counts", u(1)).clear(deselected).enable(ends);
    counts.next(m.lit(u(1), 1));

    // from the master
    let taken_in = m.reg("taken_in", u(BITS)).no_reset().enable(rises);
    let with_this_bit = taken_in.truncate(BITS - 1).cat(mosi);
    taken_in.next(with_this_bit);
    let cut = (deselected & *counts & bits.any()).named("byte_cut");
    let arrives = ((ends & *counts) | cut).named("byte_arrives");
    let valid = m.reg("valid", u(1));
    let keep = arrives & !*valid;
    let kept_byte = m.reg("data", u(BITS)).no_reset().enable(keep).next(with_this_bit);
    let kept_error = m.reg("framing_error", u(1)).no_reset().enable(keep).next(cut);
    let payload = Bundle::new([("data", *kept_byte), ("framing_error", *kept_error)]);
    let output = Stream::source(&m, "out", *valid, payload);
    valid.next(valid.mux(!*output.ready, arrives));
    m.output("overrun", (arrives & *valid).named("lost"));
    m.stream_out("out", &output);

    // to the master: the byte that goes, which stays whole until it has gone, and the one behind it
    let going = m.reg("going", u(BITS)).no_reset();
    let goes = m.reg("goes", u(1));
    let behind = m.reg("behind", u(BITS)).no_reset().enable(input.fires());
    behind.next(input.get("data"));
    let waits = m.reg("waits", u(1));
    let moves_up = (ends & (*counts | !*goes)).named("moves_up");
    input.ready.drive(!*waits);
    waits.next(input.fires() | (*waits & !moves_up));
    going.next(*behind).enable(moves_up);
    goes.next(*waits).enable(moves_up);
    // Reset, since it is a pin.
    let sending = m.reg("sending", u(BITS)).reset_to(filler).enable(deselected | rises);
    let filler = m.lit(u(BITS), filler);
    let next_byte = moves_up.mux(waits.mux(*behind, filler), *going);
    let onward = ends.mux(next_byte, sending.shl(1));
    sending.next(deselected.mux(filler, onward));
    m.output("miso", sending.msb());
    m.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{Random, simulate};
    use crate::sim::Simulator;

    const FILLER: u32 = 0xc0;

    /// A master at the pins, and what stands behind the slave.
    struct Bus {
        sim: Simulator,
        random: Random,
        /// Cycles of half a period, at random.
        half: [u64; 2],
        /// Bytes for the master: the first is offered.
        to_master: Vec<u8>,
        gone: usize,
        offers: bool,
        /// Whether the slave's user stalls at random.
        stalls: bool,
        received: Vec<(u8, bool)>,
        overruns: usize,
    }

    impl Bus {
        fn new(half: [u64; 2], seed: u64) -> Bus {
            let mut sim = simulate(&slave(FILLER));
            sim.poke("cs_n", 1);
            let (to_master, received) = (vec![], vec![]);
            let random = Random::new(seed);
            let [offers, stalls] = [false; 2];
            let (gone, overruns) = (0, 0);
            let mut bus =
                Bus { sim, random, half, to_master, gone, offers, stalls, received, overruns };
            bus.cycles(5);
            bus
        }

        fn cycles(&mut self, count: u64) {
            for _ in 0..count {
                let offered = self.to_master.get(self.gone).copied();
                self.offers |= offered.is_some() && !(self.stalls && self.random.percent(30));
                self.sim.poke("in_valid", u32::from(self.offers));
                self.sim.poke("in_data", u32::from(offered.unwrap_or(0x77)));
                if self.offers && self.sim.peek_u64("in_ready") == 1 {
                    (self.gone, self.offers) = (self.gone + 1, false);
                }
                let takes = !(self.stalls && self.random.percent(50));
                self.sim.poke("out_ready", u32::from(takes));
                if takes && self.sim.peek_u64("out_valid") == 1 {
                    let byte = self.sim.peek_u64("out_data") as u8;
                    self.received.push((byte, self.sim.peek_u64("out_framing_error") == 1));
                }
                self.overruns += self.sim.peek_u64("overrun") as usize;
                self.sim.step();
            }
        }

        fn half(&mut self) -> u64 {
            let [least, most] = self.half;
            least + self.random.below(most - least + 1)
        }

        /// So many bits of a byte; the byte that comes meanwhile, its first bits.
        fn bits(&mut self, byte: u8, count: u32) -> u8 {
            let mut came = 0;
            for bit in 0..count {
                self.sim.poke("mosi", u32::from(byte << bit >> 7));
                let half = self.half();
                self.cycles(half);
                came = came << 1 | self.sim.peek_u64("miso") as u8;
                self.sim.poke("sclk", 1);
                let half = self.half();
                self.cycles(half);
                self.sim.poke("sclk", 0);
            }
            came
        }

        fn select(&mut self, low: bool) {
            let half = self.half().max(3);
            self.cycles(half);
            self.sim.poke("cs_n", u32::from(!low));
            let half = self.half().max(3);
            self.cycles(half);
        }

        /// A selection: its first byte, then these; what came meanwhile but for the first.
        fn exchange(&mut self, bytes: &[u8]) -> Vec<u8> {
            self.select(true);
            self.bits(0xff, 8);
            let came = bytes.iter().map(|&byte| self.bits(byte, 8)).collect();
            self.select(false);
            came
        }
    }

    fn without_fillers(bytes: &[u8]) -> Vec<u8> {
        bytes.iter().copied().filter(|&byte| u32::from(byte) != FILLER).collect()
    }

    #[test]
    fn bytes_go_both_ways_at_any_rate() {
        for (seed, half) in [[2, 2], [2, 5], [3, 3], [2, 40], [17, 17]].into_iter().enumerate() {
            let mut bus = Bus::new(half, seed as u64);
            bus.stalls = half[0] > 2 || half[1] > 5;
            let any = |random: &mut Random| random.below(0xc0) as u8;
            bus.to_master = (0..60).map(|_| any(&mut bus.random)).collect();
            let to_master = bus.to_master.clone();
            let sent: Vec<u8> = (0..100).map(|_| bus.random.below(256) as u8).collect();
            let mut came = vec![];
            let mut rest = &sent[..];
            while !rest.is_empty() {
                let count = (1 + bus.random.below(9) as usize).min(rest.len());
                came.extend(bus.exchange(&rest[..count]));
                rest = &rest[count..];
            }
            bus.cycles(50);
            let expected: Vec<_> = sent.iter().map(|&byte| (byte, false)).collect();
            assert_eq!(bus.received, expected, "{half:?}");
            assert_eq!(without_fillers(&came), to_master, "{half:?}");
            assert_eq!(bus.overruns, 0, "{half:?}");
        }
    }

    #[test]
    fn bytes_that_are_there_follow_each_other_without_a_filler() {
        let mut bus = Bus::new([2, 2], 1);
        bus.to_master = (1..=40).collect();
        let came = bus.exchange(&[7; 42]);
        assert_eq!(came, [(1..=40).collect::<Vec<u8>>(), vec![FILLER as u8; 2]].concat());
    }

    #[test]
    fn a_selection_that_ends_within_a_byte_loses_none_to_the_master() {
        let mut bus = Bus::new([2, 3], 3);
        bus.to_master = (1..=90).collect();
        let (mut came, mut expected) = (vec![], vec![]);
        for byte in 0..60u8 {
            let cut = bus.random.below(8) as u32;
            bus.select(true);
            bus.bits(0xff, 8);
            came.push(bus.bits(byte, 8));
            expected.push((byte, false));
            bus.bits(byte ^ 0x5a, cut);
            bus.select(false);
            expected.extend((cut > 0).then_some((0, true)));
        }
        bus.cycles(5);
        assert_eq!(without_fillers(&came), (1..=came.len() as u8).collect::<Vec<_>>());
        // what a byte was that was cut nobody knows
        let received = bus.received.iter().map(|&(byte, cut)| (if cut { 0 } else { byte }, cut));
        assert_eq!(received.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_first_byte_that_is_cut_says_nothing() {
        let mut bus = Bus::new([2, 2], 4);
        for cut in 0..8 {
            bus.select(true);
            bus.bits(0xff, cut);
            bus.select(false);
        }
        // the clock of another slave's selection
        bus.bits(0x12, 8);
        assert_eq!(bus.exchange(&[9]), [FILLER as u8]);
        assert_eq!(bus.received, [(9, false)]);
    }

    #[test]
    fn overrun_keeps_the_first_byte() {
        let mut sim = simulate(&slave(FILLER));
        sim.poke("cs_n", 1);
        sim.steps(4);
        sim.poke("cs_n", 0);
        sim.steps(4);
        let mut overruns = 0;
        for byte in [0xffu8, 1, 2] {
            for bit in (0..8).rev() {
                sim.poke("mosi", u32::from(byte >> bit & 1));
                for level in [1, 0] {
                    sim.poke("sclk", level);
                    for _ in 0..2 {
                        overruns += sim.peek_u64("overrun");
                        sim.step();
                    }
                }
            }
        }
        assert_eq!((overruns, sim.peek_u64("out_data")), (1, 1));
    }
}
