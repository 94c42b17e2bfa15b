//! Frames on the line (RFC 1055).

use super::{CRC_BYTES, END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE, HEADER_BYTES, MOST_DATA};

/// The longest body.
const MOST_BODY: usize = HEADER_BYTES + MOST_DATA + CRC_BYTES;

/// A body as it goes over the line, an END before and behind.
pub fn frame(body: &[u8]) -> Vec<u8> {
    let escaped = body.iter().flat_map(|&byte| match byte {
        END => vec![ESCAPE, ESCAPED_END],
        ESCAPE => vec![ESCAPE, ESCAPED_ESCAPE],
        _ => vec![byte],
    });
    [END].into_iter().chain(escaped).chain([END]).collect()
}

/// Finds bodies in the bytes of a line, whatever comes.
#[derive(Debug, Clone, Default)]
pub struct Deframer {
    body: Vec<u8>,
    escaped: bool,
    bad: bool,
}

impl Deframer {
    /// Takes the next byte; at an END gives the body that came before it: none if it was empty, not
    /// escaped as it must be or longer than any.
    pub fn push(&mut self, byte: u8) -> Option<Vec<u8>> {
        if byte == END {
            let Deframer { body, escaped, bad } = std::mem::take(self);
            return (!body.is_empty() && !escaped && !bad).then_some(body);
        }
        let escaped = std::mem::take(&mut self.escaped);
        match byte {
            _ if self.body.len() == MOST_BODY => self.bad = true,
            ESCAPED_END if escaped => self.body.push(END),
            ESCAPED_ESCAPE if escaped => self.body.push(ESCAPE),
            _ if escaped => self.bad = true,
            ESCAPE => self.escaped = true,
            _ => self.body.push(byte),
        }
        None
    }

    /// A byte came whose stop bit was wrong: what it was nobody knows.
    pub fn push_bad(&mut self) {
        self.escaped = false;
        self.bad = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut deframer = Deframer::default();
        bytes.iter().filter_map(|&byte| deframer.push(byte)).collect()
    }

    #[test]
    fn every_byte_comes_back() {
        let body: Vec<u8> = (0..=255).filter(|byte| byte % 2 == 0 || *byte > 0xb0).collect();
        let wire = frame(&body[..150]);
        assert_eq!(bodies(&wire), [body[..150].to_vec()]);
        assert_eq!(wire.iter().filter(|byte| **byte == END).count(), 2);
        assert_eq!(frame(&[0xc0, 0xdb, 1]), [0xc0, 0xdb, 0xdc, 0xdb, 0xdd, 1, 0xc0]);
    }

    #[test]
    fn the_next_end_brings_both_sides_together() {
        let good = frame(&[1, 2, 3]);
        let damages: [&[u8]; 4] = [&[ESCAPE], &[ESCAPE, 7], &[9; 500], &[1, 2, 3, ESCAPE, END]];
        for damage in damages {
            let wire = [damage, &good, &good].concat();
            assert_eq!(bodies(&wire), [[1, 2, 3], [1, 2, 3]], "{damage:?}");
        }
        let mut deframer = Deframer::default();
        deframer.push(1);
        deframer.push_bad();
        assert_eq!(deframer.push(END), None);
    }
}
