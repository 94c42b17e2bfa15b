//! The result: each output's element goes to its place; nothing shifts.

use super::layer::Layer;
use super::walk::Marks;
use crate::wiring::pack;
use hwgen_hdl::{Bundle, ModuleBuilder, Signal, Stream, Wire, index_bits, s, u};

/// Collects elements, in the order of their outputs, into the stream `out` of whole results, each
/// with what its token brings `beside` them. Drives `advance`, which is 0 while a result waits, and
/// returns the stream.
pub(super) fn collect<'m>(
    m: &'m ModuleBuilder,
    layer: Layer,
    valid: Signal<'m>,
    element: Signal<'m>,
    marks: &Marks<'m>,
    beside: &[(&str, Signal<'m>)],
    advance: Wire<'m>,
) -> Stream<'m> {
    let write = (valid & *advance).named("write");
    let place = m.reg("place", u(index_bits(layer.outputs as usize)));
    let whole = (write & marks.token_ends).named("whole");
    place.next(place + 1).enable(write).clear(whole);
    let result = |output: u32| {
        let here = write & place.eq(output);
        m.reg(format!("result_{output}"), s(8)).no_reset().next(element).enable(here).into()
    };
    let results: Vec<Signal<'m>> = (0..layer.outputs).map(result).collect();
    let last = m.reg("result_last", u(1)).no_reset().next(marks.batch_ends).enable(whole);
    let ready = m.reg("result_valid", u(1)).next(valid & marks.token_ends).enable(*advance);
    let payload =
        beside.iter().fold(Bundle::new([("data", pack(&results))]), |payload, (name, of)| {
            let held = m.reg(format!("result_{name}"), of.ty()).no_reset().next(*of).enable(whole);
            payload.with(*name, held)
        });
    let payload = payload.with("last", last);
    let out = Stream::source(m, "result", ready, payload);
    advance.drive(*out.ready | !ready);
    out
}
