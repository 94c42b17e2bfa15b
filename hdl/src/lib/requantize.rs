//! Requantization: an accumulator back to a few bits.
//!
//! `q = saturate(round(acc * multiplier / 2^shift) + zero_point)`, exact up to the one rounding.

use super::naming::{check_range, number};
use super::rounding::{Rounding, round_shift, round_shift_by};
use super::saturate::saturate;
use crate::Place;
use crate::build::{ModuleBuilder, Signal};
use crate::netlist::Module;
use crate::ty::{Int, Type, bits_for, s, u};
use std::sync::Arc;

/// A requantization known when the circuit is built.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requantize {
    /// The scale's numerator.
    pub multiplier: u32,
    /// The scale's denominator is `2^shift`; `0..=62`.
    pub shift: u32,
    /// How the product is rounded.
    pub rounding: Rounding,
    /// What real 0 becomes.
    pub zero_point: i32,
    /// The type of the result.
    pub to: Type,
}

impl Requantize {
    /// What the circuit computes.
    pub fn apply(&self, accumulator: &Int) -> Int {
        let scaled = self.rounding.divide(&(accumulator * self.multiplier), self.shift);
        (scaled + self.zero_point).clamp(self.to.min(), self.to.max())
    }
}

/// A constant requantization of `accumulator`. Combinational: a multiplication by a constant.
///
/// # Panics
/// If `shift` is outside `0..=62`.
#[track_caller]
pub fn requantize<'m>(accumulator: Signal<'m>, by: &Requantize) -> Signal<'m> {
    let _caller = Place::of_caller();
    check_range("requantize", "shift", by.shift, 0..=62);
    let m = accumulator.module();
    let multiplier = m.lit(s(bits_for(by.multiplier.into()) + 1), by.multiplier);
    let product = accumulator.to_signed().mul(multiplier);
    let scaled = round_shift(product, by.shift, by.rounding);
    let zero_point = m.lit(s(33), by.zero_point);
    finish(scaled, zero_point, by.to)
}

/// The scale and zero point of a requantization that is set at run time, e.g. for each channel.
#[derive(Clone, Copy)]
pub struct RunTimeScale<'m> {
    /// Unsigned.
    pub multiplier: Signal<'m>,
    /// Unsigned, at most 31 bits.
    pub shift: Signal<'m>,
    /// Signed.
    pub zero_point: Signal<'m>,
}

/// A requantization of `accumulator` to type `to` with a run-time scale. Combinational: a
/// multiplier, a barrel shifter, two adders, comparators; put registers around it.
#[track_caller]
pub fn requantize_by<'m>(
    accumulator: Signal<'m>,
    scale: RunTimeScale<'m>,
    rounding: Rounding,
    to: Type,
) -> Signal<'m> {
    let _caller = Place::of_caller();
    let product = accumulator.to_signed().mul(scale.multiplier.to_signed());
    let scaled = round_shift_by(product, scale.shift, rounding);
    finish(scaled, scale.zero_point, to)
}

#[track_caller]
fn finish<'m>(scaled: Signal<'m>, zero_point: Signal<'m>, to: Type) -> Signal<'m> {
    let _caller = Place::of_caller();
    let width = scaled.width().max(zero_point.width()) + 1;
    saturate(scaled.extend(width) + zero_point.extend(width), to)
}

/// A constant requantization alone: in `accumulator: from`, out `q`. Combinational.
///
/// # Panics
/// As [`requantize`].
pub fn module(from: Type, by: &Requantize) -> Arc<Module> {
    let (multiplier, zero_point) = (by.multiplier, number(by.zero_point.into()));
    let m = ModuleBuilder::new(format!(
        "requantize_{from}_m{multiplier}_s{}_{}_z{zero_point}_{}",
        by.shift,
        by.rounding.name(),
        by.to
    ));
    m.doc("q = saturate(round(accumulator * multiplier / 2^shift) + zero_point)");
    m.parameter("from", from);
    m.parameter("multiplier", multiplier);
    m.parameter("shift", by.shift);
    m.parameter("rounding", by.rounding.name());
    m.parameter("zero_point", by.zero_point);
    m.parameter("to", by.to);
    m.output("q", requantize(m.input("accumulator", from), by));
    m.finish()
}

