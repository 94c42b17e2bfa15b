//! Sessions, questions, answers.

use super::line::Line;
use super::{BoardError, Settings, Traffic, Transport};
use crate::link::identity::{IDENTITY_BYTES, Identity};
use crate::link::packet::{Kind, Packet};
use crate::link::{ANSWER, CRC_BYTES, HEADER_BYTES, MOST_DATA, OUT_OF_SEQUENCE, UNKNOWN, VERSION};
use rand::Rng;
use std::time::Instant;

/// Attempts at an `open`: short, and the first that a board that is not there is asked.
const OPEN_ATTEMPTS: u32 = 16;

/// A board with a session of ours.
pub struct Board<T> {
    line: Line<T>,
    session: u8,
    sequence: u8,
    identity: Identity,
}

impl<T: Transport> Board<T> {
    /// Opens a session.
    ///
    /// # Errors
    /// There is no board, or one that speaks otherwise.
    pub fn open(transport: T) -> Result<Board<T>, BoardError> {
        Board::open_with(transport, Settings::default())
    }

    /// Opens a session.
    ///
    /// # Errors
    /// There is no board, or one that speaks otherwise.
    pub fn open_with(transport: T, settings: Settings) -> Result<Board<T>, BoardError> {
        let nobody = Identity {
            version: 0,
            clock_hz: 0,
            spec_hash: 0,
            incoming: vec![],
            outgoing: vec![],
            design: String::new(),
            contents: 0,
        };
        let line = Line::new(transport, settings);
        let mut board = Board { line, session: 0, sequence: 0, identity: nobody };
        board.reopen()?;
        Ok(board)
    }

    /// Opens another session: after [`BoardError::SessionLost`].
    ///
    /// # Errors
    /// There is no board, or one that speaks otherwise.
    pub fn reopen(&mut self) -> Result<(), BoardError> {
        let first: u8 = rand::rng().random();
        let mut odd = false;
        // a session that the board knows from before is refused, or answered with something else
        for session in (0..4).map(|more| first.wrapping_add(more)) {
            (self.session, self.sequence) = (session, rand::rng().random());
            let question = self.question(Kind::Open, 0, 0, vec![]);
            let answer = self.ask(&question, OPEN_ATTEMPTS)?;
            if answer.kind != Kind::Open as u8 | ANSWER {
                continue;
            }
            if answer.data.first().is_some_and(|version| *version != VERSION) {
                return Err(BoardError::Version { found: answer.data[0] });
            }
            let Some(identity) = Identity::read(&answer.data) else {
                odd = true;
                continue;
            };
            self.identity = identity;
            return Ok(());
        }
        let what = if odd { "its identity is none" } else { "no session could be opened" };
        Err(BoardError::Answer { what: what.into() })
    }

    /// What the board said of itself.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The line.
    pub fn transport(&mut self) -> &mut T {
        &mut self.line.transport
    }

    /// What went over the line so far.
    pub fn traffic(&self) -> Traffic {
        self.line.traffic
    }

    /// Checks what stands behind the link.
    ///
    /// # Errors
    /// Another design, or the same of another specification.
    pub fn expect(&self, design: &str, spec_hash: u32) -> Result<(), BoardError> {
        let Identity { design: found, spec_hash: has, .. } = &self.identity;
        if design == found && spec_hash == *has {
            return Ok(());
        }
        let told = |design: &str, hash: u32| format!("`{design}` of specification {hash:08x}");
        Err(BoardError::OtherDesign { found: told(found, *has), wanted: told(design, spec_hash) })
    }

    /// Resets the core.
    ///
    /// # Errors
    /// The board does not answer.
    pub fn reset(&mut self) -> Result<(), BoardError> {
        self.carry_out(Kind::Reset, 0, 0, vec![]).map(|_| ())
    }

    /// Sends whole beats to an incoming channel, `last` with the last of them.
    ///
    /// # Errors
    /// The board does not answer, or the core does not take them.
    pub fn write(&mut self, channel: u8, beats: &[u8], last: bool) -> Result<(), BoardError> {
        let beat = beat_bytes(&self.identity.incoming, channel)?;
        if !beats.len().is_multiple_of(beat) {
            return Err(BoardError::Beats { channel, bytes: beats.len(), beat });
        }
        let (mut rest, mut moved) = (beats, Instant::now());
        while !rest.is_empty() {
            let whole = (self.line.data / beat).max(1) * beat;
            let (now, later) = rest.split_at(whole.min(rest.len()));
            let argument = u8::from(last && later.is_empty());
            let answer = self.carry_out(Kind::Write, channel, argument, now.to_vec())?;
            let taken = usize::from(answer.channel) * beat;
            let Some(left) = rest.get(taken..).filter(|_| taken <= now.len()) else {
                let what = format!("it took {taken} bytes of {}", now.len());
                return Err(BoardError::Answer { what });
            };
            if taken > 0 {
                (rest, moved) = (left, Instant::now());
            } else {
                self.check_stall(channel, moved)?;
            }
        }
        Ok(())
    }

    /// Beats of an outgoing channel as they are there, at most so many; and whether the last had `last`.
    ///
    /// # Errors
    /// The board does not answer.
    pub fn read_some(&mut self, channel: u8, most: usize) -> Result<(Vec<u8>, bool), BoardError> {
        let beat = beat_bytes(&self.identity.outgoing, channel)?;
        let wanted = most.min((self.line.data / beat).max(1)).min(255);
        let answer = self.carry_out(Kind::Read, channel, wanted as u8, vec![])?;
        let (bytes, beats, last) =
            (answer.data.len(), usize::from(answer.channel), answer.argument);
        if bytes != beats * beat || beats > wanted || last > u8::from(beats > 0) {
            let what = format!(
                "{bytes} bytes for {beats} beats of {beat}, {wanted} asked for, argument {last}"
            );
            return Err(BoardError::Answer { what });
        }
        Ok((answer.data, last == 1))
    }

