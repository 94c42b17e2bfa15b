//! Bytes of the line over SPI, where both ways always carry one: what fills them, and what is left out.

use super::END;

/// The first byte of a selection: flash memories that share the wires take it for no command.
pub const LEAD: u8 = 0xff;

/// What goes where there is nothing to say. Frames end and begin with it, so between them it says nothing.
pub const FILLER: u8 = END;

/// The bytes of a selection that carries these.
pub fn selection(bytes: &[u8]) -> Vec<u8> {
    [&[LEAD], bytes].concat()
}

/// Leaves out fillers: of ENDs one behind the other only the first is passed on.
#[derive(Debug, Clone)]
pub struct Unfill {
    idle: bool,
}

impl Default for Unfill {
    /// As behind a filler.
    fn default() -> Unfill {
        Unfill { idle: true }
    }
}

impl Unfill {
    /// The byte, if it says something.
    pub fn pass(&mut self, byte: u8) -> Option<u8> {
        let idle = std::mem::replace(&mut self.idle, byte == FILLER);
        (!idle || byte != FILLER).then_some(byte)
    }

    /// What a selection brought, its first byte aside.
    pub fn selection(&mut self, came: &[u8]) -> Vec<u8> {
        came.iter().skip(1).filter_map(|&byte| self.pass(byte)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::slip::{Deframer, frame};
    use super::*;

    #[test]
    fn bodies_stay_whatever_is_filled_in_between() {
        let (one, two) = (frame(&[1, 2, END]), frame(&[3]));
        let mut unfill = Unfill::default();
        let mut came = vec![];
        for part in [&[FILLER; 9][..], &one, &two, &[FILLER], &one[..3], &one[3..], &[FILLER; 3]] {
            came.extend(unfill.selection(&selection(part)));
        }
        assert_eq!(came.iter().filter(|byte| **byte == FILLER).count(), 3);
        let mut deframer = Deframer::default();
        let bodies: Vec<_> = came.iter().filter_map(|&byte| deframer.push(byte)).collect();
        assert_eq!(bodies, [vec![1, 2, END], vec![3], vec![1, 2, END]]);
    }
}
