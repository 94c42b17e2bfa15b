//! Carries out writes and reads, beat by beat.

use super::channels::Core;
use super::state::{Link, State};
use hwgen_hdl::{ModuleBuilder, Signal, u};

/// What came of it.
pub(super) struct Carried<'m> {
    /// A byte of the question is wanted.
    pub(super) wants: Signal<'m>,
    /// A beat was read.
    pub(super) takes_beat: Signal<'m>,
    /// Beats moved.
    pub(super) beats: Signal<'m>,
    /// The last of them had `last`.
    pub(super) last: Signal<'m>,
}

/// Moves beats, and waits for the design 2^`patience_bits` cycles at most.
pub(super) fn carry<'m>(
    m: &'m ModuleBuilder,
    link: &Link<'m>,
    core: &Core<'m>,
    patience_bits: u32,
) -> Carried<'m> {
    let [header, writes, reads] =
        [State::Header, State::Write, State::Read].map(|state| link.is(state));
    let patience = m.reg("patience", u(patience_bits + 1)).clear(header);
    let impatient = patience.msb().named("impatient");
    patience.next(*patience + 1).enable(!impatient);
    let some_left = link.left.any();

    let index = m.reg("index", u(8)).clear(header);
    link.index.drive(*index);
    link.beat_ends.drive(index.eq(core.last_byte));
    let onward = link.beat_ends.mux(m.lit(u(8), 0), *index + 1);
    index.next(onward).enable(*link.shifts | *link.takes);

    let blocked = (index.eq(0) & core.place_taken).named("place_blocked");
    let wants = writes & some_left & !blocked;
    link.shifts.drive(writes & *link.uses);
    let written = !*link.fetched & (!some_left | (blocked & impatient));
    link.goes(State::Write, written, State::Turn);

    let beats = m.reg("beats", u(8)).clear(header);
    let last = m.reg("beat_last", u(1)).clear(header);
    let full = beats.eq(core.most_beats).named("answer_full");
    let stops = (!some_left | full | *last).named("read_stops");
    link.takes.drive(reads & core.there & !stops);
    let takes_beat = (*link.takes & *link.beat_ends).named("read_beat");
    last.next(core.last).enable(takes_beat);
    link.goes(State::Read, stops | (!core.there & impatient), State::Turn);

    let moved = takes_beat | (*link.shifts & *link.beat_ends);
    beats.next(*beats + 1).enable(moved);
    Carried { wants, takes_beat, beats: *beats, last: *last }
}
