//! Unsigned division: combinational, pipelined, or one bit a cycle (restoring).
//!
//! `quotient = floor(dividend / divisor)`, `remainder = dividend - quotient * divisor`. Division by
//! 0 gives a quotient of all ones and the low bits of the dividend as remainder.

use super::naming::check_range;
use super::pipeline::Pipeline;
use crate::Place;
use crate::build::{Bundle, Fields, ModuleBuilder, Signal, Stream, fields};
use crate::netlist::Module;
use crate::ty::{bits_for, u};
use std::sync::Arc;

/// What a division gives.
#[derive(Clone, Copy)]
pub struct Division<'m> {
    /// As wide as the dividend.
    pub quotient: Signal<'m>,
    /// As wide as the divisor.
    pub remainder: Signal<'m>,
}

/// The division of two unsigned numbers. Combinational, as many subtractors deep as the dividend
/// has bits.
#[track_caller]
pub fn divide<'m>(dividend: Signal<'m>, divisor: Signal<'m>) -> Division<'m> {
    let _caller = Place::of_caller();
    (0..dividend.width()).fold(start(dividend, divisor), |so_far, _| step(so_far, divisor))
}

/// The division of two unsigned numbers, `bits_per_stage` bits of the quotient between registers
/// of `pipeline`. Latency `ceil(dividend width / bits_per_stage)` stages.
///
/// # Panics
/// If `bits_per_stage` is outside `1..=1024`.
#[track_caller]
pub fn pipelined_divide<'m>(
    pipeline: &mut Pipeline<'m>,
    dividend: Signal<'m>,
    divisor: Signal<'m>,
    bits_per_stage: u32,
) -> Division<'m> {
    let _caller = Place::of_caller();
    check_range("divider", "bits_per_stage", bits_per_stage, 1..=1024);
    let (mut so_far, mut divisor) = (start(dividend, divisor), divisor);
    let mut bits_left = dividend.width();
    while bits_left > 0 {
        let bits = bits_per_stage.min(bits_left);
        so_far = (0..bits).fold(so_far, |so_far, _| step(so_far, divisor));
        bits_left -= bits;
        let mut carried = vec![so_far.quotient, so_far.remainder];
        if bits_left > 0 {
            carried.push(divisor);
        }
        let registers = pipeline.stage("division", &carried);
        so_far = Division { quotient: registers[0], remainder: registers[1] };
        divisor = registers.get(2).copied().unwrap_or(divisor);
    }
    so_far
}

/// Before the first step the quotient's place holds the dividend, whose bits leave at the top.
fn start<'m>(dividend: Signal<'m>, divisor: Signal<'m>) -> Division<'m> {
    let remainder = dividend.module().lit(u(divisor.width()), 0);
    Division { quotient: dividend, remainder }
}

/// One more bit: bring down a bit of the dividend, take the divisor away if it fits.
#[track_caller]
fn step<'m>(so_far: Division<'m>, divisor: Signal<'m>) -> Division<'m> {
    let _caller = Place::of_caller();
    let width = so_far.quotient.width();
    let partial = so_far.remainder.cat(so_far.quotient.msb());
    let divisor = divisor.extend(partial.width());
    let fits = partial.ge(divisor);
    let remainder = fits.mux(partial - divisor, partial).truncate(partial.width() - 1);
    let quotient = match width {
        1 => fits,
        _ => so_far.quotient.truncate(width - 1).cat(fits),
    };
    Division { quotient, remainder }
}

fn operands(dividend_bits: u32, divisor_bits: u32) -> Fields {
    fields([("dividend", u(dividend_bits)), ("divisor", u(divisor_bits))])
}

fn result<'m>(division: Division<'m>) -> Bundle<'m> {
    Bundle::new([("quotient", division.quotient), ("remainder", division.remainder)])
}

/// The pipelined divider alone: stream `in` of `dividend`, `divisor`, stream `out` of `quotient`,
/// `remainder`.
///
/// Latency `ceil(dividend_bits / bits_per_stage)` cycles, throughput one a cycle.
///
/// # Panics
/// If a width is outside `1..=256` or `bits_per_stage` outside `1..=1024`.
pub fn pipelined_module(dividend_bits: u32, divisor_bits: u32, bits_per_stage: u32) -> Arc<Module> {
    check_range("divider", "dividend_bits", dividend_bits, 1..=256);
    check_range("divider", "divisor_bits", divisor_bits, 1..=256);
    let name = format!("divider_u{dividend_bits}_by_u{divisor_bits}_p{bits_per_stage}");
    let m = ModuleBuilder::new(name);
    m.doc("Unsigned division, pipelined; by 0: all ones, and the dividend's low bits remain.");
    m.parameter("dividend_bits", dividend_bits);
    m.parameter("divisor_bits", divisor_bits);
    m.parameter("bits_per_stage", bits_per_stage);
    let input = m.stream_in("in", &operands(dividend_bits, divisor_bits));
    let mut pipeline = Pipeline::from_stream(&input);
    let (dividend, divisor) = (input.get("dividend"), input.get("divisor"));
    let division = pipelined_divide(&mut pipeline, dividend, divisor, bits_per_stage);
    m.stream_out("out", &pipeline.into_stream("out", result(division)));
    m.finish()
}

