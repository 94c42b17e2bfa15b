//! Digital microphones: samples of 16 bits from I2S or from a density of pulses (PDM).
//!
//! Both make the microphone's clock and offer a sample whenever one is whole; a sample that is not
//! taken before the next comes is lost.

use super::naming::check_range;
use super::synchronizer::synchronize;
use crate::build::{Bundle, ModuleBuilder, Signal, Stream};
use crate::netlist::Module;
use crate::ty::{bits_for, s, u};
use std::sync::Arc;

/// Bits of a slot of I2S: of which the first after the edge of `ws` is the sample's highest.
const SLOT_BITS: u32 = 32;

/// I2S, as its controller: pins `sck`, `ws` and `sd`; stream `out` of `data: s16`, the left slot's
/// 16 highest bits, out `overrun` when one is lost.
///
/// A half period of `sck` takes `half_period` cycles; there are `clock / (128 half_period)` samples
/// a second. `ws` changes when `sck` falls, `sd` is taken when it rises.
///
/// # Panics
/// If `half_period` is outside `4..=65536`: `sd` passes two registers first.
pub fn i2s(half_period: u32) -> Arc<Module> {
    check_range("i2s_microphone", "half_period", half_period, 4..=65536);
    let m = ModuleBuilder::new(format!("i2s_microphone_h{half_period}"));
    m.doc("I2S controller: 16 bits of the left slot of 32.");
    m.parameter("half_period", half_period);
    let sd = synchronize(m.domain(), "sd", m.input("sd", u(1)), 2, 0);
    let (ticks, sck) = clock(&m, half_period);
    // what the line has when sck rises is there two cycles later
    let bit = m.reg("bit_place", u(bits_for(u64::from(2 * SLOT_BITS - 1))));
    let falls = (ticks & sck).named("sck_falls");
    bit.next(*bit + 1).enable(falls);
    let rises = (ticks & !sck).named("sck_rises");
    let taken = m.reg("bit_taken", u(3));
    taken.next(taken.truncate(2).cat(rises));
    // the first bit of a slot belongs to the one before
    let wanted = (bit.ge(1) & bit.lt(17)).named("bit_wanted");
    let word = m.reg("word", u(16)).no_reset();
    word.next(word.truncate(15).cat(sd)).enable(taken.msb() & wanted);
    let whole = (taken.msb() & bit.eq(17)).named("word_whole");
    m.output("sck", sck);
    m.output("ws", bit.msb());
    offer(&m, whole, word.as_signed());
    m.finish()
}

/// Integrators and combs of the filter behind a density of pulses.
const ORDER: u32 = 3;

/// Pulse density: pins `clk_out` and `pdm`; stream `out` of `data: s16`, out `overrun` when one is
/// lost.
///
/// `clk_out` has a half period of `half_period` cycles, its pulses are taken before it rises; of
/// `decimation` of them a sample is made by three integrators and three combs (Hogenauer 1981), the
/// difference of ones and zeros, shifted so that all ones make 2^14 or more but less than 2^15;
/// there are `clock / (2 half_period decimation)` samples a second.
///
/// # Panics
/// If `half_period` is outside `2..=65536` or `decimation` outside `32..=256`.
pub fn pdm(half_period: u32, decimation: u32) -> Arc<Module> {
    check_range("pdm_microphone", "half_period", half_period, 2..=65536);
    check_range("pdm_microphone", "decimation", decimation, 32..=256);
    let m = ModuleBuilder::new(format!("pdm_microphone_h{half_period}_d{decimation}"));
    m.doc("Samples from a density of pulses: three integrators, three combs.");
    m.parameter("half_period", half_period);
    m.parameter("decimation", decimation);
    let pulse = synchronize(m.domain(), "pdm", m.input("pdm", u(1)), 2, 0);
    let (ticks, clock) = clock(&m, half_period);
    let takes = (ticks & !clock).named("pulse_taken");
    m.output("clk_out", clock);

    // sums wrap; their differences are right as long as the largest fits
    let most = u64::from(decimation).pow(ORDER);
    let bits = bits_for(most) + 1;
    let one = pulse.mux(m.lit(s(bits), 1), m.lit(s(bits), -1)).named("one");
    let mut sum: Signal<'_> = one;
    for n in 0..ORDER {
        let total = m.reg(format!("integrator_{n}"), s(bits));
        let next = *total + sum;
        total.next(next).enable(takes);
        sum = next;
    }
    let count = m.reg("pulses", u(bits_for(u64::from(decimation - 1))));
    let last = count.eq(decimation - 1).named("last_pulse");
    count.next(last.mux(m.lit(count.ty(), 0), *count + 1)).enable(takes);
    let makes = (takes & last).named("sample_made");
    for n in 0..ORDER {
        let before = m.reg(format!("comb_{n}"), s(bits)).next(sum).enable(makes);
        sum = (sum - *before).named(format!("comb_{n}_difference"));
    }
    offer(&m, makes, sum.shr(most.ilog2() - 14).truncate(16).as_signed());
    m.finish()
}

