//! Energy of the memories that stay memories: our definition of a static RAM (`docs/power.md`).
//!
//! An array of six-transistor cells, nearly square, with a column multiplexer. Every capacitance
//! follows from the feature size; the supply is the library's.

use serde::Serialize;

/// What the model assumes of a technology.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SramTechnology {
    /// Feature size F in micrometres.
    pub feature_um: f64,
    /// Volts.
    pub volts: f64,
    /// Watts that a cell leaks: as two of the library's smallest inverters.
    pub cell_leakage_watts: f64,
}

/// Area of a cell in F² (CACTI 5.1, HPL-2008-20).
const CELL_AREA_F2: f64 = 146.0;
/// Its width over its height (same source).
const CELL_ASPECT: f64 = 1.46;
/// Width of an access transistor in F (same source).
const ACCESS_WIDTH_F: f64 = 1.31;
/// Gate capacitance in farads a micrometre of width: nearly the same in all technologies (Ho, Mai,
/// Horowitz, "The future of wires", Proc. IEEE 89(4), 2001).
const GATE_F_PER_UM: f64 = 1.5e-15;
/// Drain capacitance, of a contact that two cells share: our assumption, half of a gate's.
const DRAIN_F_PER_UM: f64 = 0.75e-15;
/// Wire capacitance in farads a micrometre (same source).
const WIRE_F_PER_UM: f64 = 0.2e-15;
/// Swing of a bit line in a read, as a part of the supply: our assumption.
const READ_SWING: f64 = 0.1;
/// Transistor width that a sense amplifier or a column's writer switches, in F: our assumption.
const SENSE_WIDTH_F: f64 = 40.0;
/// Transistor width that decoding switches for each address bit, in F: our assumption.
const DECODER_WIDTH_F: f64 = 200.0;
/// Part of the area that is cells: our assumption.
const ARRAY_EFFICIENCY: f64 = 0.6;

/// Energies of a memory.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sram {
    /// Rows of cells.
    pub rows: u32,
    /// Columns of cells.
    pub columns: u32,
    /// Joules of a read.
    pub read_joules: f64,
    /// Joules of a write, but for its bits.
    pub write_joules: f64,
    /// Joules of each bit written.
    pub written_bit_joules: f64,
    /// Watts.
    pub leakage_watts: f64,
    /// Square micrometres.
    pub area_um2: f64,
}

impl SramTechnology {
    /// A memory of `words` words of `bits` bits.
    pub fn memory(&self, words: usize, bits: usize) -> Sram {
        let (f, v) = (self.feature_um, self.volts);
        let height = (CELL_AREA_F2 / CELL_ASPECT).sqrt() * f;
        let width = height * CELL_ASPECT;
        let shape = |multiplexer: usize| (words.div_ceil(multiplexer), bits * multiplexer);
        let squareness = |multiplexer: &usize| {
            let (rows, columns) = shape(*multiplexer);
            (rows as f64 * height / (columns as f64 * width)).ln().abs()
        };
        let choices = [1, 2, 4, 8, 16, 32].into_iter().filter(|m| *m == 1 || m * 2 <= words);
        let best = choices.min_by(|a, b| squareness(a).total_cmp(&squareness(b)));
        let (rows, columns) = shape(best.unwrap_or(1));
        let (rows_f, columns_f) = (rows as f64, columns as f64);
        let (array_height, array_width) = (rows_f * height, columns_f * width);

        let access = ACCESS_WIDTH_F * f;
        let word_line = columns_f * (2.0 * access * GATE_F_PER_UM + width * WIRE_F_PER_UM);
        let bit_line = rows_f * (access * DRAIN_F_PER_UM + height * WIRE_F_PER_UM);
        let data_line = (array_width / 2.0) * WIRE_F_PER_UM;
        let sense = SENSE_WIDTH_F * f * GATE_F_PER_UM;
        let decoder = (words.max(2) as f64).log2()
            * (DECODER_WIDTH_F * f * GATE_F_PER_UM + array_height * WIRE_F_PER_UM);

        // one word line up and down, every address line with probability one half
        let select = word_line * v * v + decoder * v * v / 2.0;
        // a charge C·swing·V drawn from V restores a bit line
        let swing = bit_line * v * v * READ_SWING;
        // half the data lines change
        let out = (sense + data_line / 2.0) * v * v;
        Sram {
            rows: rows as u32,
            columns: columns as u32,
            read_joules: select + columns_f * swing + bits as f64 * out,
            // columns that are not written are read, and the result is lost
            write_joules: select + columns_f * swing,
            written_bit_joules: bit_line * v * v - swing + out,
            leakage_watts: (words * bits) as f64 * self.cell_leakage_watts,
            area_um2: (words * bits) as f64 * height * width / ARRAY_EFFICIENCY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: SramTechnology =
        SramTechnology { feature_um: 0.13, volts: 1.8, cell_leakage_watts: 4e-12 };

    #[test]
    fn a_kilobyte_by_hand() {
        // 256 x 32: 100 rows^2 = 146/1.46 F², so a cell is 1.3 um high and 1.898 um wide;
        // 128 rows of 64 (166 x 121 um) are squarer than 64 rows of 128 (83 x 243 um)
        let sram = T.memory(256, 32);
        assert_eq!((sram.rows, sram.columns), (128, 64));
        let word_line = 64.0 * (2.0 * 0.1703 * 1.5 + 1.898 * 0.2); // 57.0 fF
        let bit_line = 128.0 * (0.1703 * 0.75 + 1.3 * 0.2); // 49.6 fF
        let decoder = 8.0 * (26.0 * 1.5 + 166.4 * 0.2); // 578.2 fF
        let out = 5.2 * 1.5 + 60.736 * 0.2 / 2.0; // 13.9 fF
        let read = (word_line + decoder / 2.0 + 64.0 * bit_line * 0.1 + 32.0 * out) * 3.24;
        assert!((sram.read_joules * 1e15 / read - 1.0).abs() < 1e-9, "{}", sram.read_joules);
        let bit = (0.9 * bit_line + out) * 3.24;
        assert!((sram.written_bit_joules * 1e15 / bit - 1.0).abs() < 1e-9);
        assert!((sram.leakage_watts - 8192.0 * 4e-12).abs() < 1e-15);
    }

    #[test]
    fn larger_costs_more() {
        let mut last = T.memory(1, 1);
        for (words, bits) in [(2, 1), (16, 8), (256, 8), (256, 64), (4096, 64), (4096, 512)] {
            let next = T.memory(words, bits);
            assert!(next.read_joules > last.read_joules, "{words} x {bits}");
            assert!(next.area_um2 > last.area_um2);
            last = next;
        }
    }
}
