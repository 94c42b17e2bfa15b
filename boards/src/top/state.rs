//! What the parts of the link share: its state, and wires that one part drives and others read.

use hwgen_hdl::{ModuleBuilder, Reg, Signal, Wire, u};
use std::cell::RefCell;

/// What the link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum State {
    /// Waits for a frame.
    Listen = 0,
    /// Reads the question's header.
    Header = 1,
    /// Copies the identity.
    Copy = 2,
    /// Moves beats into the place of a channel.
    Write = 3,
    /// Moves beats of a channel into the answer.
    Read = 4,
    /// Turns to the header of the answer.
    Turn = 5,
    /// Writes it.
    Finish = 6,
    /// Sends an END.
    Begin = 7,
    /// Sends the answer.
    Send = 8,
    /// Sends its check.
    Check = 9,
    /// Sends an END.
    End = 10,
}

/// Shared wires.
pub(super) struct Link<'m> {
    m: &'m ModuleBuilder,
    state: Reg<'m>,
    rules: RefCell<Vec<(Signal<'m>, State)>>,

    /// A whole, sound frame has come.
    pub(super) heard: Wire<'m>,
    /// A frame has ended that is none.
    pub(super) misheard: Wire<'m>,
    /// A frame's length is not what it says.
    pub(super) mismeasured: Wire<'m>,
    /// A byte comes in for the buffer.
    pub(super) stores: Wire<'m>,
    /// That byte.
    pub(super) stored: Wire<'m>,

    /// A byte of the buffer is wanted.
    pub(super) wants: Wire<'m>,
    /// It is there.
    pub(super) fetched: Wire<'m>,
    /// That byte.
    pub(super) byte: Wire<'m>,
    /// It has been made use of.
    pub(super) uses: Wire<'m>,
    /// The buffer's address of the next byte read.
    pub(super) from: Wire<'m>,
    /// The buffer's address of the next byte written; after the data, how much there is.
    pub(super) to: Wire<'m>,
    /// The address read lies in a header.
    pub(super) in_header: Wire<'m>,
    /// Bytes or beats left.
    pub(super) left: Wire<'m>,

    /// The question's header was read.
    pub(super) decides: Wire<'m>,
    /// The answer lies in the upper half, and is no refusal.
    pub(super) answers: Wire<'m>,
    /// The question's kind.
    pub(super) kind: Wire<'m>,
    /// Its channel.
    pub(super) channel: Wire<'m>,
    /// The lowest bit of its argument.
    pub(super) last: Wire<'m>,

    /// Where in a beat.
    pub(super) index: Wire<'m>,
    /// A byte moves into the place of the channel.
    pub(super) shifts: Wire<'m>,
    /// A byte of an outgoing beat is taken.
    pub(super) takes: Wire<'m>,
    /// It was the beat's last.
    pub(super) beat_ends: Wire<'m>,
}

impl<'m> Link<'m> {
    pub(super) fn new(m: &'m ModuleBuilder) -> Link<'m> {
        let bit = |name: &str| m.wire(name, u(1));
        let byte = |name: &str| m.wire(name, u(8));
        Link {
            m,
            state: m.reg("state", u(4)),
            rules: RefCell::default(),
            heard: bit("heard"),
            misheard: bit("misheard"),
            mismeasured: bit("mismeasured"),
            stores: bit("stores"),
            stored: byte("stored"),
            wants: bit("byte_wanted"),
            fetched: bit("byte_there"),
            byte: byte("byte_read"),
            uses: bit("byte_used"),
            from: byte("read_from"),
            to: byte("write_to"),
            in_header: bit("in_header"),
            left: byte("left_over"),
            decides: bit("question_read"),
            answers: bit("answers"),
            kind: m.wire("question_kind", u(3)),
            channel: m.wire("question_channel", u(4)),
            last: bit("question_last"),
            index: byte("byte_of_beat"),
            shifts: bit("byte_shifts"),
            takes: bit("byte_taken"),
            beat_ends: bit("beat_ends"),
        }
    }

    /// Whether the link is in that state.
    pub(super) fn is(&self, state: State) -> Signal<'m> {
        self.state.eq(state as u32)
    }

    /// Whether the question is of that kind.
    pub(super) fn asks(&self, kind: crate::link::packet::Kind) -> Signal<'m> {
        self.kind.eq(kind as u32)
    }

    /// From here to there, when. Of several rules the first given goes.
    pub(super) fn goes(&self, from: State, when: Signal<'m>, to: State) {
        self.rules.borrow_mut().push((self.is(from) & when, to));
    }

    /// When all begins anew: behind a bad frame, and behind an answer.
    pub(super) fn begins_anew(&self) -> Signal<'m> {
        *self.misheard | *self.mismeasured | self.is(State::End)
    }

    /// All rules are given.
    pub(super) fn finish(&self) {
        let next = |rest: Signal<'m>, (when, to): &(Signal<'m>, State)| {
            when.mux(self.m.lit(u(4), *to as u32), rest)
        };
        let rules = self.rules.borrow();
        self.state.next(rules.iter().rev().fold(*self.state, next));
    }
}