/// A clock of that half period: whether it changes after this cycle, and what it is.
fn clock<'m>(m: &'m ModuleBuilder, half_period: u32) -> (Signal<'m>, Signal<'m>) {
    let left = m.reg("half_left", u(bits_for(u64::from(half_period - 1))));
    let ticks = left.eq(0).named("half_ends");
    left.next(ticks.mux(m.lit(left.ty(), half_period - 1), *left - 1));
    let level = m.reg("clock_level", u(1));
    level.next(!*level).enable(ticks);
    (ticks, *level)
}

/// Stream `out` with the sample, until it is taken or the next one comes.
fn offer<'m>(m: &'m ModuleBuilder, comes: Signal<'m>, sample: Signal<'m>) {
    let valid = m.reg("valid", u(1));
    let data = m.reg("sample", s(16)).no_reset();
    let out = Stream::source(m, "out", *valid, Bundle::new([("data", *data)]));
    let free = (!*valid | *out.ready).named("free");
    let takes = (comes & free).named("keeps");
    data.next(sample).enable(takes);
    valid.next(takes).enable(takes | free);
    m.output("overrun", (comes & !free).named("lost"));
    m.stream_out("out", &out);
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    vec![i2s(4), i2s(12), pdm(2, 32), pdm(6, 130), pdm(5, 256)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{Random, simulate};

    /// A microphone on I2S: shifts the left slot's 24 bits out when `sck` falls.
    #[test]
    fn i2s_samples_arrive() {
        let mut sim = simulate(&i2s(4));
        let mut random = Random::new(1);
        let (mut sent, mut received) = (vec![], vec![]);
        let (mut before, mut word, mut slot, mut at) = (0, 0u64, 0, 0);
        sim.poke("out_ready", 1);
        while received.len() < 40 {
            let (sck, ws) = (sim.peek_u64("sck"), sim.peek_u64("ws"));
            if before == 1 && sck == 0 {
                // a slot begins a bit after ws changed
                at += 1;
                if ws != slot {
                    (slot, at) = (ws, 0);
                }
                if at == 1 {
                    word = random.below(1 << 24);
                    if slot == 0 {
                        sent.push((word >> 8) as u16 as i16);
                    }
                }
                let bit = if (1..=24).contains(&at) { word >> (24 - at) & 1 } else { 0 };
                sim.poke("sd", bit as u32);
            }
            before = sck;
            if sim.peek_u64("out_valid") == 1 {
                received.push(i16::try_from(&sim.peek("out_data")).unwrap());
            }
            assert_eq!(sim.peek_u64("overrun"), 0);
            sim.step();
        }
        // the first slot was under way when we began
        let from = received.len() - 30;
        let place = sent.windows(30).position(|row| row == &received[from..]);
        assert!(place.is_some(), "{received:?} of {sent:?}");
    }

    /// The filter's definition, on whole numbers of any size.
    fn filtered(pulses: &[bool], decimation: usize) -> Vec<i16> {
        let mut row: Vec<i64> = pulses.iter().map(|&pulse| if pulse { 1 } else { -1 }).collect();
        for _ in 0..ORDER {
            let mut sum = 0;
            for value in &mut row {
                sum += *value;
                *value = sum;
            }
        }
        let mut row: Vec<i64> =
            row.chunks_exact(decimation).map(|part| part[decimation - 1]).collect();
        for _ in 0..ORDER {
            let mut before = 0;
            for value in &mut row {
                (*value, before) = (*value - before, *value);
            }
        }
        let most = (decimation as i64).pow(ORDER);
        row.into_iter().map(|value| (value >> (most.ilog2() - 14)) as i16).collect()
    }

    #[test]
    fn pdm_samples_are_the_filters() {
        for (half_period, decimation) in [(2, 32), (3, 64), (2, 130)] {
            let mut sim = simulate(&pdm(half_period, decimation));
            let mut random = Random::new(decimation.into());
            let (mut pulses, mut received, mut pulse) = (vec![], vec![], false);
            let (mut before, mut line) = (0, [false; 2]);
            sim.poke("out_ready", 1);
            while received.len() < 30 {
                let clock = sim.peek_u64("clk_out");
                if before == 0 && clock == 1 {
                    // pulses pass two registers before they are taken
                    pulses.push(line[1]);
                    pulse = match pulses.len() / 700 % 3 {
                        0 => random.below(2) == 1,
                        1 => true,
                        _ => random.below(8) == 0,
                    };
                }
                line = [pulse, line[0]];
                sim.poke("pdm", u32::from(pulse));
                before = clock;
                if sim.peek_u64("out_valid") == 1 {
                    received.push(i16::try_from(&sim.peek("out_data")).unwrap());
                }
                sim.step();
            }
            let expected = filtered(&pulses, decimation as usize);
            assert_eq!(received[..], expected[..received.len()], "{half_period} {decimation}");
        }
    }

    #[test]
    fn a_sample_that_is_not_taken_stays() {
        let mut sim = simulate(&pdm(2, 32));
        sim.poke("pdm", 1);
        let mut lost = 0;
        for _ in 0..1000 {
            lost += sim.peek_u64("overrun");
            sim.step();
        }
        // a sample takes 32 pulses of 4 cycles; the first one stays
        assert_eq!((lost, sim.peek_u64("out_valid")), (1000 / 128 - 1, 1));
    }
}
