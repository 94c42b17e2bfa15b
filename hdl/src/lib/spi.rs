//! SPI: a word each way between a master and a slave, most significant bit first.
//!
//! [`master`] speaks all modes; [`slave()`], of mode 0, carries a stream of bytes each way.
//!
//! | mode | `sclk` idles at | data is sampled at | and changes at |
//! |---|---|---|---|
//! | 0 | 0 | rising edges | falling edges |
//! | 1 | 0 | falling edges | rising edges |
//! | 2 | 1 | falling edges | rising edges |
//! | 3 | 1 | rising edges | falling edges |

mod slave;

pub use slave::slave;

use super::naming::check_range;
use crate::build::{Bundle, ModuleBuilder, Stream, fields};
use crate::netlist::Module;
use crate::ty::{bits_for, u};
use std::sync::Arc;

/// The master: stream `in` of `data: u(width)` and `last: u1`, stream `out` of `data`, pins
/// `sclk`, `mosi`, `miso`, `cs_n`.
///
/// Each word of `in` is sent and the word that came meanwhile is offered at `out`. `cs_n` goes to 0
/// with a word and back to 1 after one with `last`; it stays 0 between words otherwise. `sclk` has
/// half periods of `half_period` cycles; a word takes `2 * width + 1` of them from the cycle after
/// it was taken until its answer is offered. The next word waits until the answer was taken.
/// `miso` is sampled once, without synchroniser: it follows our own `sclk`, and must be stable
/// `half_period` cycles after the edge that changes it.
///
/// # Panics
/// If `mode` is outside `0..=3`, `half_period` outside `1..=65536` or `width` outside `1..=64`.
pub fn master(mode: u32, half_period: u32, width: u32) -> Arc<Module> {
    check_range("spi_master", "mode", mode, 0..=3);
    check_range("spi_master", "half_period", half_period, 1..=65536);
    check_range("spi_master", "width", width, 1..=64);
    let m = ModuleBuilder::new(format!("spi_master_m{mode}_h{half_period}_w{width}"));
    m.doc("SPI master: sends the words of in, offers the words that come meanwhile at out.");
    m.parameter("mode", mode);
    m.parameter("half_period", half_period);
    m.parameter("width", width);
    let (idle_level, samples_second_edge) = (mode >> 1, mode & 1 == 1);
    let input = m.stream_in("in", &fields([("data", u(width)), ("last", u(1))]));
    let miso = m.input("miso", u(1));

    // A word is `2 * width` edges of sclk and a pause, half a period each.
    let halves = 2 * width + 1;
    let halves_left = m.reg("halves_left", u(bits_for(halves.into())));
    let cycles_left = m.reg("cycles_left", u(bits_for(u64::from(half_period) - 1)));
    let sclk = m.reg("clock", u(1)).reset_to(idle_level);
    let select = m.reg("select_n", u(1)).reset_to(1);
    let last = m.reg("last", u(1)).no_reset();
    // Reset, since it is a pin.
    let sending = m.reg("sending", u(width));
    let received = m.reg("received", u(width)).no_reset();
    let done = m.reg("done", u(1));

    let busy = halves_left.any().named("busy");
    input.ready.drive(!busy & !done);
    let begins = input.fires().named("begins");
    let half_ends = (busy & cycles_left.eq(0)).named("half_ends");
    let ends = (half_ends & halves_left.eq(1)).named("ends");
    let edge = (half_ends & halves_left.ne(1)).named("sclk_edge");
    // The count is odd at the first edge of a bit, and in the pause, which has none.
    let first_edge = (edge & halves_left.bit(0)).named("first_edge");
    let second_edge = (edge & !halves_left.bit(0)).named("second_edge");
    let (sample, change) = match samples_second_edge {
        // The first bit is on the line from the start, the others change after a sample.
        false => (first_edge, second_edge),
        // The first edge puts the first bit on the line: it is there already.
        true => (second_edge, first_edge & halves_left.ne(halves)),
    };

    let reload = m.lit(cycles_left.ty(), half_period - 1);
    cycles_left.next((begins | half_ends).mux(reload, cycles_left - 1)).enable(begins | busy);
    let counted = begins.mux(m.lit(halves_left.ty(), halves), halves_left - 1);
    halves_left.next(counted).enable(begins | half_ends);
    sclk.next(!sclk).enable(edge);
    select.next(!begins).enable(begins | (ends & *last));
    last.next(input.get("last")).enable(begins);
    sending.next(begins.mux(input.get("data"), sending.shl(1))).enable(begins | change);
    let taken_in = match width {
        1 => miso,
        _ => received.truncate(width - 1).cat(miso),
    };
    received.next(taken_in).enable(sample);

    let output = Stream::source(&m, "out", done, Bundle::new([("data", *received)]));
    done.next(ends | (*done & !*output.ready));
    m.stream_out("out", &output);
    m.output("sclk", sclk);
    m.output("mosi", sending.msb());
    m.output("cs_n", select);
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    let masters = [master(0, 1, 1), master(1, 2, 8), master(2, 5, 16), master(3, 1, 64)];
    masters.into_iter().chain([0, 0xc0].map(slave)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{Random, share, simulate};
    use crate::sim::{StreamDriver, StreamMonitor};
    use crate::ty::Int;

    /// A slave seen from its pins: shifts in at sampling edges, out at the others.
    struct Slave {
        mode: u32,
        width: u32,
        answers: Vec<u64>,
        /// What came in, a word an entry, and whether the select went up after it.
        words: Vec<(u64, bool)>,
        shift_in: u64,
        bits: u32,
        out_bit: u32,
        before: (u64, u64),
    }

    impl Slave {
        fn miso(&self) -> u64 {
            let answer = self.answers.get(self.words.len()).unwrap_or(&0);
            answer >> (self.width - 1 - self.out_bit.min(self.width - 1)) & 1
        }

        fn see(&mut self, sclk: u64, mosi: u64, cs_n: u64) {
            let (clock_before, select_before) = self.before;
            self.before = (sclk, cs_n);
            if cs_n == 1 && select_before == 0 {
                assert_eq!(self.bits, 0, "select goes up between words");
                self.words.last_mut().expect("a word").1 = true;
            }
            if sclk == clock_before {
                return;
            }
            assert_eq!((cs_n, select_before), (0, 0), "the clock runs while selected");
            let leading = sclk != u64::from(self.mode >> 1);
            let samples = leading != (self.mode & 1 == 1);
            if samples {
                self.shift_in = self.shift_in << 1 | mosi;
                self.bits += 1;
            }
            if self.mode & 1 == 0 {
                // The next bit goes out at trailing edges.
                self.out_bit = if leading { self.out_bit } else { self.bits };
            } else if leading {
                self.out_bit = self.bits;
            }
            if self.bits == self.width && !leading {
                self.words.push((self.shift_in, false));
                (self.shift_in, self.bits, self.out_bit) = (0, 0, 0);
            }
        }
    }

    #[test]
    fn exchanges_words_in_every_mode() {
        for mode in 0..4 {
            for (half_period, width) in [(1, 1), (1, 8), (2, 8), (3, 5), (1, 64), (7, 16)] {
                let module = master(mode, half_period, width);
                let mut sim = simulate(&module);
                let mut random = Random::new(u64::from(mode * 100 + width));
                let mut any = || u64::try_from(random.value(u(width))).unwrap();
                let sent: Vec<(u64, bool)> = (0..12).map(|i| (any(), i % 3 == 2)).collect();
                let answers: Vec<u64> = (0..12).map(|_| any()).collect();
                let mut slave = Slave {
                    mode,
                    width,
                    answers: answers.clone(),
                    words: vec![],
                    shift_in: 0,
                    bits: 0,
                    out_bit: 0,
                    before: ((mode >> 1).into(), 1),
                };
                let mut driver = StreamDriver::new(&module, "in", share(30), 1).unwrap();
                let mut monitor = StreamMonitor::new(&module, "out", share(30), 2).unwrap();
                for (word, last) in &sent {
                    driver.push([*word, u64::from(*last)]);
                }
                for _ in 0..12 * (2 * width + 1) * half_period + 200 {
                    slave.see(sim.peek_u64("sclk"), sim.peek_u64("mosi"), sim.peek_u64("cs_n"));
                    sim.poke("miso", slave.miso());
                    driver.drive(&mut sim);
                    monitor.drive(&mut sim);
                    driver.sample(&mut sim);
                    monitor.sample(&mut sim);
                    sim.step();
                }
                assert_eq!(slave.words, sent, "{}", sim.module().name);
                let received: Vec<_> = answers.iter().map(|word| vec![Int::from(*word)]).collect();
                assert_eq!(monitor.received, received, "{}", sim.module().name);
            }
        }
    }

    #[test]
    fn takes_the_stated_time() {
        let mut sim = simulate(&master(0, 3, 8));
        sim.poke("in_valid", 1);
        sim.poke("in_last", 1);
        sim.step();
        sim.poke("in_valid", 0);
        let cycles = (0..1000).take_while(|_| {
            sim.step();
            sim.peek_u64("out_valid") == 0
        });
        assert_eq!(cycles.count() + 1, 3 * (2 * 8 + 1));
        assert_eq!((sim.peek_u64("cs_n"), sim.peek_u64("sclk")), (1, 0));
    }
}
