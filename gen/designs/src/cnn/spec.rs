//! The parameters of a CNN core.

use super::job::{JOB_WORDS, scale_fields};
use crate::spec::{Parameter, Range, Spec, SpecError};
use hwgen_hdl::{bits_for, index_bits};
use serde::{Deserialize, Serialize};

/// A CNN core, sized. `docs/cnn.md` has the definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CnnSpec {
    /// Weights that work at once: W, also the bytes of a word of activations.
    pub lanes: u32,
    /// Positions that share a weight, each with an accumulator in every lane: P.
    pub pixels: u32,
    /// Both positions of a lane in one multiplier of 8 x 25 bits.
    pub packed: bool,
    /// Results requantized at once, and the most inputs of a result that lanes share: R.
    pub results: u32,
    /// Bits of a sum.
    pub accumulator_bits: u32,
    /// Weights of less than 8 bits take less memory.
    pub narrow_weights: bool,
    /// Words of activations, `lanes` bytes each.
    pub activation_words: u32,
    /// Rows of weights, `lanes` bytes each.
    pub weight_rows: u32,
    /// Rows of scales, `results` each.
    pub scale_rows: u32,
    /// Jobs of a program.
    pub jobs: u32,
    /// The program may add tensors.
    pub additions: bool,
    /// The program may take the largest of a window.
    pub maxima: bool,
    /// Tables of softmaxes and functions; 0: the program has none.
    pub softmax_tables: u32,
    /// The program may multiply tensors with each other.
    pub matrices: bool,
    /// Memories of one port: two banks of activations, of which a job reads one and writes the other.
    pub single_port: bool,
}

impl Default for CnnSpec {
    fn default() -> Self {
        CnnSpec {
            lanes: 16,
            pixels: 2,
            packed: true,
            results: 2,
            accumulator_bits: 32,
            narrow_weights: true,
            activation_words: 512,
            weight_rows: 1024,
            scale_rows: 128,
            jobs: 32,
            additions: true,
            maxima: true,
            softmax_tables: 1,
            matrices: true,
            single_port: false,
        }
    }
}

const fn integer(name: &'static str, min: i64, max: i64, meaning: &'static str) -> Parameter {
    Parameter { name, range: Range::Integer(min, max), meaning }
}

const fn power(name: &'static str, min: i64, max: i64, meaning: &'static str) -> Parameter {
    Parameter { name, range: Range::PowerOfTwo(min, max), meaning }
}

const fn flag(name: &'static str, meaning: &'static str) -> Parameter {
    Parameter { name, range: Range::Flag, meaning }
}

const LANES: Parameter = power("lanes", 2, 256, "weights that work at once; bytes of a word");
const PIXELS: Parameter = integer("pixels", 1, 2, "positions that share a weight");
const PACKED: Parameter =
    flag("packed", "both positions of a lane in one multiplier of 8 x 25 bits");
const RESULTS: Parameter = power("results", 1, 16, "results requantized at once; at most `lanes`");
const ACCUMULATOR_BITS: Parameter = integer("accumulator_bits", 18, 32, "bits of a sum");
const NARROW_WEIGHTS: Parameter =
    flag("narrow_weights", "weights of less than 8 bits take less memory");
const ACTIVATION_WORDS: Parameter =
    integer("activation_words", 4, 1 << 16, "words of activations, `lanes` bytes each");
const WEIGHT_ROWS: Parameter =
    integer("weight_rows", 2, 1 << 16, "rows of weights, `lanes` bytes each");
const SCALE_ROWS: Parameter = integer("scale_rows", 2, 1 << 14, "rows of scales, `results` each");
/// Something comes in and something goes out: with fewer jobs a program does nothing that could be seen.
const JOBS: Parameter = integer("jobs", 2, 1024, "jobs of a program");
const ADDITIONS: Parameter = flag("additions", "the program may add tensors");

const MAXIMA: Parameter = flag("maxima", "the program may take the largest of a window");

const SOFTMAX_TABLES: Parameter =
    integer("softmax_tables", 0, 16, "tables of softmaxes and functions; 0: the program has none");

const MATRICES: Parameter = flag("matrices", "the program may multiply tensors with each other");

const SINGLE_PORT: Parameter = flag(
    "single_port",
    "memories of one port; a job reads one bank of activations, writes the other",
);

/// The narrowest accumulator in which tensors can be added: terms have 29 bits, their sum 30.
pub const ADDITION_BITS: u32 = 30;

