//! A program with its weights and scales, and how they are loaded.

use super::CnnSpec;
use super::job::{Bits, Job, Scale};
use hwgen_hdl::Int;
use serde::{Deserialize, Serialize};

/// What a core's memories hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The program.
    pub jobs: Vec<Job>,
    /// Planes of weights: a bit a lane; a weight's highest bit lies in the first of its planes.
    pub planes: Vec<Vec<bool>>,
    /// Rows of scales, `results` each.
    pub scales: Vec<Vec<Scale>>,
    /// Tables of softmaxes and functions, 256 entries of 24 bits each.
    #[serde(default)]
    pub tables: Vec<Vec<u32>>,
}

/// Targets of a load.
pub(super) const PROGRAM: u32 = 0;
pub(super) const WEIGHTS: u32 = 1;
pub(super) const SCALES: u32 = 2;
pub(super) const TABLES: u32 = 3;
pub(super) const START: u32 = 4;

/// Planes of a row of weights.
pub(super) const ROW_PLANES: usize = 8;

impl Image {
    /// Adds a step's weights, a lane each, of so many bits.
    pub fn push_step(&mut self, weights: &[i8], bits: u8) {
        for bit in (0..bits).rev() {
            self.planes.push(weights.iter().map(|weight| weight >> bit & 1 == 1).collect());
        }
    }

    /// The program's words.
    pub(super) fn program(&self) -> Vec<u32> {
        let last = self.jobs.len().wrapping_sub(1);
        self.jobs.iter().enumerate().flat_map(|(at, job)| job.words(at == last)).collect()
    }

    /// Rows of weights as 32-bit words: plane 0 lowest, lane 0 lowest in it.
    pub(super) fn weight_rows(&self, spec: &CnnSpec) -> Vec<Vec<u32>> {
        let row = |planes: &[Vec<bool>]| {
            let mut bits = Bits::default();
            for plane in planes {
                for lane in 0..spec.lanes as usize {
                    bits.push(plane.get(lane).copied().unwrap_or(false).into(), 1);
                }
            }
            bits.words(spec.weight_row_bits().div_ceil(32))
        };
        self.planes.chunks(ROW_PLANES).map(row).collect()
    }

    /// Rows of scales as 32-bit words.
    pub(super) fn scale_rows(&self, spec: &CnnSpec) -> Vec<Vec<u32>> {
        let row = |scales: &Vec<Scale>| {
            let mut bits = Bits::default();
            scales.iter().for_each(|scale| scale.push(&mut bits));
            bits.words(spec.scale_row_bits().div_ceil(32))
        };
        self.scales.iter().map(row).collect()
    }

    /// What stream `load` takes to fill the memories and start the program: packets, each word
    /// with `last`.
    pub fn load(&self, spec: &CnnSpec) -> Vec<(u32, bool)> {
        let program = self.program().chunks(1).map(<[u32]>::to_vec).collect();
        let packets = [
            (PROGRAM, program),
            (WEIGHTS, self.weight_rows(spec)),
            (SCALES, self.scale_rows(spec)),
            (TABLES, self.tables.concat().chunks(1).map(<[u32]>::to_vec).collect()),
            (START, vec![]),
        ];
        let mut words = vec![];
        for (target, rows) in packets {
            if target != START && rows.is_empty() {
                continue;
            }
            words.push((target << 29, rows.is_empty()));
            words.extend(rows.concat().into_iter().map(|word| (word, false)));
            if let Some((_, last)) = words.last_mut() {
                *last = true;
            }
        }
        words
    }
}

/// A row of scales as a word of memory.
pub(super) fn scale_row(scales: &[Scale]) -> Int {
    let mut bits = Bits::default();
    scales.iter().for_each(|scale| scale.push(&mut bits));
    bits.int()
}

/// Planes side by side as a word of memory, the first lowest.
pub(super) fn word(planes: &[Vec<bool>]) -> Int {
    let mut bits = Bits::default();
    planes.iter().flatten().for_each(|&bit| bits.push(bit.into(), 1));
    bits.int()
}

/// An entry of a table as a word of memory.
pub(super) fn table_word(entry: u32) -> Int {
    Int::from(entry)
}
