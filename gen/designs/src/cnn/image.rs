//! A program with its weights and scales, and how they are loaded.

use super::CnnSpec;
use super::job::{Bits, Job, Scale};
use hwgen_hdl::Int;

/// What a core's memories hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// The program.
    pub jobs: Vec<Job>,
    /// Planes of weights; a weight's highest bit lies in the first of its planes.
    pub planes: Vec<Plane>,
    /// Rows of scales, `results` each.
    pub scales: Vec<Vec<Scale>>,
    /// Tables of softmaxes and functions, 256 entries of 24 bits each.
    pub tables: Vec<Vec<u32>>,
}

/// A bit of each lane's weight; there are 256 lanes at the most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Plane([u8; 32]);

impl Plane {
    /// A lane's bit.
    pub fn bit(&self, lane: usize) -> bool {
        self.0[lane / 8] >> (lane % 8) & 1 == 1
    }

    /// Sets a lane's bit.
    pub fn set(&mut self, lane: usize, bit: bool) {
        let place = 1 << (lane % 8);
        match bit {
            true => self.0[lane / 8] |= place,
            false => self.0[lane / 8] &= !place,
        }
    }
}

/// What layers are written into: an [`Image`], or the [`Outline`] of one.
pub trait Program {
    /// The jobs so far.
    fn jobs(&mut self) -> &mut Vec<Job>;
    /// Planes of weights so far.
    fn planes(&self) -> usize;
    /// Rows of scales so far.
    fn scale_rows(&self) -> usize;
    /// Notes a multiplier of a row of scales that is added.
    fn scales_by(&mut self, multiplier: u32);
    /// Bits of multipliers, the highest first, that are not 0 in all of the program's.
    fn multiplier_bits(&mut self) -> u32;
    /// Adds so many planes and rows of scales, which `fill` would add to an image.
    fn add(&mut self, planes: usize, scale_rows: usize, fill: &dyn Fn(&mut Image));
    /// Tables so far.
    fn tables(&self) -> usize;
    /// Which of the tables it is, added if it is new.
    fn table(&mut self, entries: Vec<u32>) -> u32;
}

impl Program for Image {
    fn jobs(&mut self) -> &mut Vec<Job> {
        &mut self.jobs
    }

    fn planes(&self) -> usize {
        self.planes.len()
    }

    fn scale_rows(&self) -> usize {
        self.scales.len()
    }

    fn scales_by(&mut self, _: u32) {}

    fn multiplier_bits(&mut self) -> u32 {
        let multipliers = self.scales.iter().flatten().map(|scale| scale.multiplier);
        multiplier_bits(&self.jobs, multipliers)
    }

    fn add(&mut self, planes: usize, scale_rows: usize, fill: &dyn Fn(&mut Image)) {
        self.planes.reserve(planes);
        let (planes, rows) = (self.planes.len() + planes, self.scales.len() + scale_rows);
        fill(self);
        assert_eq!((self.planes.len(), self.scales.len()), (planes, rows), "as was announced");
    }

    fn tables(&self) -> usize {
        self.tables.len()
    }

    fn table(&mut self, entries: Vec<u32>) -> u32 {
        known(&mut self.tables, entries)
    }
}

/// An image without its weights and scales: what costs need to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// The program.
    pub jobs: Vec<Job>,
    /// Planes of weights.
    pub planes: usize,
    /// Rows of scales.
    pub scale_rows: usize,
    /// The bits that any multiplier of the scales has.
    pub multipliers: u32,
    /// Tables of softmaxes and functions.
    pub tables: Vec<Vec<u32>>,
}

impl Program for Outline {
    fn jobs(&mut self) -> &mut Vec<Job> {
        &mut self.jobs
    }

    fn planes(&self) -> usize {
        self.planes
    }

    fn scale_rows(&self) -> usize {
        self.scale_rows
    }

