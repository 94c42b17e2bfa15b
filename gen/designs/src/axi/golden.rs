//! Registers, byte layouts and row sequencer of designs behind AXI, from `docs/axi.md`.

use hwgen_hdl::Int;
use std::collections::BTreeMap;

/// The response to an access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// It was done.
    Okay = 0,
    /// There is no such register, or it can only be read.
    SlaveError = 2,
}

/// What is known of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// Written and read: this value, in these bits.
    ReadWrite {
        /// What it holds.
        value: u32,
        /// The bits it has.
        mask: u32,
    },
    /// Read only, always this value.
    Constant(u32),
    /// Read only, of a value that only the circuit knows.
    Live,
}

/// A register file as a host sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registers(BTreeMap<u32, Cell>);

impl Registers {
    /// Registers after reset, each with its offset, a multiple of 4.
    pub fn new(cells: impl IntoIterator<Item = (u32, Cell)>) -> Registers {
        Registers(cells.into_iter().collect())
    }

    fn at(address: u32) -> u32 {
        address & 0xffc
    }

    /// A write; a bit of `strobe` for each byte.
    pub fn write(&mut self, address: u32, data: u32, strobe: u8) -> Response {
        let Some(Cell::ReadWrite { value, mask }) = self.0.get_mut(&Registers::at(address)) else {
            return Response::SlaveError;
        };
        for byte in 0..4 {
            if strobe >> byte & 1 == 1 {
                let lane = 0xff << (8 * byte);
                *value = *value & !lane | data & *mask & lane;
            }
        }
        Response::Okay
    }

    /// A read; no data where only the circuit knows them.
    pub fn read(&self, address: u32) -> (Response, Option<u32>) {
        match self.0.get(&Registers::at(address)) {
            None => (Response::SlaveError, Some(0)),
            Some(Cell::ReadWrite { value, .. } | Cell::Constant(value)) => {
                (Response::Okay, Some(*value))
            }
            Some(Cell::Live) => (Response::Okay, None),
        }
    }
}

/// The transfers of a payload of `payload_bits` bits on a bus of `bus_bits`.
pub fn transfers(payload: &Int, payload_bits: u32, bus_bits: u32) -> Vec<Int> {
    let word = (Int::from(1) << bus_bits) - 1;
    let count = payload_bits.div_ceil(bus_bits);
    (0..count).map(|i| (payload >> (i * bus_bits)) & &word).collect()
}

/// The inverse of [`transfers`]; none if what lies above the payload is not 0.
pub fn payload(transfers: &[Int], payload_bits: u32, bus_bits: u32) -> Option<Int> {
    let joined = transfers.iter().rev().fold(Int::ZERO, |joined, word| (joined << bus_bits) | word);
    (&joined >> payload_bits == Int::ZERO).then_some(joined)
}

/// The sequencer's registers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rows {
    /// Row i sees keys 0 .. i.
    pub causal: bool,
    /// Rows of a query head; 0: it ends with `tlast`.
    pub rows_per_head: u32,
    /// Query heads of a group; 0 is 1.
    pub queries_per_key: u32,
}

/// What the sequencer tells the engine of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Keys it sees, of a load of `keys`.
    pub visible: usize,
    /// It ends the group.
    pub last: bool,
    /// Its `tlast` ends no head.
    pub misframed: bool,
}

impl Rows {
    /// The marks of a group's rows, up to the group's end or that of `tlast`, a flag a row.
    pub fn group(&self, keys: usize, tlast: impl IntoIterator<Item = bool>) -> Vec<Mark> {
        let (mut row, mut head, mut marks) = (0, 0, vec![]);
        for tlast in tlast {
            let counted = self.rows_per_head > 0;
            let ends = if counted { row + 1 == self.rows_per_head } else { tlast };
            let visible = if self.causal { keys.min(row as usize + 1) } else { keys };
            let last = ends && head + 1 >= self.queries_per_key;
            marks.push(Mark { visible, last, misframed: counted && tlast && !ends });
            (row, head) = if ends { (0, head + 1) } else { (row + 1, head) };
            if last {
                break;
            }
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_where_the_strobe_says() {
        let cell = Cell::ReadWrite { value: 0, mask: 0x00ff_ffff };
        let mut file = Registers::new([(0x100, cell), (0, Cell::Constant(7)), (0x10, Cell::Live)]);
        assert_eq!(file.write(0x102, 0x1234_5678, 0b1010), Response::Okay);
        assert_eq!(file.read(0x101), (Response::Okay, Some(0x5600)));
        assert_eq!(file.write(0, 1, 15), Response::SlaveError);
        assert_eq!(file.read(0), (Response::Okay, Some(7)));
        assert_eq!(file.read(0x10), (Response::Okay, None));
        assert_eq!(file.read(0x104), (Response::SlaveError, Some(0)));
    }

    #[test]
    fn payloads_are_cut_low_bits_first() {
        let words = transfers(&0x1_2345i64.into(), 17, 8);
        assert_eq!(words, [0x45.into(), 0x23.into(), Int::from(1)]);
        assert_eq!(payload(&words, 17, 8), Some(0x1_2345.into()));
        assert_eq!(payload(&[0.into(), 0.into(), Int::from(2)], 17, 8), None);
    }

    #[test]
    fn a_group_of_causal_heads() {
        let rows = Rows { causal: true, rows_per_head: 3, queries_per_key: 2 };
        let marks = rows.group(2, [false, true, false, false, false, true]);
        let seen: Vec<_> = marks.iter().map(|mark| mark.visible).collect();
        assert_eq!(seen, [1, 2, 2, 1, 2, 2]);
        let ends: Vec<_> = marks.iter().map(|mark| (mark.last, mark.misframed)).collect();
        let (no, bad, end) = ((false, false), (false, true), (true, false));
        assert_eq!(ends, [no, bad, no, no, no, end]);
        let framed = Rows::default().group(5, [false, true]);
        let mark = |last| Mark { visible: 5, last, misframed: false };
        assert_eq!(framed, [mark(false), mark(true)]);
    }
}
