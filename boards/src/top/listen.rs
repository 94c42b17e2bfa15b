//! From bytes of the line to a question in the buffer.

use super::buffer::MOST_ADDRESS;
use super::check::Check;
use super::state::{Link, State};
use crate::link::{END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE};
use hwgen_hdl::{ModuleBuilder, Stream, u};

/// Takes the line's bytes. While the link works they are lost.
pub(super) fn listen<'m>(
    m: &'m ModuleBuilder,
    link: &Link<'m>,
    check: &Check<'m>,
    line: &Stream<'m>,
) {
    let listens = link.is(State::Listen).named("listens");
    line.ready.drive(check.idle | !listens);
    let (byte, wrong_stop) = (line.get("data"), line.get("framing_error"));
    let comes = (line.fires() & listens).named("byte_comes");
    let is = |value: u8| byte.eq(u32::from(value));
    let ends = (comes & is(END) & !wrong_stop).named("frame_ends");
    let anew = link.begins_anew() | ends;

    let escaped = m.reg("escaped", u(1)).enable(comes).clear(anew);
    let escapes = (is(ESCAPE) & !*escaped & !wrong_stop).named("byte_escapes");
    escaped.next(escapes);
    let (end, escape) = (is(ESCAPED_END), is(ESCAPED_ESCAPE));
    let too_long = link.to.eq(MOST_ADDRESS);
    let wrong = (wrong_stop | too_long | (*escaped & !(end | escape))).named("byte_wrong");
    let bad = m.reg("frame_bad", u(1)).next(m.lit(u(1), 1)).enable(comes & wrong).clear(anew);
    link.stores.drive(comes & !ends & !escapes & !wrong & !*bad);
    let special = end.mux(m.lit(u(8), u32::from(END)), m.lit(u(8), u32::from(ESCAPE)));
    link.stored.drive(escaped.mux(special, byte));

    // the check of an empty frame does not fit
    let sound = (check.fits() & !*bad & !*escaped).named("frame_sound");
    link.heard.drive(ends & sound);
    link.misheard.drive(ends & !sound);
    link.goes(State::Listen, *link.heard, State::Header);
}
