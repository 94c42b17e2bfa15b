//! The parameters of a CNN core.

use super::fields::JOB_WORDS;
use super::job::scale_fields;
use crate::spec::{Parameters, Spec, SpecError};
use hwgen_hdl::{bits_for, index_bits};

/// A CNN core, sized. `docs/cnn.md` has the definition.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct CnnSpec {
    /// Weights that work at once: W; also bytes of a word of activations.
    #[parameter(default = 16, range = 2..=256, power_of_two)]
    pub lanes: u32,
    /// Positions that share a weight, each with an accumulator in every lane: P.
    #[parameter(default = 2, range = 1..=2)]
    pub pixels: u32,
    /// Both positions of a lane in one multiplier of 8 x 25 bits.
    #[parameter(default = true)]
    pub packed: bool,
    /// A lane may have two weights of at most 4 bits, for two results: twice the products.
    #[parameter(default = false)]
    pub dual: bool,
    /// Lanes of two weights have a multiplier for each half of a byte: for cells of gates, not for blocks.
    #[parameter(default = false)]
    pub split: bool,
    /// Results requantized at once, and the most inputs of a result that lanes share: R; at most `lanes`.
    #[parameter(default = 2, range = 1..=16, power_of_two)]
    pub results: u32,
    /// Bits of a sum.
    #[parameter(default = 32, range = 18..=32)]
    pub accumulator_bits: u32,
    /// Bits of a scale's multiplier, the highest first; 17 and less take fewer multipliers.
    #[parameter(default = 31, range = 15..=31)]
    pub multiplier_bits: u32,
    /// Activations of at most 4 bits may lie two in a byte.
    #[parameter(default = false)]
    pub nibbles: bool,
    /// Weights of less than 8 bits take less memory.
    #[parameter(default = true)]
    pub narrow_weights: bool,
    /// Words of activations, `lanes` bytes each.
    #[parameter(default = 512, range = 4..=1 << 16)]
    pub activation_words: u32,
    /// Rows of weights, `lanes` bytes each.
    #[parameter(default = 1024, range = 2..=1 << 18)]
    pub weight_rows: u32,
    /// Rows of scales, `results` each.
    #[parameter(default = 128, range = 2..=1 << 14)]
    pub scale_rows: u32,
    /// Jobs of a program.
    #[parameter(default = 32, range = 2..=1024)]
    pub jobs: u32,
    /// The program may add tensors.
    #[parameter(default = true)]
    pub additions: bool,
    /// Places to the left that an addition's terms are shifted before they are scaled; TFLite has 20.
    #[parameter(default = 20, range = 4..=20)]
    pub addition_shift: u32,
    /// The program may take the largest of a window.
    #[parameter(default = true)]
    pub maxima: bool,
    /// The program may take bytes of sums: results that wrap.
    #[parameter(default = false)]
    pub sums: bool,
    /// Tables of softmaxes and functions; 0: the program has none.
    #[parameter(default = 1, range = 0..=16)]
    pub softmax_tables: u32,
    /// The program may multiply tensors with each other.
    #[parameter(default = true)]
    pub matrices: bool,
    /// The array's steps are counted, for what a host reads of its use.
    #[parameter(default = false)]
    pub counters: bool,
    /// Memories of one port; a job reads one bank of activations, writes the other.
    #[parameter(default = false)]
    pub single_port: bool,
}

/// Multipliers that families of parts have, signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Multiplier {
    /// As the DSP48 of Xilinx' parts.
    #[default]
    Bits25x18,
    /// As the MULT18X18 of ECP5 and Gowin's parts.
    Bits18x18,
    /// As the SB_MAC16 of iCE40 UltraPlus.
    Bits16x16,
}

/// Of how many multipliers a core's are made, each.
struct Parts {
    lane: u32,
    requantizer: u32,
    softmax: u32,
}

impl Multiplier {
    /// All of them.
    pub const ALL: [Multiplier; 3] =
        [Multiplier::Bits25x18, Multiplier::Bits18x18, Multiplier::Bits16x16];