/// Bits of an address of a byte, and of a plane of weights, in a job.
pub const ADDRESS_BITS: u32 = 24;

impl Spec for CnnSpec {
    const PARAMETERS: &'static [Parameter] = &[
        LANES,
        PIXELS,
        PACKED,
        RESULTS,
        ACCUMULATOR_BITS,
        NARROW_WEIGHTS,
        ACTIVATION_WORDS,
        WEIGHT_ROWS,
        SCALE_ROWS,
        JOBS,
        ADDITIONS,
        MAXIMA,
        SOFTMAX_TABLES,
        MATRICES,
        SINGLE_PORT,
    ];

    fn validate(&self) -> Result<(), SpecError> {
        LANES.check(self.lanes)?;
        PIXELS.check(self.pixels)?;
        RESULTS.check(self.results)?;
        ACCUMULATOR_BITS.check(self.accumulator_bits)?;
        ACTIVATION_WORDS.check(self.activation_words)?;
        WEIGHT_ROWS.check(self.weight_rows)?;
        SCALE_ROWS.check(self.scale_rows)?;
        JOBS.check(self.jobs)?;
        SOFTMAX_TABLES.check(self.softmax_tables)?;
        let refuse = |field: &str, value: String, range: &str| {
            Err(SpecError::OutOfRange { field: field.to_owned(), value, range: range.to_owned() })
        };
        if self.results > self.lanes {
            return refuse(RESULTS.name, self.results.to_string(), "at most `lanes`");
        }
        if self.packed && self.pixels != 2 {
            return refuse(PACKED.name, "true".into(), "false, unless `pixels` is 2");
        }
        if self.additions && self.accumulator_bits < ADDITION_BITS {
            let range = "at least 30, or `additions` false: an addition's terms have 29 bits";
            return refuse(ACCUMULATOR_BITS.name, self.accumulator_bits.to_string(), range);
        }
        if self.single_port && !self.activation_words.is_power_of_two() {
            let range = "a power of two, or `single_port` false: half are in each bank";
            return refuse(ACTIVATION_WORDS.name, self.activation_words.to_string(), range);
        }
        let bytes = u64::from(self.activation_words) * u64::from(self.lanes);
        if bytes > 1 << ADDRESS_BITS {
            let range = "few enough for 2^24 bytes";
            return refuse(ACTIVATION_WORDS.name, self.activation_words.to_string(), range);
        }
        Ok(())
    }
}

impl CnnSpec {
    /// Bits of an address of a byte of activations.
    pub fn byte_bits(&self) -> u32 {
        index_bits(self.activation_words as usize) + self.lane_bits()
    }

    /// Bytes of a bank of activations; all of them if there is but one.
    pub fn bank_bytes(&self) -> u32 {
        let bytes = self.activation_words * self.lanes;
        if self.single_port { bytes / 2 } else { bytes }
    }

    /// log2 of the lanes.
    pub fn lane_bits(&self) -> u32 {
        self.lanes.ilog2()
    }

    /// log2 of the results: the most that a job's `group` can be.
    pub fn group_most(&self) -> u32 {
        self.results.ilog2()
    }

    /// Multipliers of the array.
    pub fn multipliers(&self) -> u32 {
        if self.packed { self.lanes } else { self.lanes * self.pixels }
    }

    /// Multipliers of 25 x 18 bits that a requantizer's one of `accumulator_bits` x 31 is made of.
    pub fn requantizer_multipliers(&self) -> u32 {
        2 * self.accumulator_bits.div_ceil(25)
    }

    /// All multipliers.
    pub fn all_multipliers(&self) -> u32 {
        // softmax: 17 x 24
        let softmax = u32::from(self.softmax_tables > 0);
        self.multipliers() + self.results * self.requantizer_multipliers() + softmax
    }

    /// Products a cycle.
    pub fn products(&self) -> u32 {
        self.lanes * self.pixels
    }

    /// Bits of a row of weights.
    pub(super) fn weight_row_bits(&self) -> u32 {
        8 * self.lanes
    }

    /// Bits of a row of scales.
    pub(super) fn scale_row_bits(&self) -> u32 {
        let bits: u32 = scale_fields().iter().map(|(_, ty)| ty.width).sum();
        bits * self.results
    }

    /// Words of the program's memory.
    pub(super) fn program_words(&self) -> usize {
        (self.jobs * JOB_WORDS) as usize
    }

    /// Bits of a place in the planes of weights.
    pub(super) fn plane_bits(&self) -> u32 {
        bits_for(u64::from(self.weight_rows - 1)) + 3
    }
}
