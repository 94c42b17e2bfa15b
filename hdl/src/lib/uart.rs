//! UART: bytes over one wire, 8 data bits, no parity, 1 stop bit, least significant bit first.
//!
//! `divisor` is the number of clock cycles a bit: clock frequency over baud rate, rounded. The
//! receiver samples in the middle of each bit; with a divisor of 16 or more it stands a mismatch of
//! the two sides' rates of 4 % in all.

use super::naming::{check_range, data};
use super::synchronizer::synchronize;
use crate::build::{Bundle, ModuleBuilder, Stream};
use crate::netlist::Module;
use crate::ty::{bits_for, u};
use std::sync::Arc;

/// Start, data and stop bits.
const FRAME_BITS: u32 = 10;

/// The transmitter: stream `in` of `data: u8`, out `tx`, which idles at 1.
///
/// The start bit begins the cycle after a byte was taken; the next byte is taken in the last cycle
/// of the stop bit, so frames follow each other without a gap: one byte in `10 * divisor` cycles.
///
/// # Panics
/// If `divisor` is outside `1..=2^24`.
pub fn transmitter(divisor: u32) -> Arc<Module> {
    check_range("uart_transmitter", "divisor", divisor, 1..=1 << 24);
    let m = ModuleBuilder::new(format!("uart_transmitter_d{divisor}"));
    m.doc("UART transmitter, 8N1. divisor is the number of cycles a bit.");
    m.parameter("divisor", divisor);
    let input = m.stream_in("in", &data(8));
    let bits_left = m.reg("bits_left", u(bits_for(FRAME_BITS.into())));
    let cycles_left = m.reg("cycles_left", u(bits_for(u64::from(divisor) - 1)));
    // The bits still to be sent above the one on the line; ones come in from the top.
    let frame = m.reg("frame", u(FRAME_BITS)).reset_to((1 << FRAME_BITS) - 1);

    let bit_ends = cycles_left.eq(0).named("bit_ends");
    let idle = bits_left.eq(0).named("idle");
    let last_cycle = (bits_left.eq(1) & bit_ends).named("last_cycle");
    input.ready.drive(idle | last_cycle);
    let begins = input.fires().named("begins");
    let framed = m.lit(u(1), 1).cat(input.get("data")).cat(m.lit(u(1), 0));
    let shifted = m.lit(u(1), 1).cat(frame.slice(FRAME_BITS - 1, 1));
    frame.next(begins.mux(framed, shifted)).enable(begins | bit_ends);
    let counted = begins.mux(m.lit(bits_left.ty(), FRAME_BITS), bits_left - 1);
    bits_left.next(counted).enable(begins | (!idle & bit_ends));
    let reload = m.lit(cycles_left.ty(), divisor - 1);
    cycles_left.next((begins | bit_ends).mux(reload, cycles_left - 1));
    m.output("tx", frame.bit(0));
    m.finish()
}

