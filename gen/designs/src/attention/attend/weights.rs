//! Softmax without its sum: how much each key weighs, by a shift and a table.

use super::AttendSpec;
use super::spec::{LOGIT_BITS, LOGIT_FRACTION};
use crate::wiring::quiet;
use hwgen_hdl::{Int, Module, ModuleBuilder, Signal, bits_for, s, u};
use std::sync::Arc;

/// Module `attend_weights`; never stalls, a key a cycle.
///
/// In: `issue` (a key of a row), `single` (its row's only one), `first`, `bank`, `logit`, `maximum`
/// (the row's largest logit). Out, a cycle later: `reads`, the key's value is needed: it has a
/// weight, or starts its row. Another cycle later `uses` (the same), `weight`, `first_out`,
/// `bank_out`, which stay until the next use.
pub(crate) fn module(spec: &AttendSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("attend_weights");
    m.doc(
        "Weight of a key: 2^(logit - maximum), from a table and a shift; 1 for a row's only key.",
    );
    let (issue, single) = (m.input("issue", u(1)), m.input("single", u(1)));
    let (first, bank) = (m.input("first", u(1)), m.input("bank", u(1)));
    let (logit, maximum) = (m.input("logit", s(LOGIT_BITS)), m.input("maximum", s(LOGIT_BITS)));

    let wide = LOGIT_BITS + 1;
    let below = (maximum.extend(wide) - logit.extend(wide))
        .called("signed_below")
        .as_unsigned()
        .named("below");
    let fraction = below.truncate(LOGIT_FRACTION);
    let bits = spec.probability_bits;
    let shift = halvings(bits, below.slice(LOGIT_BITS - 1, LOGIT_FRACTION)).named("shift");
    let near = shift.le(bits);
    let table = m.memory("powers", 1 << LOGIT_FRACTION, u(bits)).init(powers(bits));
    let power = table.read_sync(fraction, issue & !single & near);

    let mut pipeline = quiet(issue);
    let stage = pipeline.stage("lookup", &[shift, single, first, bank]);
    let [shift, single, first, bank] = stage[..] else {
        unreachable!("a stage returns as many signals as it is given")
    };
    let weight = halved(power, shift);
    let weight = single.mux(m.lit(weight.ty(), 1), weight).named("weight_now");
    let reads = (pipeline.valid() & (first | weight.any())).named("reads");
    m.output("reads", reads);

    let mut used = quiet(reads);
    let stage = used.stage("used", &[weight, first, bank]);
    m.output("uses", used.valid());
    for (name, value) in ["weight", "first_out", "bank_out"].into_iter().zip(stage) {
        m.output(name, value);
    }
    m.finish()
}

/// The powers of two that a logit is below its row's largest, no more than make a weight of
/// `probability_bits` bits 0.
pub(crate) fn halvings(probability_bits: u32, below: Signal<'_>) -> Signal<'_> {
    let most = probability_bits + 1;
    let bits = bits_for(most.into());
    let far = below.gt(most);
    far.mux(below.module().lit(u(bits), most), below.truncate(bits))
}

/// A word of the table of [`powers`], halved so often, rounded half up.
pub(crate) fn halved<'m>(power: Signal<'m>, halvings: Signal<'m>) -> Signal<'m> {
    let bits = power.width();
    let doubled = power.cat(power.module().lit(u(1), 0)).shr(halvings);
    let rounded = (doubled + 1).shr(1).truncate(bits).named("rounded");
    // beyond the table's reach its word is a stale one
    halvings.le(bits).mux(rounded, 0)
}

/// `round((2^P - 1) 2^(-f/64))` for the 64 fractions f; P is `probability_bits`.
pub(crate) fn powers(probability_bits: u32) -> Vec<Int> {
    let largest = f64::from((1 << probability_bits) - 1);
    let power = |f: u32| (largest * (-f64::from(f) / 64.0).exp2()).round();
    (0..1 << LOGIT_FRACTION).map(|f| Int::from(power(f) as u32)).collect()
}
