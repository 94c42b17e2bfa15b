//! From the buffer to the line: an END, the packet, its CRC, an END.

use super::check::Check;
use super::state::{Link, State};
use crate::link::{END, ESCAPE, ESCAPED_END};
use hwgen_hdl::{Bundle, ModuleBuilder, Signal, Stream, u};

/// The bytes for the line, and whether one of the packet has gone.
pub(super) fn speak<'m>(
    m: &'m ModuleBuilder,
    link: &Link<'m>,
    check: &Check<'m>,
) -> (Stream<'m>, Signal<'m>) {
    let [begins, sends, checks, ends] =
        [State::Begin, State::Send, State::Check, State::End].map(|state| link.is(state));
    let frames = (begins | ends).named("sends_end");
    let raw = checks.mux(check.value.slice(7, 0), *link.byte).named("raw_byte");
    let special = (raw.eq(u32::from(END)) | raw.eq(u32::from(ESCAPE))).named("raw_special");
    let escaped = m.reg("sends_escaped", u(1));
    // END and ESCAPE differ in their lowest bit, and so do those that stand for them
    let instead = m.lit(u(7), u32::from(ESCAPED_END >> 1)).cat(raw.bit(0));
    let first = special.mux(m.lit(u(8), u32::from(ESCAPE)), raw);
    let byte = frames.mux(m.lit(u(8), u32::from(END)), escaped.mux(instead, first));

    let valid = (frames | (sends & *link.fetched) | (checks & check.idle)).named("byte_goes");
    let stream = Stream::source(m, "goes", valid, Bundle::new([("data", byte)]));
    let fires = stream.fires();
    escaped.next(special & !*escaped).enable(fires).clear(frames);
    let whole = (fires & !frames & (!special | *escaped)).named("byte_gone");
    check.sends.drive(whole);
    // its own lowest byte moves the check down by a byte
    check.sent.drive(checks.mux(!raw, raw));

    let count = m.reg("check_bytes_gone", u(2)).enable(whole & checks).clear(begins);
    count.next(*count + 1);
    link.goes(State::Begin, fires, State::Send);
    let done = !*link.fetched & !*link.in_header & link.left.eq(0);
    link.goes(State::Send, done, State::Check);
    link.goes(State::Check, whole & count.all(), State::End);
    link.goes(State::End, fires, State::Listen);
    (stream, whole)
}