    fn scales_by(&mut self, multiplier: u32) {
        self.multipliers |= multiplier;
    }

    fn multiplier_bits(&mut self) -> u32 {
        multiplier_bits(&self.jobs, [self.multipliers])
    }

    fn add(&mut self, planes: usize, scale_rows: usize, _: &dyn Fn(&mut Image)) {
        self.planes += planes;
        self.scale_rows += scale_rows;
    }

    fn tables(&self) -> usize {
        self.tables.len()
    }

    fn table(&mut self, entries: Vec<u32>) -> u32 {
        known(&mut self.tables, entries)
    }
}

/// Bits that multipliers of 31 bits take, those of additions among them.
fn multiplier_bits(jobs: &[Job], multipliers: impl IntoIterator<Item = u32>) -> u32 {
    let added = jobs.iter().flat_map(|job| match job {
        Job::Add(add) => add.scales.map(|scale| scale.multiplier),
        _ => [0; 3],
    });
    let all = multipliers.into_iter().chain(added).fold(0, |all, multiplier| all | multiplier);
    31 - all.trailing_zeros().min(31)
}

/// Where a table stands, added if it is new.
fn known(tables: &mut Vec<Vec<u32>>, entries: Vec<u32>) -> u32 {
    let known = tables.iter().position(|table| *table == entries);
    let table = known.unwrap_or(tables.len());
    if known.is_none() {
        tables.push(entries);
    }
    table as u32
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
        let first = self.planes.len();
        self.planes.resize(first + usize::from(bits), Plane::default());
        for (at, weights) in weights.chunks(8).enumerate() {
            let mut bytes = [0; 8];
            bytes.iter_mut().zip(weights).for_each(|(byte, &weight)| *byte = weight as u8);
            let turned = turned(u64::from_le_bytes(bytes)).to_le_bytes();
            let highest_first = turned[..usize::from(bits)].iter().rev();
            for (plane, &lanes) in self.planes[first..].iter_mut().zip(highest_first) {
                plane.0[at] = lanes;
            }
        }
    }

    /// The program's words.
    pub(super) fn program(&self) -> Vec<u32> {
        let last = self.jobs.len().wrapping_sub(1);
        self.jobs.iter().enumerate().flat_map(|(at, job)| job.words(at == last)).collect()
    }

    /// Rows of weights as 32-bit words: plane 0 lowest, lane 0 lowest in it.
    pub(super) fn weight_rows(&self, spec: &CnnSpec) -> Vec<Vec<u32>> {
        let row = |planes: &[Plane]| {
            let mut bits = Bits::default();
            for plane in planes {
                for lane in 0..spec.lanes as usize {
                    bits.push(plane.bit(lane).into(), 1);
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
            scales.iter().for_each(|scale| scale.push(spec, &mut bits));
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

/// Eight bytes whose bits change places with their bytes: bit i of byte j becomes bit j of byte i.
fn turned(mut bytes: u64) -> u64 {
    // blocks of 1, 2 and 4 bits off the diagonal change places
    for (shift, mask) in
        [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)]
    {
        let change = (bytes ^ bytes >> shift) & mask;
        bytes ^= change ^ change << shift;
    }
    bytes
}

/// A row of scales as a word of memory.
pub(super) fn scale_row(spec: &CnnSpec, scales: &[Scale]) -> Int {
    let mut bits = Bits::default();
    scales.iter().for_each(|scale| scale.push(spec, &mut bits));
    bits.int()
}

/// Planes side by side as a word of memory, the first lowest.
pub(super) fn word(planes: &[Plane], lanes: u32) -> Int {
    let mut bits = Bits::default();
    for plane in planes {
        (0..lanes as usize).for_each(|lane| bits.push(plane.bit(lane).into(), 1));
    }
    bits.int()
}

/// An entry of a table as a word of memory.
pub(super) fn table_word(entry: u32) -> Int {
    Int::from(entry)
}
