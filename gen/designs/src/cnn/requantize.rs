//! From a sum to eight bits, in three steps: TFLite's `MultiplyByQuantizedMultiplier`, or one
//! rounding of the file's own.

use super::job::Rounding;
use hwgen_hdl::lib::pipeline::Pipeline;
use hwgen_hdl::{Module, ModuleBuilder, Signal, cat, s, u};
use std::sync::Arc;

/// Cycles from a sum to what it becomes.
pub(super) const LATENCY: u32 = 3;

/// Where a multiplier's own rounding ends: what is rounded at once to even or down, is first rounded
/// to 2^-15 of `right`'s step.
const FINE: u32 = 16;

/// Bits of a multiplier that is not cut in halves.
const WHOLE: u32 = 17;

/// Module `cnn_requantizer`: in `sum` of so many bits, `multiplier`, the highest bits of one in 2^-31, `right` places,
/// `valid`; out, [`LATENCY`] cycles later, `value`. `rounding` stays while values are on their way.
pub(super) fn module(bits: u32, multiplier_bits: u32) -> Arc<Module> {
    let m = ModuleBuilder::new("cnn_requantizer");
    m.doc("sum * multiplier / 2^(31 + right), rounded twice, once, half to even, or down.");
    let sum = m.input("sum", s(bits));
    let multiplier = m.input("multiplier", u(multiplier_bits));
    let mut pipeline = Pipeline::new(m.input("valid", u(1)), m.lit(u(1), 1)).quiet();
    // two halves, each as wide as a multiplier of 25 x 18 bits takes
    let products = match multiplier_bits {
        ..=WHOLE => vec![sum.mul(multiplier.to_signed()).named("whole_product")],
        _ => {
            let halves = [multiplier.truncate(16), multiplier.high(multiplier_bits - 16)];
            let [low, high] = halves.map(|half| sum.mul(half.to_signed()));
            vec![low.named("low_product"), high.named("high_product")]
        }
    };
    let right = m.input("right", u(5));
    let operands: Vec<_> = products.into_iter().chain([right]).collect();
    let stage = pipeline.stage("multiplied", &operands);
    let width = bits + 32;
    let (product, right) = match stage[..] {
        [product, right] => (product.extend(width), right),
        [low, high, right] => (low.extend(width) + high.extend(width).shl(16), right),
        _ => unreachable!("a stage returns as many signals as it is given"),
    };
    let product = if multiplier_bits == 31 { product } else { product.shl(31 - multiplier_bits) };
    let mode = Mode::new(m.input("rounding", u(2)));
    // rounded once: by the shift, if there is one
    let half = mode.twice | (!mode.down & !right.any());
    let nudge = cat(&[half, m.lit(u(30 - FINE), 0), mode.fine, m.lit(u(FINE - 1), 0)]);
    let nudged = (product + nudge.to_signed().extend(width)).named("nudged");
    let rounded = nudged.shr(31).truncate(bits + 1).as_signed();
    // nothing is left below, or it was a half
    let whole = (mode.even & !nudged.slice(30, FINE).any()).named("whole");
    let stage = pipeline.stage("rounded", &[rounded, right, whole]);
    let value = rounded_shift(stage[0], stage[1], stage[2], &mode);
    let value = pipeline.stage("shifted", &[value])[0];
    assert_eq!(pipeline.latency(), LATENCY);
    m.output("value", value);
    m.finish()
}

/// What a job's `rounding` says.
struct Mode<'m> {
    twice: Signal<'m>,
    even: Signal<'m>,
    down: Signal<'m>,
    /// `even` or `down`.
    fine: Signal<'m>,
}

impl<'m> Mode<'m> {
    fn new(rounding: Signal<'m>) -> Mode<'m> {
        let is = |mode: Rounding, name: &str| rounding.eq(mode as u64).named(name);
        let (even, down) = (is(Rounding::HalfEven, "even"), is(Rounding::Floor, "down"));
        Mode { twice: is(Rounding::Twice, "twice"), even, down, fine: even | down }
    }
}

/// `value / 2^places`, rounded to the nearest, halves away from 0, up, or to even if nothing was
/// left below the `whole` value; or down.
fn rounded_shift<'m>(
    value: Signal<'m>,
    places: Signal<'m>,
    whole: Signal<'m>,
    mode: &Mode<'m>,
) -> Signal<'m> {
    let m = value.module();
    let bits = value.width();
    let power = m.lit(u(32), 1).shl(places).named("power");
    let below = (power - 1).named("below");
    // just below a half for what is negative, so that halves go down
    let half = (value.msb() & mode.twice).mux(below.shr(1), power.shr(1));
    let half = mode.down.mux(m.lit(half.ty(), 0), half).named("half");
    let sum = value.extend(bits.max(32) + 1) + half.to_signed().extend(bits.max(32) + 1);
    let sum = sum.named("sum_and_half");
    let tie = whole & !(sum.truncate(32).as_unsigned() & below).any();
    let shifted = sum.shr(places).truncate(bits);
    cat(&[shifted.high(bits - 1).as_unsigned(), shifted.bit(0) & !tie]).as_signed()
}