/// The receiver: in `rx`, of any clock, stream `out` of `data: u8` and `framing_error: u1` (the
/// stop bit was 0), out `overrun`.
///
/// A byte is offered in the middle of its stop bit and waits in a register; if the next one comes
/// before it was taken, that one is lost and `overrun` is 1 for a cycle. After a framing error (or
/// a break) the receiver waits for the line to go back to 1. A start bit shorter than half a bit is
/// taken for noise.
///
/// # Panics
/// If `divisor` is outside `4..=2^24`.
pub fn receiver(divisor: u32) -> Arc<Module> {
    check_range("uart_receiver", "divisor", divisor, 4..=1 << 24);
    let m = ModuleBuilder::new(format!("uart_receiver_d{divisor}"));
    m.doc("UART receiver, 8N1. divisor is the number of cycles a bit.");
    m.parameter("divisor", divisor);
    let line = synchronize(m.domain(), "rx", m.input("rx", u(1)), 2, 1);

    // Bits still to be sampled of a frame under way: 10 at the start bit, 1 at the stop bit.
    let bits_left = m.reg("bits_left", u(bits_for(FRAME_BITS.into())));
    let cycles_left = m.reg("cycles_left", u(bits_for(u64::from(divisor) - 1)));
    let wait_for_one = m.reg("wait_for_one", u(1));
    let byte = m.reg("bits_so_far", u(8)).no_reset();

    let idle = bits_left.eq(0).named("idle");
    let begins = (idle & !line & !wait_for_one).named("begins");
    let sample = (!idle & cycles_left.eq(0)).named("sample");
    let is_start = bits_left.eq(FRAME_BITS);
    let noise = (sample & is_start & line).named("noise");
    let ends = (sample & bits_left.eq(1)).named("ends");

    let number = |value: u32| m.lit(bits_left.ty(), value);
    let counted = noise.mux(number(0), bits_left - 1);
    bits_left.next(begins.mux(number(FRAME_BITS), counted)).enable(begins | sample);
    // From the edge to the middle of the start bit, then from middle to middle.
    let cycles = |value: u32| m.lit(cycles_left.ty(), value);
    let counted = sample.mux(cycles(divisor - 1), cycles_left - 1);
    cycles_left.next(idle.mux(cycles(divisor / 2 - 1), counted));
    byte.next(line.cat(byte.slice(7, 1))).enable(sample & !is_start & bits_left.ne(1));
    wait_for_one.next(ends.mux(!line, *wait_for_one & !line));

    let valid = m.reg("valid", u(1));
    let keep = ends & !valid;
    let kept_byte = m.reg("data", u(8)).no_reset().enable(keep).next(*byte);
    let kept_error = m.reg("framing_error", u(1)).no_reset().enable(keep).next(!line);
    let payload = Bundle::new([("data", *kept_byte), ("framing_error", *kept_error)]);
    let output = Stream::source(&m, "out", valid, payload);
    valid.next(valid.mux(!*output.ready, ends));
    m.output("overrun", (ends & *valid).named("lost"));
    m.stream_out("out", &output);
    m.finish()
}

