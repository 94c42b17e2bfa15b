//! What a body says.

use super::{ANSWER, CRC_BYTES, HEADER_BYTES, MOST_DATA, OUT_OF_SEQUENCE, UNKNOWN};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Begins a session, and asks who is there.
    Open = 1,
    /// Beats for an incoming channel.
    Write = 2,
    /// Beats from an outgoing channel.
    Read = 3,
    /// Resets the core.
    Reset = 4,
}

impl Kind {
    /// The kind of that number.
    pub fn of(byte: u8) -> Option<Kind> {
        [Kind::Open, Kind::Write, Kind::Read, Kind::Reset]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// A body's fields; the same for questions and answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The host's choice, the same from an `open` to the next.
    pub session: u8,
    /// One more than that of the question before.
    pub sequence: u8,
    /// A [`Kind`]; in an answer with [`ANSWER`], or a refusal.
    pub kind: u8,
    /// A question's channel, an answer's number of beats.
    pub channel: u8,
    /// A write's `last`, the beats that a read wants, an answer's `last`.
    pub argument: u8,
    /// At most [`MOST_DATA`] bytes.
    pub data: Vec<u8>,
}

impl Packet {
    /// The bytes of the body, CRC included.
    ///
    /// # Panics
    /// If there is more data than a packet holds.
    pub fn body(&self) -> Vec<u8> {
        assert!(self.data.len() <= MOST_DATA, "{} bytes of data in a packet", self.data.len());
        let Packet { session, sequence, kind, channel, argument, data } = self;
        let mut body = vec![*session, *sequence, *kind, data.len() as u8, *channel, *argument];
        body.extend(data);
        body.extend(crc32fast::hash(&body).to_le_bytes());
        body
    }

    /// Reads a body; nothing if it is damaged.
    pub fn read(body: &[u8]) -> Option<Packet> {
        let (said, crc) = body.split_at_checked(body.len().checked_sub(CRC_BYTES)?)?;
        let (header, data) = said.split_at_checked(HEADER_BYTES)?;
        let &[session, sequence, kind, length, channel, argument] = header else {
            return None;
        };
        let sound = crc == crc32fast::hash(said).to_le_bytes()
            && usize::from(length) == data.len()
            && data.len() <= MOST_DATA;
        sound.then(|| Packet { session, sequence, kind, channel, argument, data: data.to_vec() })
    }

    /// The answer to this question.
    pub fn answer(&self, beats: u8, last: bool, data: Vec<u8>) -> Packet {
        Packet { kind: self.kind | ANSWER, channel: beats, argument: last.into(), data, ..*self }
    }

    /// The refusal of this question.
    pub fn refusal(&self, kind: u8) -> Packet {
        debug_assert!(kind == OUT_OF_SEQUENCE || kind == UNKNOWN);
        Packet { kind, channel: 0, argument: 0, data: vec![], ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_as_it_was_written() {
        let data: Vec<u8> = (0..192).collect();
        let packet = Packet { session: 1, sequence: 2, kind: 3, channel: 4, argument: 5, data };
        let body = packet.body();
        assert_eq!(Packet::read(&body), Some(packet));
        for at in 0..body.len() {
            let mut damaged = body.clone();
            damaged[at] ^= 0x10;
            assert_eq!(Packet::read(&damaged), None, "byte {at}");
            assert_eq!(Packet::read(&body[..at]), None, "{at} bytes");
        }
    }

    #[test]
    fn short_bodies_whose_crc_fits_are_no_packets() {
        for length in 0..HEADER_BYTES {
            for filling in 0..=255 {
                let mut body = vec![filling; length];
                body.extend(crc32fast::hash(&body).to_le_bytes());
                assert_eq!(Packet::read(&body), None);
            }
        }
    }
}