    /// A packet of the core's: so many beats of an outgoing channel, the last of them, and no other, with `last`.
    ///
    /// # Errors
    /// The board does not answer, the core gives nothing, or `last` comes earlier or later.
    pub fn read_packet(&mut self, channel: u8, beats: usize) -> Result<Vec<u8>, BoardError> {
        let (data, last) = self.read_to(channel, beats)?;
        let came = data.len() / beat_bytes(&self.identity.outgoing, channel)?;
        match (came == beats, last) {
            (true, true) => Ok(data),
            (true, false) => Err(BoardError::SendsMore { channel, wanted: beats }),
            (false, _) => Err(BoardError::EndsEarly { channel, beats: came, wanted: beats }),
        }
    }

    /// So many beats of an outgoing channel, or as many as come up to `last`.
    ///
    /// # Errors
    /// The board does not answer, or the core gives nothing.
    pub fn read(&mut self, channel: u8, beats: usize) -> Result<Vec<u8>, BoardError> {
        Ok(self.read_to(channel, beats)?.0)
    }

    /// [`Board::read`], and whether the latest beat had `last`.
    fn read_to(&mut self, channel: u8, beats: usize) -> Result<(Vec<u8>, bool), BoardError> {
        let beat = beat_bytes(&self.identity.outgoing, channel)?;
        let (mut data, mut moved) = (vec![], Instant::now());
        while data.len() < beats * beat {
            let (more, last) = self.read_some(channel, beats - data.len() / beat)?;
            if more.is_empty() {
                self.check_stall(channel, moved)?;
                continue;
            }
            moved = Instant::now();
            data.extend(more);
            if last {
                return Ok((data, true));
            }
        }
        Ok((data, false))
    }

    /// Sets a port of the design to a value.
    ///
    /// # Errors
    /// The board does not answer.
    pub fn set(&mut self, channel: u8, value: u64) -> Result<(), BoardError> {
        let beat = beat_bytes(&self.identity.incoming, channel)?;
        let mut bytes = value.to_le_bytes().to_vec();
        bytes.resize(beat, 0);
        self.write(channel, &bytes, false)
    }

    /// The value of a port of the design.
    ///
    /// # Errors
    /// The board does not answer.
    pub fn get(&mut self, channel: u8) -> Result<u64, BoardError> {
        let bytes = self.read(channel, 1)?;
        Ok(bytes.iter().take(8).rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn check_stall(&self, channel: u8, since: Instant) -> Result<(), BoardError> {
        let waited = self.line.settings.stall;
        if since.elapsed() > waited {
            return Err(BoardError::Stalled { channel, waited });
        }
        Ok(())
    }

    fn question(&self, kind: Kind, channel: u8, argument: u8, data: Vec<u8>) -> Packet {
        let (session, sequence) = (self.session, self.sequence);
        Packet { session, sequence, kind: kind as u8, channel, argument, data }
    }

    /// Asks the next question of the session.
    fn carry_out(
        &mut self,
        kind: Kind,
        channel: u8,
        argument: u8,
        data: Vec<u8>,
    ) -> Result<Packet, BoardError> {
        self.sequence = self.sequence.wrapping_add(1);
        let question = self.question(kind, channel, argument, data);
        let answer = self.ask(&question, self.line.settings.attempts)?;
        match answer.kind {
            OUT_OF_SEQUENCE => Err(BoardError::SessionLost),
            UNKNOWN => Err(BoardError::NoChannel { channel: channel.to_string() }),
            found if found == question.kind | ANSWER => {
                // what only a read may say
                let more = kind != Kind::Read && (!answer.data.is_empty() || answer.argument != 0);
                let beats = kind == Kind::Reset && answer.channel != 0;
                if more || beats {
                    let what = format!("more than an answer to kind {:02x} says", question.kind);
                    return Err(BoardError::Answer { what });
                }
                Ok(answer)
            }
            found => Err(BoardError::Answer { what: format!("kind {found:02x}") }),
        }
    }

    /// Sends a question until it is answered.
    fn ask(&mut self, question: &Packet, attempts: u32) -> Result<Packet, BoardError> {
        self.line.ask(question, self.answer_bytes(question), attempts)
    }

    /// Bytes that the answer takes on the line, few of them escaped.
    fn answer_bytes(&self, question: &Packet) -> usize {
        let data = match Kind::of(question.kind) {
            Some(Kind::Open) => IDENTITY_BYTES,
            Some(Kind::Read) => {
                let beat = self.identity.outgoing.get(usize::from(question.channel));
                let bytes = usize::from(question.argument) * beat.map_or(0, |&b| usize::from(b));
                bytes.min(MOST_DATA)
            }
            _ => 0,
        };
        let body = HEADER_BYTES + data + CRC_BYTES;
        body + body / 8 + 2
    }
}

fn beat_bytes(channels: &[u8], channel: u8) -> Result<usize, BoardError> {
    let bytes = channels.get(usize::from(channel)).filter(|bytes| **bytes > 0);
    let no = || BoardError::NoChannel { channel: channel.to_string() };
    bytes.map(|bytes| usize::from(*bytes)).ok_or_else(no)
}