    /// Its bits in words.
    pub fn bits(self) -> &'static str {
        match self {
            Multiplier::Bits25x18 => "25x18",
            Multiplier::Bits18x18 => "18x18",
            Multiplier::Bits16x16 => "16x16",
        }
    }

    /// As Yosys splits a lane's product, a sum of `accumulator_bits` by 31, and 17 x 24 bits.
    fn parts(self, spec: &CnnSpec) -> Parts {
        // sums by halves of a multiplier, or by one of so many bits
        let sums = |bits: u32| if spec.accumulator_bits <= bits { 1 } else { 2 };
        let halves = |bits: u32| if spec.multiplier_bits < bits { 1 } else { 2 };
        let lane = match self {
            Multiplier::Bits25x18 => 1,
            _ if !spec.packed => 1,
            Multiplier::Bits16x16 if spec.dual => 4,
            _ => 2,
        };
        let (requantizer, softmax) = match self {
            Multiplier::Bits25x18 => (sums(25) * halves(18), 1),
            Multiplier::Bits18x18 => (sums(18) * halves(18), 2),
            Multiplier::Bits16x16 => (sums(16) * halves(16), 4),
        };
        Parts { lane, requantizer, softmax }
    }
}

/// Bits of an address of a byte, and of a plane of weights, in a job.
pub const ADDRESS_BITS: u32 = 24;

impl Spec for CnnSpec {
    fn check_relations(&self) -> Result<(), SpecError> {
        let refuse = |field: &str, value: String, range: &str| {
            Err(SpecError::OutOfRange { field: field.to_owned(), value, range: range.to_owned() })
        };
        if self.results > self.lanes {
            return refuse("results", self.results.to_string(), "at most `lanes`");
        }
        if self.packed && self.pixels != 2 {
            return refuse("packed", "true".into(), "false, unless `pixels` is 2");
        }
        if self.nibbles && self.results < 2 {
            return refuse("nibbles", "true".into(), "false, unless `results` is 2 or more");
        }
        if self.split && (self.packed || !self.dual) {
            let range = "false, unless `dual` is true and `packed` false";
            return refuse("split", "true".into(), range);
        }
        if self.additions && self.accumulator_bits < self.addition_bits() {
            let range = "at least `addition_shift` + 10, or `additions` false";
            return refuse("accumulator_bits", self.accumulator_bits.to_string(), range);
        }
        if self.single_port && !self.activation_words.is_power_of_two() {
            let range = "a power of two, or `single_port` false: half are in each bank";
            return refuse("activation_words", self.activation_words.to_string(), range);
        }
        let bytes = u64::from(self.activation_words) * u64::from(self.lanes);
        if bytes > 1 << ADDRESS_BITS {
            let range = "few enough for 2^24 bytes";
            return refuse("activation_words", self.activation_words.to_string(), range);
        }
        Ok(())
    }
}

impl CnnSpec {
    /// The narrowest accumulator in which tensors can be added: what is above a zero has 9 bits, the sum of
    /// two such terms one more.
    pub fn addition_bits(&self) -> u32 {
        self.addition_shift + 10
    }

    /// Bits of an address of an activation: of a byte, or of half of one.
    pub fn byte_bits(&self) -> u32 {
        index_bits(self.activation_words as usize) + self.lane_bits() + u32::from(self.nibbles)
    }

    /// Bytes of a bank of activations; all of them if there is but one.
    pub fn bank_bytes(&self) -> u32 {
        let bytes = self.activation_words * self.lanes;
        if self.single_port { bytes / 2 } else { bytes }
    }

    /// Bits of the address of a status word.
    pub fn status_bits(&self) -> u32 {
        if self.counters { 3 } else { 2 }
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

    /// All multipliers, as they are made of those of 25 x 18 bits.
    pub fn all_multipliers(&self) -> u32 {
        self.multipliers_of(Multiplier::Bits25x18)
    }

    /// All multipliers, as they are made of those that a family of parts has.
    pub fn multipliers_of(&self, kind: Multiplier) -> u32 {
        let Parts { lane, requantizer, softmax } = kind.parts(self);
        let softmax = if self.softmax_tables > 0 { softmax } else { 0 };
        self.multipliers() * lane + self.results * requantizer + softmax
    }

    /// Products a cycle; of two weights a lane twice as many.
    pub fn products(&self) -> u32 {
        self.lanes * self.pixels * if self.dual { 2 } else { 1 }
    }

    /// Bits of a row of weights.
    pub(super) fn weight_row_bits(&self) -> u32 {
        8 * self.lanes
    }

    /// Bits of a row of scales.
    pub fn scale_row_bits(&self) -> u32 {
        let bits: u32 = scale_fields(self).iter().map(|(_, ty)| ty.width).sum();
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
