//! A query or key in four bits an element, all divided by one power of two.

use super::SangerPredictorSpec;
use super::spec::{ELEMENT_BITS, MAX_SHIFT, SHORT_BITS, SHORT_SHIFT_BITS};
use crate::attention::predictor::leading_one::magnitude;
use crate::wiring::{pack, unpack};
use hwgen_hdl::lib::leading_one::leading_one;
use hwgen_hdl::{Module, ModuleBuilder, Signal, reduce, s, u};
use std::sync::Arc;

/// Module `sanger_shift`; combinational. In: `data`, a vector, element 0 low. Out: `shift`, the
/// power of two by which it is shortened.
pub(super) fn shift_module(spec: &SangerPredictorSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("sanger_shift");
    m.doc("The power of two that brings a vector's largest element into four bits.");
    let data = m.input("data", u(spec.head_dim * ELEMENT_BITS));
    let magnitudes: Vec<_> = (unpack(data, s(ELEMENT_BITS), spec.head_dim).into_iter().enumerate())
        .map(|(i, x)| magnitude(x, x.msb()).named(format!("magnitude_{i}")))
        .collect();
    // their disjunction has the leading one of the largest
    let all = reduce(&magnitudes, |a, b| a | b).named("magnitudes");
    let kept = SHORT_BITS - 2;
    m.output("shift", leading_one(all.slice(ELEMENT_BITS - 2, kept)).index);
    m.finish()
}

/// Module `sanger_code`; combinational. In: `x`, an element, and `shift` if vectors have their own.
/// Out: `code`, `x / 2^shift` rounded, -7..=7.
pub(super) fn code_module(spec: &SangerPredictorSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("sanger_code");
    m.doc("An element divided by a power of two, rounded half up, in four bits.");
    let x = m.input("x", s(ELEMENT_BITS)).extend(ELEMENT_BITS + 1);
    let rounded = |shift: u32| (x + ((1 << shift) >> 1)).shr(shift);
    let value = match spec.row_normalise {
        true => {
            let choices: Vec<_> = (0..=MAX_SHIFT).map(rounded).collect();
            m.input("shift", u(SHORT_SHIFT_BITS)).select(&choices)
        }
        false => rounded(MAX_SHIFT),
    };
    let largest = (1 << (SHORT_BITS - 1)) - 1;
    let (least, most) = (m.lit(value.ty(), -largest), m.lit(value.ty(), largest));
    let value = value.lt(least).mux(least, value.gt(most).mux(most, value));
    m.output("code", value.truncate(SHORT_BITS));
    m.finish()
}

/// The elements of a vector in short, element 0 low.
pub(super) fn codes<'m>(
    m: &'m ModuleBuilder,
    spec: &SangerPredictorSpec,
    code: &Arc<Module>,
    name: &str,
    data: Signal<'m>,
    shift: Option<Signal<'m>>,
) -> Signal<'m> {
    let elements = unpack(data, s(ELEMENT_BITS), spec.head_dim).into_iter().enumerate();
    let codes = elements.map(|(i, x)| {
        let code = m.instance(format!("shorten_{name}_{i}"), code);
        code.input("x", x);
        if let Some(shift) = shift {
            code.input("shift", shift);
        }
        code.output("code")
    });
    pack(&codes.collect::<Vec<_>>()).called(format!("{name}_codes"))
}
