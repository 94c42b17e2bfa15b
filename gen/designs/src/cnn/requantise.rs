//! From a sum to eight bits, in three steps; TFLite's `MultiplyByQuantizedMultiplier`.

use hwgen_hdl::lib::pipeline::Pipeline;
use hwgen_hdl::{Module, ModuleBuilder, Signal, s, u};
use std::sync::Arc;

/// Cycles from a sum to what it becomes.
pub(super) const LATENCY: u32 = 3;

/// Module `cnn_requantiser`: in `sum` of so many bits, `multiplier` in 2^-31, `right` places,
/// `valid`; out, [`LATENCY`] cycles later, `value`. `once` stays while values are on their way.
pub(super) fn module(bits: u32) -> Arc<Module> {
    let m = ModuleBuilder::new("cnn_requantiser");
    m.doc("sum * multiplier / 2^31, halves up; then / 2^right, halves away from 0; or once, halves up.");
    let sum = m.input("sum", s(bits));
    let multiplier = m.input("multiplier", u(31));
    let mut pipeline = Pipeline::new(m.input("valid", u(1)), m.lit(u(1), 1)).quiet();
    // two halves, each as wide as a multiplier of 25 x 18 bits takes
    let halves = [multiplier.truncate(16), multiplier.high(15)];
    let [low, high] = halves.map(|half| sum.mul(half.to_signed()));
    let (low, high) = (low.named("low_product"), high.named("high_product"));
    let right = m.input("right", u(5));
    let stage = pipeline.stage("multiplied", &[low, high, right]);
    let [low, high, right] = stage[..] else {
        unreachable!("a stage returns as many signals as it is given")
    };
    let width = bits + 32;
    let product = low.extend(width) + high.extend(width).shl(16);
    let once = m.input("once", u(1));
    // rounded once: by the shift, if there is one
    let none = m.lit(product.ty(), 0);
    let half = (once & right.any()).mux(none, m.lit(product.ty(), 1i64 << 30));
    let rounded = (product + half).shr(31).truncate(bits + 1).as_signed();
    let stage = pipeline.stage("rounded", &[rounded, right]);
    let value = rounded_shift(stage[0], stage[1], once);
    let value = pipeline.stage("shifted", &[value])[0];
    assert_eq!(pipeline.latency(), LATENCY);
    m.output("value", value);
    m.finish()
}

/// `value / 2^places`, rounded to the nearest, halves away from 0, or up.
fn rounded_shift<'m>(value: Signal<'m>, places: Signal<'m>, up: Signal<'m>) -> Signal<'m> {
    let m = value.module();
    let bits = value.width();
    let power = m.lit(u(32), 1).shl(places).named("power");
    // just below a half for what is negative, so that halves go down
    let half = power.shr(1);
    let less = (power - 1).shr(1);
    let half = (value.msb() & !up).mux(less, half).named("half");
    let sum = value.extend(bits.max(32) + 1) + half.to_signed().extend(bits.max(32) + 1);
    sum.shr(places).truncate(bits).as_signed()
}