/// The iterative divider: stream `in` of `dividend`, `divisor`, stream `out` of `quotient`,
/// `remainder`.
///
/// One bit a cycle: the result is offered `dividend_bits + 1` cycles after the operands were
/// taken, and the next operands are taken the cycle after the result was.
///
/// # Panics
/// If a width is outside `1..=256`.
pub fn module(dividend_bits: u32, divisor_bits: u32) -> Arc<Module> {
    check_range("divider", "dividend_bits", dividend_bits, 1..=256);
    check_range("divider", "divisor_bits", divisor_bits, 1..=256);
    let m = ModuleBuilder::new(format!("divider_u{dividend_bits}_by_u{divisor_bits}"));
    m.doc(
        "Unsigned division, one bit a cycle; by 0: all ones, and the dividend's low bits remain.",
    );
    m.parameter("dividend_bits", dividend_bits);
    m.parameter("divisor_bits", divisor_bits);
    let input = m.stream_in("in", &operands(dividend_bits, divisor_bits));

    let bits_left = m.reg("bits_left", u(bits_for(dividend_bits.into())));
    let done = m.reg("done", u(1));
    let divisor = m.reg("divisor", u(divisor_bits)).no_reset();
    let quotient = m.reg("quotient", u(dividend_bits)).no_reset();
    let remainder = m.reg("remainder", u(divisor_bits)).no_reset();

    let busy = bits_left.any().named("busy");
    input.ready.drive(!busy & !done);
    let begins = input.fires().named("begins");
    let works = (begins | busy).named("works");
    let first = start(input.get("dividend"), *divisor);
    let next = step(Division { quotient: *quotient, remainder: *remainder }, *divisor);
    bits_left.next(begins.mux(m.lit(bits_left.ty(), dividend_bits), bits_left - 1)).enable(works);
    divisor.next(input.get("divisor")).enable(begins);
    quotient.next(begins.mux(first.quotient, next.quotient)).enable(works);
    remainder.next(begins.mux(first.remainder, next.remainder)).enable(works);

    let division = Division { quotient: *quotient, remainder: *remainder };
    let output = Stream::source(&m, "out", done, result(division));
    done.next((busy & bits_left.eq(1)) | (*done & !*output.ready));
    m.stream_out("out", &output);
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    vec![
        module(1, 1),
        module(16, 5),
        module(7, 32),
        pipelined_module(1, 1, 1),
        pipelined_module(16, 8, 4),
        pipelined_module(9, 12, 2),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{Random, pass, simulate, values};
    use crate::ty::Int;

    fn expected(operands: &[Int], dividend_bits: u32, divisor_bits: u32) -> Vec<Int> {
        let [dividend, divisor] = operands else { panic!("two operands") };
        if divisor == &Int::ZERO {
            return vec![u(dividend_bits).max(), u(divisor_bits).wrap(dividend.clone())];
        }
        vec![dividend / divisor, dividend % divisor]
    }

    /// All pairs of narrow operands, corners and random ones of wide operands.
    fn pairs(dividend_bits: u32, divisor_bits: u32) -> Vec<Vec<Int>> {
        let (dividends, divisors) = (values(u(dividend_bits)), values(u(divisor_bits)));
        let pair = |a: &Int, b: &Int| vec![a.clone(), b.clone()];
        let all = dividends.iter().flat_map(|a| divisors.iter().map(move |b| pair(a, b)));
        if dividends.len() * divisors.len() <= 4096 {
            return all.collect();
        }
        let mut random = Random::new(11);
        all.filter(|_| random.below(30) == 0).collect()
    }

    #[test]
    fn combinational() {
        for (dividend_bits, divisor_bits) in [(1, 1), (4, 4), (6, 3), (3, 6), (33, 9), (70, 70)] {
            let m = ModuleBuilder::new("divide");
            let (a, b) = (m.input("a", u(dividend_bits)), m.input("b", u(divisor_bits)));
            let division = divide(a, b);
            m.output("quotient", division.quotient);
            m.output("remainder", division.remainder);
            let mut sim = simulate(&m.finish());
            for operands in pairs(dividend_bits, divisor_bits) {
                sim.poke("a", operands[0].clone());
                sim.poke("b", operands[1].clone());
                let division = vec![sim.peek("quotient"), sim.peek("remainder")];
                assert_eq!(division, expected(&operands, dividend_bits, divisor_bits));
            }
        }
    }

    #[test]
    fn iterative_and_pipelined() {
        for (dividend_bits, divisor_bits) in [(1, 1), (5, 4), (3, 6), (16, 5), (33, 40)] {
            let operands = pairs(dividend_bits, divisor_bits);
            let operands = &operands[..operands.len().min(600)];
            let results: Vec<_> =
                (operands.iter()).map(|pair| expected(pair, dividend_bits, divisor_bits)).collect();
            let (count, bits) = (operands.len() as u64, u64::from(dividend_bits));
            let check = |module: Arc<Module>, cycles: u64| {
                assert_eq!(pass(&module, operands, 40).outputs, results, "{}", module.name);
                let run = pass(&module, operands, 0);
                assert_eq!(run.outputs, results, "{}", module.name);
                assert_eq!(run.cycles, cycles, "{}", module.name);
            };
            check(module(dividend_bits, divisor_bits), count * (bits + 2));
            for per_stage in [1, 3] {
                let module = pipelined_module(dividend_bits, divisor_bits, per_stage);
                check(module, count + bits.div_ceil(per_stage.into()));
            }
        }
    }
}