/// A run-time requantization alone: in `accumulator: from`, `multiplier: u(multiplier_bits)`,
/// `shift: u(shift_bits)`, `zero_point: s(to.width + 1)`, out `q: to`. Combinational.
///
/// # Panics
/// If `multiplier_bits` is outside `1..=64` or `shift_bits` outside `1..=8`.
pub fn run_time_module(
    from: Type,
    multiplier_bits: u32,
    shift_bits: u32,
    rounding: Rounding,
    to: Type,
) -> Arc<Module> {
    check_range("requantize", "multiplier_bits", multiplier_bits, 1..=64);
    check_range("requantize", "shift_bits", shift_bits, 1..=8);
    let m = ModuleBuilder::new(format!(
        "requantize_{from}_by_u{multiplier_bits}_u{shift_bits}_{}_{to}",
        rounding.name()
    ));
    m.doc("q = saturate(round(accumulator * multiplier / 2^shift) + zero_point)");
    m.parameter("from", from);
    m.parameter("multiplier_bits", multiplier_bits);
    m.parameter("shift_bits", shift_bits);
    m.parameter("rounding", rounding.name());
    m.parameter("to", to);
    let accumulator = m.input("accumulator", from);
    let scale = RunTimeScale {
        multiplier: m.input("multiplier", u(multiplier_bits)),
        shift: m.input("shift", u(shift_bits)),
        zero_point: m.input("zero_point", s(to.width + 1)),
    };
    m.output("q", requantize_by(accumulator, scale, rounding, to));
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    let by = |multiplier, shift, rounding, zero_point, to| Requantize {
        multiplier,
        shift,
        rounding,
        zero_point,
        to,
    };
    vec![
        module(s(32), &by(1_518_500_250, 38, Rounding::HalfUp, -3, s(8))),
        module(u(1), &by(0, 0, Rounding::Truncate, 0, u(1))),
        module(s(20), &by(77, 9, Rounding::HalfEven, 128, u(8))),
        run_time_module(s(32), 16, 5, Rounding::HalfUp, s(8)),
        run_time_module(u(1), 1, 1, Rounding::Truncate, u(1)),
        run_time_module(s(24), 31, 6, Rounding::HalfEven, u(8)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{Random, simulate, values};

    #[test]
    fn constant_scale() {
        let mut random = Random::new(8);
        for from in [u(1), s(8), u(16), s(32)] {
            for rounding in Rounding::ALL {
                for to in [u(1), s(4), s(8), u(8), s(16)] {
                    let by = Requantize {
                        multiplier: (random.below(1 << 32) >> random.below(32)) as u32,
                        shift: random.below(40) as u32,
                        rounding,
                        zero_point: random.below(300) as i32 - 150,
                        to,
                    };
                    let mut sim = simulate(&module(from, &by));
                    for accumulator in values(from) {
                        sim.poke("accumulator", accumulator.clone());
                        assert_eq!(sim.peek("q"), by.apply(&accumulator), "{accumulator} {by:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn run_time_scale() {
        let mut random = Random::new(9);
        for from in [s(8), u(12), s(32)] {
            for rounding in Rounding::ALL {
                let to = s(8);
                let mut sim = simulate(&run_time_module(from, 16, 5, rounding, to));
                for _ in 0..300 {
                    let zero_point = random.value(s(9));
                    let by = Requantize {
                        multiplier: (random.below(1 << 16) >> random.below(16)) as u32,
                        shift: random.below(32) as u32,
                        rounding,
                        zero_point: i32::try_from(&zero_point).unwrap(),
                        to,
                    };
                    let accumulator = random.value(from) >> random.below(from.width.into());
                    sim.poke("accumulator", accumulator.clone());
                    sim.poke("multiplier", by.multiplier);
                    sim.poke("shift", by.shift);
                    sim.poke("zero_point", zero_point);
                    assert_eq!(sim.peek("q"), by.apply(&accumulator), "{accumulator} {by:?}");
                }
            }
        }
    }

    /// The doubling high multiplication of TensorFlow Lite's reference, for a shift of 31 and
    /// more, is this with its two roundings made one.
    #[test]
    fn scale_of_one_half() {
        let half = Requantize {
            multiplier: 1 << 30,
            shift: 31,
            rounding: Rounding::HalfUp,
            zero_point: -1,
            to: s(8),
        };
        let q = |value: i32| i32::try_from(half.apply(&value.into())).unwrap();
        assert_eq!([3, -3, 1000, -1000, 0].map(q), [1, -2, 127, -128, -1]);
    }
}