/// Transmitter and receiver back to back share nothing; this is the pair for a board's two pins:
/// streams `in` and `out`, pins `rx` and `tx`, out `overrun`.
///
/// # Panics
/// As [`transmitter`] and [`receiver`].
pub fn uart(divisor: u32) -> Arc<Module> {
    let (transmitter, receiver) = (transmitter(divisor), receiver(divisor));
    let m = ModuleBuilder::new(format!("uart_d{divisor}"));
    m.doc("UART, 8N1: bytes of stream in go out at tx, bytes that come in at rx go to stream out.");
    m.parameter("divisor", divisor);
    let sender = m.instance("transmitter", &transmitter);
    sender.stream_into("in", m.stream_in("in", &data(8)));
    let listener = m.instance("receiver", &receiver);
    listener.input("rx", m.input("rx", u(1)));
    m.stream_out("out", &listener.stream_from("out"));
    m.output("tx", sender.output("tx"));
    m.output("overrun", listener.output("overrun"));
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    vec![transmitter(1), transmitter(104), receiver(4), receiver(104), uart(16)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{Random, share, simulate};
    use crate::sim::{Bench, Simulator};
    use crate::ty::Int;

    /// The line's levels, one a cycle, as the transmitter should drive it.
    fn frame(byte: u8, divisor: u32) -> Vec<u64> {
        let bits = (0..8).map(|bit| u64::from(byte >> bit & 1));
        let levels = [0].into_iter().chain(bits).chain([1]);
        levels.flat_map(|level| vec![level; divisor as usize]).collect()
    }

    #[test]
    fn transmits_frames_without_a_gap() {
        for divisor in [1, 2, 3, 16] {
            let mut sim = simulate(&transmitter(divisor));
            let bytes = [0x00, 0xff, 0x55, 0xa3, 0x80];
            let expected: Vec<u64> = bytes.iter().flat_map(|byte| frame(*byte, divisor)).collect();
            assert_eq!(sim.peek_u64("tx"), 1, "idle");
            let mut queue = bytes.iter();
            let mut levels = vec![];
            let mut offered = queue.next();
            for _ in 0..=expected.len() + 20 {
                levels.push(sim.peek_u64("tx"));
                sim.poke("in_valid", u32::from(offered.is_some()));
                sim.poke("in_data", u32::from(*offered.unwrap_or(&0)));
                if sim.peek_u64("in_ready") == 1 {
                    offered = queue.next();
                }
                sim.step();
            }
            assert_eq!(levels[1..=expected.len()], expected[..], "divisor {divisor}");
            assert!(levels[expected.len() + 1..].iter().all(|level| *level == 1), "idle again");
        }
    }

    /// Plays levels into `rx` and collects what is offered.
    fn listen(sim: &mut Simulator, levels: &[u64]) -> Vec<(u64, u64)> {
        let mut received = vec![];
        sim.poke("out_ready", 1);
        for level in levels {
            sim.poke("rx", *level);
            if sim.peek_u64("out_valid") == 1 {
                received.push((sim.peek_u64("out_data"), sim.peek_u64("out_framing_error")));
            }
            sim.step();
        }
        received
    }

    #[test]
    fn receives_at_rates_a_little_off() {
        for (divisor, bit) in [(4, 4), (5, 5), (16, 16), (100, 100), (100, 96), (100, 104)] {
            let mut sim = simulate(&receiver(divisor));
            let mut random = Random::new(bit.into());
            let bytes: Vec<u8> = (0..40).map(|_| random.below(256) as u8).collect();
            let mut levels = vec![1; 30];
            for byte in &bytes {
                levels.extend(frame(*byte, bit));
                levels.extend(vec![1; random.below(3) as usize]);
            }
            levels.extend(vec![1; 10]);
            let expected: Vec<_> = bytes.iter().map(|byte| (u64::from(*byte), 0)).collect();
            assert_eq!(listen(&mut sim, &levels), expected, "{divisor} {bit}");
        }
    }

    #[test]
    fn framing_error_break_and_noise() {
        let divisor = 8;
        let mut sim = simulate(&receiver(divisor));
        // A break of 30 bits is one bad byte; a glitch is nothing; then a good byte.
        let mut levels = vec![1; 20];
        levels.extend(vec![0; 30 * 8]);
        levels.extend(vec![1; 20]);
        levels.extend([0, 0]);
        levels.extend(vec![1; 20]);
        levels.extend(frame(0x5a, divisor));
        levels.extend(vec![1; 20]);
        assert_eq!(listen(&mut sim, &levels), [(0, 1), (0x5a, 0)]);
    }

    #[test]
    fn overrun_keeps_the_first_byte() {
        let divisor = 4;
        let mut sim = simulate(&receiver(divisor));
        let mut overruns = 0;
        let levels = [vec![1; 8], frame(1, divisor), frame(2, divisor), vec![1; 8]].concat();
        for level in levels {
            sim.poke("rx", level);
            overruns += sim.peek_u64("overrun");
            sim.step();
        }
        assert_eq!((overruns, sim.peek_u64("out_data")), (1, 1));
    }

    #[test]
    fn loops_back() {
        let m = ModuleBuilder::new("loop_back");
        let uart = m.instance("uart", &uart(16));
        uart.stream_into("in", m.stream_in("in", &data(8)));
        uart.input("rx", uart.output("tx"));
        m.stream_out("out", &uart.stream_from("out"));
        let mut sim = simulate(&m.finish());
        let mut bench = Bench::new(&mut sim);
        bench.driver("in", share(50), 1);
        bench.monitor("out", share(50), 2);
        (0..60u32).for_each(|i| bench.drivers[0].push([i * 37 % 256]));
        bench
            .run_until(15_000, "60 bytes", |bench| bench.monitors[0].received.len() == 60)
            .unwrap();
        let expected: Vec<Vec<Int>> =
            (0..60u32).map(|i| vec![Int::from(i * 37 % 256), Int::ZERO]).collect();
        assert_eq!(bench.monitors[0].received, expected);
    }
}
