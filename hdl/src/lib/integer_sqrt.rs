//! Integer square root: combinational, pipelined, or one digit a cycle.
//!
//! `root = floor(sqrt(x))` and `remainder = x - root^2`, found digit by digit from the top: two
//! bits of `x` a step give one bit of the root.

use super::naming::check_range;
use super::pipeline::Pipeline;
use crate::Place;
use crate::build::{Bundle, ModuleBuilder, Signal, Stream, fields};
use crate::netlist::Module;
use crate::ty::{bits_for, u};
use std::sync::Arc;

/// What a square root gives.
#[derive(Clone, Copy)]
pub struct SquareRoot<'m> {
    /// `floor(sqrt(x))`, type `u(ceil(width / 2))`.
    pub root: Signal<'m>,
    /// `x - root^2`, at most `2 * root`, type `u(ceil(width / 2) + 1)`.
    pub remainder: Signal<'m>,
}

/// The square root of an unsigned number. Combinational, `ceil(width / 2)` subtractors deep.
#[track_caller]
pub fn integer_sqrt(x: Signal<'_>) -> SquareRoot<'_> {
    let _caller = Place::of_caller();
    let x = even(x);
    (0..x.width() / 2)
        .rev()
        .fold(start(x), |so_far, digit| step(so_far, x.slice(2 * digit + 1, 2 * digit)))
}

/// The square root of an unsigned number, `digits_per_stage` digits between registers of
/// `pipeline`. Latency `ceil(ceil(width / 2) / digits_per_stage)` stages.
///
/// # Panics
/// If `digits_per_stage` is 0.
#[track_caller]
pub fn pipelined_integer_sqrt<'m>(
    pipeline: &mut Pipeline<'m>,
    x: Signal<'m>,
    digits_per_stage: u32,
) -> SquareRoot<'m> {
    let _caller = Place::of_caller();
    check_range("integer_sqrt", "digits_per_stage", digits_per_stage, 1..=1024);
    let mut rest = even(x);
    let mut so_far = start(rest);
    let digits: Vec<u32> = (0..rest.width() / 2).rev().collect();
    for stage in digits.chunks(digits_per_stage as usize) {
        for &digit in stage {
            so_far = step(so_far, rest.slice(2 * digit + 1, 2 * digit));
        }
        let last = stage[stage.len() - 1];
        let mut carried = vec![so_far.root, so_far.remainder];
        if last > 0 {
            carried.push(rest.truncate(2 * last));
        }
        let registers = pipeline.stage("sqrt", &carried);
        so_far = SquareRoot { root: registers[0], remainder: registers[1] };
        rest = registers.get(2).copied().unwrap_or(rest);
    }
    so_far
}

