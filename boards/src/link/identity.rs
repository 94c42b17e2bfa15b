//! What a board says of itself.

use super::VERSION;
use super::channel::{Channels, MOST_CHANNELS};

/// Bytes of an identity.
pub const IDENTITY_BYTES: usize = 48;

/// Bytes of a design's name in it.
const NAME_BYTES: usize = 20;

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
}

/// CRC-32 of a specification, as an identity tells it.
pub fn spec_hash(json: &str) -> u32 {
    let value = serde_json::from_str::<serde_json::Value>(json);
    // spaces and the order of parameters say nothing
    let text = value.map_or_else(|_| json.to_owned(), |value| value.to_string());
    crc32fast::hash(text.as_bytes())
}

impl Identity {
    /// That of a design behind the link.
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
        bytes
    }

    /// Reads what a board sent; nothing if it cannot be one.
    pub fn read(bytes: &[u8]) -> Option<Identity> {
        let bytes: &[u8; IDENTITY_BYTES] = bytes.try_into().ok()?;
        let number = |at: usize| Some(u32::from_le_bytes(bytes[at..at + 4].try_into().ok()?));
        let (incoming, outgoing) = (usize::from(bytes[1]), usize::from(bytes[2]));
        let beats = &bytes[12..12 + MOST_CHANNELS];
        let (first, rest) = beats.split_at_checked(incoming)?;
        let name = bytes[28..].split(|byte| *byte == 0).next()?;
        Some(Identity {
            version: bytes[0],
            clock_hz: number(4)?,
            spec_hash: number(8)?,
            incoming: first.to_vec(),
            outgoing: rest.get(..outgoing)?.to_vec(),
            design: String::from_utf8_lossy(name).into_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hwgen_designs::cnn::CnnSpec;
    use hwgen_designs::registry::Generate;

    #[test]
    fn an_identity_is_read_as_it_was_told() {
        let channels = Channels::of(&CnnSpec::default().build()).unwrap();
        let identity = Identity::new("cnn", 0x1234_5678, 12_000_000, &channels);
        assert_eq!(Identity::read(&identity.bytes()), Some(identity));
        assert_eq!(Identity::read(&[255; IDENTITY_BYTES]), None);
        assert_eq!(Identity::read(&[0; 3]), None);
        assert_eq!(spec_hash("{\"b\": 1,  \"a\":2}"), spec_hash("{\"a\":2,\"b\":1}"));
    }
}
