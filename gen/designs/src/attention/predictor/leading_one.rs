//! An element becomes a sign and the position of its leading one.

use hwgen_hdl::lib::leading_one::leading_one;
use hwgen_hdl::{Module, ModuleBuilder, Signal, cat, s};
use std::sync::Arc;

/// How numbers are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    /// Bits of a number, two's complement.
    pub(crate) bits: u32,
    /// Bits of the exponent.
    pub(crate) exponent_bits: u32,
    /// Round the leading one up when the bit below it is set.
    pub(crate) round: bool,
}

/// One element's encoder; combinational.
///
/// In: `x`. Out: `code`, LSB first: exponent, zero flag, sign.
pub(crate) fn module(name: &str, code: Code) -> Arc<Module> {
    let m = ModuleBuilder::new(name);
    m.doc("Leading-one code of x: {sign, zero, exponent}.");
    let x = m.input("x", s(code.bits));
    let sign = x.msb().named("sign");
    let magnitude = magnitude(x, sign).named("magnitude");
    let found = leading_one(magnitude);
    let mut exponent = found.index.resize(code.exponent_bits);
    if code.round && code.bits > 2 {
        // the bit below the leading one, 0 below bit 0
        let below = magnitude.cat(m.lit(sign.ty(), 0));
        let below: Vec<_> = (0..magnitude.width()).map(|e| below.bit(e)).collect();
        let up = found.index.select(&below).named("round_up");
        exponent = exponent + up.extend(exponent.width());
    }
    m.output("code", cat(&[sign, found.zero, exponent]));
    m.finish()
}

/// |x|, a bit narrower than x: the least value's magnitude saturates.
pub(crate) fn magnitude<'m>(x: Signal<'m>, sign: Signal<'m>) -> Signal<'m> {
    let low = |value: Signal<'m>| value.as_unsigned().truncate(x.width() - 1);
    let negated = low((-x).called_in(x, "negated"));
    // only the least value is its own negative, and only it is negative with low bits 0
    let saturated = negated.any().mux(negated, !negated);
    sign.mux(saturated, low(x))
}
