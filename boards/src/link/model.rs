//! The board's side as an integer model: bytes in, bytes out. Written from `docs/link.md`.
//!
//! Time is left out: what a core takes or gives in time is asked of a [`Core`].

use super::channel::{Channel, Channels};
use super::identity::{Identity, contents};
use super::packet::{Kind, Packet};
use super::slip::{Deframer, frame};
use super::{CONTENTS_CHANNEL, MOST_DATA, OUT_OF_SEQUENCE, UNKNOWN};

/// What stands behind the link.
pub trait Core {
    /// Offers a beat to the incoming stream of that number; whether the core took it.
    fn offer(&mut self, channel: usize, beat: &[u8], last: bool) -> bool;

    /// What an incoming port of that number shows from now on.
    fn show(&mut self, channel: usize, value: &[u8]);

    /// The next beat of an outgoing channel, with its `last`.
    fn take(&mut self, channel: usize) -> Option<(Vec<u8>, bool)>;

    /// As after a reset.
    fn reset(&mut self);
}

/// The place of an incoming channel.
#[derive(Debug, Clone, Default)]
struct Place {
    bytes: Vec<u8>,
    /// A beat stands there, with its `last`.
    offered: Option<bool>,
}

/// A board.
pub struct Board<C> {
    /// What stands behind the link.
    pub core: C,
    channels: Channels,
    identity: Identity,
    places: Vec<Place>,
    /// Bytes that went into [`CONTENTS_CHANNEL`] since the reset.
    loaded: Vec<u8>,
    deframer: Deframer,
    /// Session and sequence of the latest question that was carried out, and its answer.
    latest: Option<(u8, u8, Packet)>,
}

impl<C: Core> Board<C> {
    /// A board after power-up.
    pub fn new(core: C, channels: Channels, identity: Identity) -> Board<C> {
        let places = channels.incoming.iter().map(empty).collect();
        let (loaded, deframer) = (vec![], Deframer::default());
        Board { core, channels, identity, places, loaded, deframer, latest: None }
    }

    /// Takes a byte of the line, or one with a bad stop bit; gives the bytes of the answer.
    pub fn push(&mut self, byte: Option<u8>) -> Vec<u8> {
        let body = match byte {
            Some(byte) => self.deframer.push(byte),
            None => {
                self.deframer.push_bad();
                None
            }
        };
        let question = body.and_then(|body| Packet::read(&body));
        question.map_or(vec![], |question| frame(&self.answer(question).body()))
    }

    fn answer(&mut self, question: Packet) -> Packet {
        let kind = Kind::of(question.kind);
        match &self.latest {
            Some((session, sequence, answer)) if *session == question.session => {
                if *sequence == question.sequence {
                    return answer.clone();
                }
                if sequence.wrapping_add(1) != question.sequence {
                    return question.refusal(OUT_OF_SEQUENCE);
                }
            }
            _ if kind == Some(Kind::Open) => {}
            _ => return question.refusal(OUT_OF_SEQUENCE),
        }
        let channel = usize::from(question.channel);
        let answer = match kind {
            Some(Kind::Open) => {
                let contents = contents(&self.loaded);
                let identity = Identity { contents, ..self.identity.clone() };
                question.answer(0, false, identity.bytes().to_vec())
            }
            Some(Kind::Write) if channel < self.channels.incoming.len() => {
                let taken = self.write(channel, &question);
                question.answer(taken, false, vec![])
            }
            Some(Kind::Read) if channel < self.channels.outgoing.len() => {
                let (beats, last, data) = self.read(channel, question.argument);
                question.answer(beats, last, data)
            }
            Some(Kind::Reset) => {
                self.core.reset();
                self.places = self.channels.incoming.iter().map(empty).collect();
                self.loaded.clear();
                question.answer(0, false, vec![])
            }
            _ => return question.refusal(UNKNOWN),
        };
        self.latest = Some((question.session, question.sequence, answer.clone()));
        answer
    }

    /// Beats stand in their places, and go on into the core when it takes them.
    fn settle(&mut self) {
        let streams = self.channels.incoming.iter().zip(&mut self.places).enumerate();
        for (at, (channel, place)) in streams.filter(|(_, (channel, _))| channel.stream) {
            if let Some(last) = place.offered
                && self.core.offer(at, &place.bytes, last && channel.last)
            {
                place.offered = None;
            }
        }
    }

    fn write(&mut self, at: usize, question: &Packet) -> u8 {
        let (bytes, stream) =
            (self.channels.incoming[at].bytes(), self.channels.incoming[at].stream);
        let mut beats = question.data.chunks(bytes).peekable();
        let mut taken = 0;
        while let Some(beat) = beats.next() {
            self.settle();
            if self.places[at].offered.is_some() {
                break;
            }
            for &byte in beat {
                // the highest byte comes in, the others move down
                self.places[at].bytes.rotate_left(1);
                self.places[at].bytes[bytes - 1] = byte;
                if self.channels.incoming[at].name == CONTENTS_CHANNEL {
                    self.loaded.push(byte);
                }
            }
            if beat.len() == bytes {
                taken += 1;
                let last = beats.peek().is_none() && question.argument & 1 == 1;
                self.places[at].offered = stream.then_some(last);
            }
        }
        if !stream {
            self.core.show(at, &self.places[at].bytes);
        }
        self.settle();
        taken
    }

    fn read(&mut self, at: usize, wanted: u8) -> (u8, bool, Vec<u8>) {
        let bytes = self.channels.outgoing[at].bytes();
        let (mut beats, mut last, mut data) = (0, false, vec![]);
        while beats < wanted && data.len() + bytes <= MOST_DATA && !last {
            self.settle();
            let Some((beat, with_last)) = self.core.take(at) else {
                break;
            };
            data.extend(&beat);
            last = with_last;
            beats += 1;
        }
        self.settle();
        (beats, last, data)
    }
}

fn empty(channel: &Channel) -> Place {
    Place { bytes: vec![0; channel.bytes()], offered: None }
}
