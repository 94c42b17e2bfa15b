//! The buffer: 512 bytes, the question below, the latest answer above.
//!
//! | addresses | hold |
//! |---|---|
//! | 0xfa..=0xff | a packet's header |
//! | 0x00..0xc4 | its data; a question's CRC behind it |
//! | 0xc4..0xf8 below | the identity, its contents aside, which are a register |
//!
//! So an address counts the data: behind a question's CRC it is four more than its length, behind an
//! answer's data its length.

use super::carry::Carried;
use super::channels::Core;
use super::state::{Link, State};
use crate::link::identity::{CONTENTS_AT, IDENTITY_BYTES, Identity};
use crate::link::packet::Kind;
use crate::link::{ANSWER, CRC_BYTES, MOST_DATA, OUT_OF_SEQUENCE, UNKNOWN};
use hwgen_hdl::{ModuleBuilder, Signal, cat, u};

/// Where a header stands.
const HEADER: u32 = 0xfa;

/// Where the identity stands.
const IDENTITY: u32 = 0xc4;

/// Behind the longest question's CRC.
pub(super) const MOST_ADDRESS: u32 = (MOST_DATA + CRC_BYTES) as u32;

/// Low bits of the header's addresses.
pub(super) mod field {
    pub(crate) const SESSION: u32 = 2;
    pub(crate) const SEQUENCE: u32 = 3;
    pub(crate) const KIND: u32 = 4;
    pub(crate) const LENGTH: u32 = 5;
    pub(crate) const CHANNEL: u32 = 6;
    pub(crate) const ARGUMENT: u32 = 7;
}

/// Whether the header's field of that address is read.
pub(super) fn reads<'m>(link: &Link<'m>, field: u32) -> Signal<'m> {
    link.from.slice(2, 0).eq(field)
}

/// Addresses, and the bytes at them. `in_turn`: if the question is refused, it is for something else
/// than its sequence.
pub(super) fn buffer<'m>(
    m: &'m ModuleBuilder,
    link: &Link<'m>,
    core: &Core<'m>,
    carried: &Carried<'m>,
    in_turn: Signal<'m>,
    identity: &Identity,
) {
    let [listens, header, copies, turns, finishes, begins, sends] = [
        State::Listen,
        State::Header,
        State::Copy,
        State::Turn,
        State::Finish,
        State::Begin,
        State::Send,
    ]
    .map(|state| link.is(state));
    let constant = |value: u32| m.lit(u(8), value);

    // a byte is fetched, then made use of
    let some_left = link.left.any().named("some_left");
    let wants =
        header | copies | finishes | carried.wants | (sends & (*link.in_header | some_left));
    link.wants.drive(wants);
    let there = m.reg("fetched", u(1));
    let fetches = (*link.wants & !*there).named("byte_fetched");
    there.next(fetches | (*there & !*link.uses));
    link.fetched.drive(*there);

    let from = m.reg("from", u(8)).reset_to(HEADER);
    let to_header = (listens | turns | begins).named("from_header");
    let to_identity = (*link.decides & link.asks(Kind::Open)).named("from_identity");
    let onward = to_identity.mux(constant(IDENTITY), *from + 1);
    from.next(to_header.mux(constant(HEADER), onward)).enable(to_header | *link.uses);
    link.from.drive(*from);
    // the identity is never sent from where it stands
    link.in_header.drive(from.slice(7, 5).all());
    let copied = from.eq(IDENTITY + IDENTITY_BYTES as u32 - 1);
    link.goes(State::Copy, *link.uses & copied, State::Turn);
    link.goes(State::Turn, m.lit(u(1), 1), State::Finish);
    link.goes(State::Finish, *link.uses & reads(link, field::ARGUMENT), State::Begin);

    let to = m.reg("to", u(8)).reset_to(HEADER);
    let anew = link.begins_anew();
    let takes = (*link.stores | (copies & *link.uses) | *link.takes).named("buffer_takes");
    let onward = link.decides.mux(constant(0), *to + 1);
    to.next(anew.mux(constant(HEADER), onward)).enable(anew | *link.decides | takes);
    link.to.drive(*to);

    // bytes of the question or the answer, or beats wanted
    let left = m.reg("left", u(8)).no_reset();
    let length = (header | sends) & *link.in_header & reads(link, field::LENGTH);
    let wanted = *link.decides & link.asks(Kind::Read);
    let loads = ((*link.uses & length) | wanted).named("left_loads");
    let sent = *link.uses & sends & !*link.in_header;
    let counts = (*link.shifts | sent | carried.takes_beat).named("left_counts");
    left.next(loads.mux(*link.byte, *left - 1)).enable(loads | counts);
    link.left.drive(*left);

    // the answer's header: session and sequence are copied, data counted
    let refusal = in_turn.mux(constant(UNKNOWN.into()), constant(OUT_OF_SEQUENCE.into()));
    let kind = m.lit(u(5), u32::from(ANSWER >> 3)).cat(*link.kind);
    let kind = link.answers.mux(kind, refusal);
    let last = m.lit(u(7), 0).cat(carried.last);
    let rest = from.slice(1, 0).select(&[kind, *to, carried.beats, last]);
    let head = from.bit(2).mux(rest, *link.byte).named("header_byte");

    // the identity's last four bytes
    let in_contents = from.slice(7, 2).eq((IDENTITY + CONTENTS_AT as u32) >> 2);
    let contents = [0, 8, 16, 24].map(|low| core.contents.slice(low + 7, low));
    let contents = from.slice(1, 0).select(&contents);
    let told = in_contents.mux(contents, *link.byte).named("identity_byte");
    let kept = copies.mux(told, core.byte);
    let data = listens.mux(*link.stored, finishes.mux(head, kept)).named("buffer_data");
    let low = finishes.mux(*from, *to);
    let upper = (!listens & *link.answers).named("buffer_upper");
    let bytes = identity.bytes();
    let word = |at: u32| {
        let of_identity = at.checked_sub(IDENTITY).and_then(|at| bytes.get(at as usize));
        of_identity.map_or(0, |&byte| u32::from(byte))
    };
    let words = m.memory("buffer", 512, u(8)).init((0..512).map(word));
    let writes = (takes | (finishes & *link.uses)).named("buffer_writes");
    words.write(cat(&[upper, low]), data, writes);
    let half = (sends & *link.answers).named("buffer_half");
    link.byte.drive(words.read_sync(cat(&[half, *from]), fetches));
    m.promise("the identity stays", !(writes & !upper) | low.ge(HEADER) | low.lt(MOST_ADDRESS));
}