/// With a zero on top if the width is odd.
fn even(x: Signal<'_>) -> Signal<'_> {
    x.extend(x.width().next_multiple_of(2))
}

fn start(x: Signal<'_>) -> SquareRoot<'_> {
    let (m, digits) = (x.module(), x.width() / 2);
    SquareRoot { root: m.lit(u(digits), 0), remainder: m.lit(u(digits + 1), 0) }
}

/// One more digit: bring down two bits, and take away `4 * root + 1` if there is as much.
#[track_caller]
fn step<'m>(so_far: SquareRoot<'m>, two_bits: Signal<'m>) -> SquareRoot<'m> {
    let _caller = Place::of_caller();
    let digits = so_far.root.width();
    // Before a step the remainder is at most 2 * root < 2^digits, so its top bit is 0.
    let partial = so_far.remainder.truncate(digits).cat(two_bits).called("sqrt_partial");
    let trial = so_far.root.cat(so_far.root.module().lit(u(2), 1)).called("sqrt_trial");
    let fits = partial.ge(trial).called("sqrt_fits");
    let rest = fits.mux(partial - trial, partial).called("sqrt_rest");
    let root = match digits {
        1 => fits,
        _ => so_far.root.truncate(digits - 1).cat(fits).called("sqrt_so_far"),
    };
    SquareRoot { root, remainder: rest.truncate(digits + 1) }
}

/// The pipelined square root alone: stream `in` of field `x`, stream `out` of `root`, `remainder`.
///
/// Latency `ceil(ceil(width / 2) / digits_per_stage)` cycles, throughput one a cycle.
///
/// # Panics
/// If `width` is outside `1..=256` or `digits_per_stage` outside `1..=1024`.
pub fn pipelined_module(width: u32, digits_per_stage: u32) -> Arc<Module> {
    check_range("integer_sqrt", "width", width, 1..=256);
    let m = ModuleBuilder::new(format!("integer_sqrt_w{width}_p{digits_per_stage}"));
    m.doc("root = floor(sqrt(x)), remainder = x - root^2, pipelined.");
    m.parameter("width", width);
    m.parameter("digits_per_stage", digits_per_stage);
    let input = m.stream_in("in", &fields([("x", u(width))]));
    let mut pipeline = Pipeline::from_stream(&input);
    let found = pipelined_integer_sqrt(&mut pipeline, input.get("x"), digits_per_stage);
    let payload = Bundle::new([("root", found.root), ("remainder", found.remainder)]);
    m.stream_out("out", &pipeline.into_stream("out", payload));
    m.finish()
}

/// The iterative square root: stream `in` of field `x`, stream `out` of `root`, `remainder`.
///
/// One digit a cycle: the result is offered `ceil(width / 2) + 1` cycles after `x` was taken, and
/// the next `x` is taken the cycle after the result was.
///
/// # Panics
/// If `width` is outside `1..=256`.
pub fn module(width: u32) -> Arc<Module> {
    check_range("integer_sqrt", "width", width, 1..=256);
    let m = ModuleBuilder::new(format!("integer_sqrt_w{width}"));
    m.doc("root = floor(sqrt(x)), remainder = x - root^2, one digit of the root a cycle.");
    m.parameter("width", width);
    let input = m.stream_in("in", &fields([("x", u(width))]));
    let x = even(input.get("x"));
    let digits = x.width() / 2;

    let digits_left = m.reg("digits_left", u(bits_for(digits.into())));
    let done = m.reg("done", u(1));
    let rest = m.reg("rest", x.ty()).no_reset();
    let root = m.reg("root", u(digits)).no_reset();
    let remainder = m.reg("remainder", u(digits + 1)).no_reset();

    let busy = digits_left.any().named("busy");
    input.ready.drive(!busy & !done);
    let begins = input.fires().named("begins");
    let next = step(SquareRoot { root: *root, remainder: *remainder }, rest.high(2));
    let blank = start(x);
    let count_down = begins.mux(m.lit(digits_left.ty(), digits), digits_left - 1);
    digits_left.next(count_down).enable(begins | busy);
    rest.next(begins.mux(x, rest.shl(2))).enable(begins | busy);
    root.next(begins.mux(blank.root, next.root)).enable(begins | busy);
    remainder.next(begins.mux(blank.remainder, next.remainder)).enable(begins | busy);

    let payload = Bundle::new([("root", *root), ("remainder", *remainder)]);
    let output = Stream::source(&m, "out", done, payload);
    let ends = busy & digits_left.eq(1);
    done.next(ends | (*done & !*output.ready));
    m.stream_out("out", &output);
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    vec![
        module(1),
        module(7),
        module(32),
        pipelined_module(1, 1),
        pipelined_module(9, 2),
        pipelined_module(32, 4),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{pass, simulate, values};
    use crate::ty::Int;

    fn expected(x: &Int) -> Vec<Int> {
        let root = x.sqrt();
        let remainder = x - &root * &root;
        vec![root, remainder]
    }

    #[test]
    fn combinational() {
        for width in [1, 2, 3, 4, 7, 8, 9, 32, 65] {
            let m = ModuleBuilder::new("sqrt");
            let found = integer_sqrt(m.input("x", u(width)));
            m.output("root", found.root);
            m.output("remainder", found.remainder);
            let mut sim = simulate(&m.finish());
            for x in values(u(width)) {
                sim.poke("x", x.clone());
                assert_eq!(vec![sim.peek("root"), sim.peek("remainder")], expected(&x), "{x}");
            }
        }
    }

    #[test]
    fn iterative_and_pipelined() {
        let check = |module: &Arc<Module>, width: u32, cycles: &dyn Fn(u64) -> u64| {
            let inputs: Vec<_> = values(u(width)).into_iter().map(|x| vec![x]).collect();
            let roots: Vec<_> = inputs.iter().map(|x| expected(&x[0])).collect();
            assert_eq!(pass(module, &inputs, 40).outputs, roots);
            let run = pass(module, &inputs, 0);
            assert_eq!(run.outputs, roots, "{}", module.name);
            assert_eq!(run.cycles, cycles(inputs.len() as u64), "{}", module.name);
        };
        for width in [1u32, 2, 5, 8, 21, 66] {
            let digits = u64::from(width.div_ceil(2));
            check(&module(width), width, &|count| count * (digits + 2));
            for per_stage in [1, 2, 3] {
                let latency = digits.div_ceil(u64::from(per_stage));
                check(&pipelined_module(width, per_stage), width, &|count| count + latency);
            }
        }
    }
}
