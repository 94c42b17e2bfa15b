//! What a board says of itself.

use super::channel::{Channels, MOST_CHANNELS};
use super::{MOST_DATA, VERSION};

/// Bytes of an identity.
pub const IDENTITY_BYTES: usize = 52;

/// Bytes of a design's name in it.
const NAME_BYTES: usize = 20;

/// Where the contents stand in it.
pub const CONTENTS_AT: usize = 48;

/// What a board says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Version of the protocol.
    pub version: u8,
    /// The board's clock.
    pub clock_hz: u32,
    /// CRC-32 of the design's specification as JSON.
    pub spec_hash: u32,
    /// Bytes of a beat of each incoming channel.
    pub incoming: Vec<u8>,
    /// Bytes of a beat of each outgoing channel.
    pub outgoing: Vec<u8>,
    /// The design; its first bytes, if it is longer than that.
    pub design: String,
    /// [`contents`] of what was loaded since the core's reset; 0 if nothing was.
    pub contents: u32,
}

/// CRC-32 of the bytes that went into the channel [`CONTENTS_CHANNEL`](super::CONTENTS_CHANNEL), as
/// an identity tells it.
pub fn contents(loaded: &[u8]) -> u32 {
    crc32fast::hash(loaded)
}

/// CRC-32 of a specification, as an identity tells it.
pub fn spec_hash(json: &str) -> u32 {
    let value = serde_json::from_str::<serde_json::Value>(json);
    // spaces and the order of parameters say nothing
    let text = value.map_or_else(|_| json.to_owned(), |value| value.to_string());
    crc32fast::hash(text.as_bytes())
}

impl Identity {
    /// That of a design behind the link into which nothing was loaded.
    pub fn new(design: &str, spec_hash: u32, clock_hz: u32, channels: &Channels) -> Identity {
        let bytes = |channels: &[super::channel::Channel]| {
            channels.iter().map(|channel| channel.bytes() as u8).collect()
        };
        let design: String = design.chars().filter(char::is_ascii).take(NAME_BYTES).collect();
        Identity {
            version: VERSION,
            clock_hz,
            spec_hash,
            incoming: bytes(&channels.incoming),
            outgoing: bytes(&channels.outgoing),
            design,
            contents: 0,
        }
    }

    /// As it is sent.
    pub fn bytes(&self) -> [u8; IDENTITY_BYTES] {
        let mut bytes = [0; IDENTITY_BYTES];
        let (incoming, outgoing) = (self.incoming.len(), self.outgoing.len());
        bytes[..3].copy_from_slice(&[self.version, incoming as u8, outgoing as u8]);
        bytes[4..8].copy_from_slice(&self.clock_hz.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.spec_hash.to_le_bytes());
        bytes[12..12 + incoming].copy_from_slice(&self.incoming);
        bytes[12 + incoming..][..outgoing].copy_from_slice(&self.outgoing);
        bytes[28..28 + self.design.len()].copy_from_slice(self.design.as_bytes());
        bytes[CONTENTS_AT..].copy_from_slice(&self.contents.to_le_bytes());
        bytes
    }

    /// Reads what a board sent; nothing if it cannot be one: too many channels, beats that no packet holds.
    pub fn read(bytes: &[u8]) -> Option<Identity> {
        let bytes: &[u8; IDENTITY_BYTES] = bytes.try_into().ok()?;
        let number = |at: usize| Some(u32::from_le_bytes(bytes[at..at + 4].try_into().ok()?));
        let (incoming, outgoing) = (usize::from(bytes[1]), usize::from(bytes[2]));
        let beats = &bytes[12..12 + MOST_CHANNELS];
        let (first, rest) = beats.split_at_checked(incoming)?;
        let outgoing = rest.get(..outgoing)?;
        let fits = |bytes: &u8| (1..=MOST_DATA).contains(&usize::from(*bytes));
        if !first.iter().chain(outgoing).all(fits) {
            return None;
        }
        let name = bytes[28..CONTENTS_AT].split(|byte| *byte == 0).next()?;
        Some(Identity {
            version: bytes[0],
            clock_hz: number(4)?,
            spec_hash: number(8)?,
            incoming: first.to_vec(),
            outgoing: outgoing.to_vec(),
            // whatever it is, it is shown to people
            design: name.escape_ascii().to_string(),
            contents: number(CONTENTS_AT)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hwgen_designs::cnn::CnnSpec;
    use hwgen_designs::generate::Generate;

    #[test]
    fn an_identity_is_read_as_it_was_told() {
        let channels = Channels::of(&CnnSpec::default().build()).unwrap();
        let mut identity = Identity::new("cnn", 0x1234_5678, 12_000_000, &channels);
        identity.contents = contents(b"123456789");
        assert_eq!(identity.contents, 0xcbf4_3926);
        assert_eq!(Identity::read(&identity.bytes()).as_ref(), Some(&identity));
        assert_eq!(Identity::read(&[255; IDENTITY_BYTES]), None);
        assert_eq!(Identity::read(&[0; 3]), None);
        let mut no_beat = identity.bytes();
        for bytes in [0, 193] {
            no_beat[12] = bytes;
            assert_eq!(Identity::read(&no_beat), None, "beats of {bytes} bytes");
        }
        let mut hostile = [0; IDENTITY_BYTES];
        hostile[28..48].copy_from_slice(b"\x1b[2J\r\xff..............");
        let design = Identity::read(&hostile).map(|identity| identity.design);
        assert_eq!(design.as_deref(), Some(r"\x1b[2J\r\xff.............."));
        assert_eq!(spec_hash("{\"b\": 1,  \"a\":2}"), spec_hash("{\"a\":2,\"b\":1}"));
    }
}
