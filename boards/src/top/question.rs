//! What a question's header says, and whether it is carried out.

use super::buffer::{field, reads};
use super::state::{Link, State};
use crate::link::CRC_BYTES;
use crate::link::channel::Channels;
use crate::link::packet::Kind;
use hwgen_hdl::{ModuleBuilder, Signal, u};

/// Reads the header; returns whether the question is in turn.
pub(super) fn question<'m>(
    m: &'m ModuleBuilder,
    link: &Link<'m>,
    channels: &Channels,
) -> Signal<'m> {
    let byte = *link.byte;
    let read = (link.is(State::Header) & *link.uses).named("header_read");
    let reads = |at: u32| read & reads(link, at);

    // the latest question that was carried out
    let answered = link.is(State::Finish) & *link.uses & *link.answers;
    let keeps = |at: u32| answered & self::reads(link, at);
    let open = m.reg("session_open", u(1)).next(m.lit(u(1), 1)).enable(answered);
    let session = m.reg("session_number", u(8)).no_reset().next(byte).enable(keeps(field::SESSION));
    let sequence =
        m.reg("sequence_number", u(8)).no_reset().next(byte).enable(keeps(field::SEQUENCE));

    let ours = m.reg("session_known", u(1)).no_reset().enable(reads(field::SESSION));
    ours.next(*open & byte.eq(*session));
    let ahead = (byte - *sequence).named("sequence_ahead");
    let again = m.reg("sequence_again", u(1)).no_reset().enable(reads(field::SEQUENCE));
    again.next(*ours & ahead.eq(0));
    let follows = m.reg("sequence_follows", u(1)).no_reset().enable(reads(field::SEQUENCE));
    follows.next(ahead.eq(1));

    let kind = m.reg("kind", u(3)).no_reset().next(byte.slice(2, 0)).enable(reads(field::KIND));
    link.kind.drive(*kind);
    let most = Kind::Reset as u32;
    let known = byte.ne(0) & byte.le(most);
    let known = m.reg("kind_known", u(1)).no_reset().next(known).enable(reads(field::KIND));
    // in nine bits: a body shorter than a header does not seem as long as it says
    let length = byte.extend(9) + CRC_BYTES as u32;
    let measured = length.eq(link.to.extend(9));
    let measured =
        m.reg("length_true", u(1)).no_reset().next(measured).enable(reads(field::LENGTH));
    let channel = m.reg("channel", u(4)).no_reset();
    channel.next(byte.slice(3, 0)).enable(reads(field::CHANNEL));
    link.channel.drive(*channel);
    let below = |count: usize| byte.lt(count as u32);
    let there = link.asks(Kind::Write).mux(
        below(channels.incoming.len()),
        !link.asks(Kind::Read) | below(channels.outgoing.len()),
    );
    let there = m.reg("channel_there", u(1)).no_reset().next(there).enable(reads(field::CHANNEL));
    let last = m.reg("argument_last", u(1)).no_reset();
    last.next(byte.bit(0)).enable(reads(field::ARGUMENT));
    link.last.drive(*last);

    let decides = reads(field::ARGUMENT);
    link.decides.drive(decides);
    link.mismeasured.drive(decides & !*measured);
    let in_turn = ours.mux(*follows, link.asks(Kind::Open)).named("question_in_turn");
    let accepted = (!*again & in_turn & *known & *there).named("question_accepted");
    let answers = m.reg("answer_stands", u(1)).next(*again | accepted).enable(decides);
    link.answers.drive(*answers);

    let carries = |kind: Kind| decides & accepted & link.asks(kind);
    link.goes(State::Header, *link.mismeasured, State::Listen);
    link.goes(State::Header, decides & *again, State::Begin);
    link.goes(State::Header, carries(Kind::Open), State::Copy);
    link.goes(State::Header, carries(Kind::Write), State::Write);
    link.goes(State::Header, carries(Kind::Read), State::Read);
    link.goes(State::Header, decides, State::Turn);
    in_turn
}
