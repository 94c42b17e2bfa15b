//! What a program is made of, and how it lies in memory.

use super::CnnSpec;
use super::fields::{ADD, CONVOLVE, FILL, INPUT, JOB_WORDS, JobFields, LOOKUP, OUTPUT, SOFTMAX};
use hwgen_hdl::{Fields, Int, Type, fields, s, u};
use serde::{Deserialize, Serialize};

/// One job; they run one after the other, then again from the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Takes beats of stream `in`, `results` bytes each.
    Input(Transfer),
    /// Sends beats of stream `out`, `results` bytes each.
    Output(Transfer),
    /// Sums of products: convolutions of any kind, dense layers, average pools.
    Convolve(Convolve),
    /// Two tensors added.
    Add(Add),
    /// Softmax of rows.
    Softmax(Softmax),
    /// Activations as weights.
    Fill(Fill),
    /// A function of each element.
    Lookup(Lookup),
}

/// Which tensors of a job lie two elements in a byte, the first one lowest; their addresses count elements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Nibbles {
    /// What is read.
    pub input: bool,
    /// The second term of an addition.
    pub second: bool,
    /// What is written.
    pub output: bool,
}

impl Nibbles {
    fn fields(self) -> JobFields<i64> {
        JobFields {
            input_nibbles: self.input.into(),
            second_nibbles: self.second.into(),
            output_nibbles: self.output.into(),
            ..JobFields::default()
        }
    }
}

/// Bytes that come or go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Address of the first byte, a multiple of `results`.
    pub base: u32,
    /// Beats; at least one.
    pub beats: u32,
    /// Which tensors lie two elements in a byte.
    #[serde(default)]
    pub nibbles: Nibbles,
}

/// How `sum * multiplier / 2^(31 + right)` is rounded; `docs/cnn.md` has the formulas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// By 2^31, halves up, then by 2^right, halves away from 0.
    #[default]
    Twice,
    /// At once, halves up.
    Once,
    /// At once, halves to the even neighbor.
    HalfEven,
    /// At once, down.
    Floor,
}

impl Rounding {
    /// All of them, in the order of their numbers in a job.
    pub const ALL: [Rounding; 4] =
        [Rounding::Twice, Rounding::Once, Rounding::HalfEven, Rounding::Floor];
}

/// The multiplier and shifts between a sum and a result, as TFLite has them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scale {
    /// Added to the sum first.
    pub bias: i32,
    /// In 2^-31; of it the core's `multiplier_bits` highest.
    pub multiplier: u32,
    /// Places to the left before, 0..=7.
    pub left: u8,
    /// Places to the right behind, rounded, 0..=31.
    pub right: u8,
}

/// What becomes of a requantized result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clamp {
    /// Added.
    pub zero: i8,
    /// The least result.
    pub least: i8,
    /// The greatest.
    pub most: i8,
}

/// Sums of products over a window, for every output position.
///
/// A tensor's element (y, x, c) lies at `base + (y width + x) pitch + c`. All addresses and
/// differences of addresses are taken modulo the memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Convolve {
    /// Each lane has a channel of its own; otherwise all see the same channels.
    pub depthwise: bool,
    /// log2 of G, the channels summed in one step: lane l takes channel l mod G of them, for
    /// result l / G.
    pub group: u8,
    /// Bits of a weight, 2..=8.
    pub weight_bits: u8,
    /// Weights are the top `weight_bits` of 8 stored ones, with half a step added.
    pub shared: bool,
    /// All steps take the same weights.
    pub hold: bool,
    /// Each lane has two weights of at most 4 bits, for two results.
    #[serde(default)]
    pub dual: bool,
    /// How results are rounded.
    pub rounding: Rounding,
    /// The largest product of a lane instead of their sum.
    pub largest: bool,
    /// Address of the window's first byte at the first output position, inside or not.
    pub input: u32,
    /// Rows of the input.
    pub height: u32,
    /// Columns of the input.
    pub width: u32,
    /// The first window's row and column: minus the padding.
    pub y: i32,
    /// See `y`.
    pub x: i32,
    /// What stands outside.
    pub padding: i8,
    /// Rows and columns between windows.
    pub stride: [u32; 2],
    /// Rows and columns between a window's elements.
    pub dilation: [u32; 2],
    /// Rows and columns of a window.
    pub kernel: [u32; 2],
    /// Steps a window's element takes: channels / G; 1 if depthwise.
    pub channel_steps: u32,
    /// From the last step of a window's element to the next element in its row.
    pub to_next_column: u32,
    /// From the last step of a window's row to the next row.
    pub to_next_row: u32,
    /// From a window to the next in its row of outputs.
    pub to_next_window: u32,
    /// From the last window of a row of outputs to the first of the next.
    pub to_next_line: u32,
    /// Columns of the output.
    pub columns: u32,
    /// Positions of the output.
    pub positions: u32,
    /// Blocks of channels, one after the other.
    pub blocks: u32,
    /// Between blocks, in the input.
    pub block_input: u32,
    /// Between blocks, in the output.
    pub block_output: u32,
    /// Address of the output's first byte, a multiple of `results / G`.
    pub output: u32,
    /// Bytes from a position to the next.
    pub output_pitch: u32,
    /// Rows of scales for a position and block: `results / G` results each.
    pub chunks: u32,
    /// If `dual`: bytes from the results of lanes' first weights to those of their second ones. A
    /// depthwise job's lie in the next row of the output, which is left out behind each row.
    #[serde(default)]
    pub second: u32,
    /// Cycles without a step after each group of positions: so that a group takes no less than
    /// `pixels * chunks`.
    pub idle: u32,
    /// The first plane of weights.
    pub weights: u32,
    /// The first row of scales.
    pub scales: u32,
    /// Behind the scales.
    pub clamp: Clamp,
    /// A result is the lowest eight bits of what it would be without limits.
    pub wraps: bool,
    /// Which tensors lie two elements in a byte.
    #[serde(default)]
    pub nibbles: Nibbles,
}

/// A tensor: each element a sum of two, on scales of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Add {
    /// Addresses of the terms, multiples of `results`.
    pub inputs: [u32; 2],
    /// What is subtracted from each.
    pub zeros: [i8; 2],
    /// Of the terms, then of the sum. Terms are shifted `addition_shift` places to the left before.
    pub scales: [AddScale; 3],
    /// How terms and sums are rounded.
    pub rounding: Rounding,
    /// Address of the sum.
    pub output: u32,
    /// `results` elements each.
    pub chunks: u32,
    /// Behind the last scale.
    pub clamp: Clamp,
    /// Which tensors lie two elements in a byte.
    #[serde(default)]
    pub nibbles: Nibbles,
}

/// A multiplier in 2^-31 and the rounded shift to the right behind it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddScale {
    /// In 2^-31.
    pub multiplier: u32,
    /// Places, 0..=31.
    pub right: u8,
}

/// Softmax of rows of bytes: `clamp(steps e / sum of e)`, to nearest, halves up, with
/// `e = table[largest of the row - x]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Softmax {
    /// Address of the first row's first byte.
    pub input: u32,
    /// Bytes from a row to the next.
    pub input_pitch: u32,
    /// Address of the first row's first result.
    pub output: u32,
    /// Bytes from a row of results to the next.
    pub output_pitch: u32,
    /// Elements of a row, at most 1,024.
    pub length: u32,
    /// Rows.
    pub rows: u32,
    /// Steps that make probability 1, at most 2^16.
    pub steps: u32,
    /// Which of the tables.
    pub table: u32,
    /// Behind the division.
    pub clamp: Clamp,
    /// Which tensors lie two elements in a byte.
    #[serde(default)]
    pub nibbles: Nibbles,
}

/// A function of each element of rows of bytes: the lowest eight bits of `table[127 - x]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// Address of the first row's first byte.
    pub input: u32,
    /// Bytes from a row to the next.
    pub input_pitch: u32,
    /// Address of the first row's first result.
    pub output: u32,
    /// Bytes from a row of results to the next.
    pub output_pitch: u32,
    /// Elements of a row.
    pub length: u32,
    /// Rows.
    pub rows: u32,
    /// Which of the tables.
    pub table: u32,
    /// Which tensors lie two elements in a byte.
    #[serde(default)]
    pub nibbles: Nibbles,
}

/// Bytes of activations become rows of weights of eight bits: lane l of the row of block b and step k
/// is the byte at `input + b block + k step + l lane`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// The first byte.
    pub input: u32,
    /// From a lane to the next.
    pub lane: u32,
    /// From a step to the next.
    pub step: u32,
    /// From a block to the next.
    pub block: u32,
    /// Steps of a block.
    pub steps: u32,
    /// Blocks.
    pub blocks: u32,
    /// The first plane of weights, a multiple of 8.
    pub weights: u32,
    /// Which tensors lie two elements in a byte.
    #[serde(default)]
    pub nibbles: Nibbles,
}

impl Job {
    /// The job's words, the lowest bits first; `last` is set in a program's last one.
    pub fn words(&self, last: bool) -> Vec<u32> {
        let mut bits = Bits::default();
        for (_, value, ty) in self.values(last) {
            bits.push(value, ty.width);
        }
        bits.words(JOB_WORDS)
    }

    /// Which of its tensors lie two elements in a byte.
    pub fn nibbles(&self) -> Nibbles {
        match self {
            Job::Input(job) | Job::Output(job) => job.nibbles,
            Job::Convolve(job) => job.nibbles,
            Job::Add(job) => job.nibbles,
            Job::Softmax(job) => job.nibbles,
            Job::Fill(job) => job.nibbles,
            Job::Lookup(job) => job.nibbles,
        }
    }

    /// The first field whose value does not fit it, the value, and the field's bits.
    pub fn overflow(&self) -> Option<(String, i64, u32)> {
        let mut fields = self.values(false).into_iter();
        let beyond = fields.find(|(_, value, ty)| !holds(*ty, *value));
        beyond.map(|(name, value, ty)| (name.to_owned(), value, ty.width))
    }

    fn values(&self, last: bool) -> Vec<(&'static str, i64, Type)> {
        let fields = JobFields { last: last.into(), ..self.fields() };
        let types = JobFields::types().list().into_iter();
        fields
            .list()
            .into_iter()
            .zip(types)
            .map(|((name, value), (_, ty))| (name, value, ty))
            .collect()
    }

    /// What each field holds; what a kind does not use is 0.
    fn fields(&self) -> JobFields<i64> {
        match self {
            Job::Input(Transfer { base, beats, nibbles }) => JobFields {
                kind: INPUT.into(),
                output: (*base).into(),
                positions: (*beats).into(),
                ..nibbles.fields()
            },
            Job::Output(Transfer { base, beats, nibbles }) => JobFields {
                kind: OUTPUT.into(),
                input: (*base).into(),
                positions: (*beats).into(),
                ..nibbles.fields()
            },
            Job::Convolve(job) => job.fields(),
            Job::Add(job) => job.fields(),
            Job::Softmax(job) => job.fields(),
            Job::Fill(job) => job.fields(),
            Job::Lookup(job) => job.fields(),
        }
    }
}

/// Whether a field of less than 64 bits holds a number.
fn holds(ty: Type, value: i64) -> bool {
    let least = if ty.signed { -1i64 << (ty.width - 1) } else { 0 };
    (least..least + (1 << ty.width)).contains(&value)
}

impl Convolve {
    fn fields(&self) -> JobFields<i64> {
        JobFields {
            kind: CONVOLVE.into(),
            depthwise: self.depthwise.into(),
            group: self.group.into(),
            weight_bits: self.weight_bits.into(),
            shared: self.shared.into(),
            hold: self.hold.into(),
            dual: self.dual.into(),
            rounding: self.rounding as i64,
            largest: self.largest.into(),
            input: self.input.into(),
            height: self.height.into(),
            width: self.width.into(),
            y: self.y.into(),
            x: self.x.into(),
            padding: self.padding.into(),
            stride_y: self.stride[0].into(),
            stride_x: self.stride[1].into(),
            dilation_y: self.dilation[0].into(),
            dilation_x: self.dilation[1].into(),
            kernel_rows_less_1: i64::from(self.kernel[0]) - 1,
            kernel_columns_less_1: i64::from(self.kernel[1]) - 1,
            channel_steps_less_1: i64::from(self.channel_steps) - 1,
            to_next_column: self.to_next_column.into(),
            to_next_row: self.to_next_row.into(),
            to_next_window: self.to_next_window.into(),
            to_next_line: self.to_next_line.into(),
            columns_less_1: i64::from(self.columns) - 1,
            positions: self.positions.into(),
            blocks_less_1: i64::from(self.blocks) - 1,
            block_input: self.block_input.into(),
            block_output: self.block_output.into(),
            output: self.output.into(),
            output_pitch: self.output_pitch.into(),
            chunks_less_1: i64::from(self.chunks) - 1,
            idle: self.idle.into(),
            second: self.second.into(),
            weights: self.weights.into(),
            scales: self.scales.into(),
            wraps: self.wraps.into(),
            ..self.clamp.fields(self.nibbles)
        }
    }

    /// Steps of a position and block.
    pub fn steps(&self) -> u32 {
        self.kernel[0] * self.kernel[1] * self.channel_steps
    }

    /// Steps of all positions and blocks, on a core of so many positions at once.
    pub fn all_steps(&self, pixels: u32) -> u64 {
        let groups = u64::from(self.blocks) * u64::from(self.positions.div_ceil(pixels));
        groups * u64::from(self.steps())
    }

    /// Planes of weights that a block takes.
    pub fn block_planes(&self) -> u32 {
        if self.hold { 0 } else { self.steps() * self.step_planes() }
    }

    /// Planes of weights that a step takes.
    pub fn step_planes(&self) -> u32 {
        let stride = if self.shared { 8 } else { u32::from(self.weight_bits) };
        if self.dual { 2 * stride } else { stride }
    }
}

impl Add {
    fn fields(&self) -> JobFields<i64> {
        JobFields {
            kind: ADD.into(),
            input: self.inputs[0].into(),
            second: self.inputs[1].into(),
            zero_0: self.zeros[0].into(),
            zero_1: self.zeros[1].into(),
            multiplier_0: self.scales[0].multiplier.into(),
            multiplier_1: self.scales[1].multiplier.into(),
            multiplier_2: self.scales[2].multiplier.into(),
            right_0: self.scales[0].right.into(),
            right_1: self.scales[1].right.into(),
            right_2: self.scales[2].right.into(),
            rounding: self.rounding as i64,
            output: self.output.into(),
            positions: self.chunks.into(),
            ..self.clamp.fields(self.nibbles)
        }
    }
}

impl Fill {
    fn fields(&self) -> JobFields<i64> {
        JobFields {
            kind: FILL.into(),
            input: self.input.into(),
            to_next_column: self.lane.into(),
            to_next_row: self.step.into(),
            block_input: self.block.into(),
            positions: self.steps.into(),
            blocks_less_1: i64::from(self.blocks) - 1,
            weights: self.weights.into(),
            ..self.nibbles.fields()
        }
    }
}

impl Softmax {
    fn fields(&self) -> JobFields<i64> {
        JobFields {
            kind: SOFTMAX.into(),
            input: self.input.into(),
            to_next_window: self.input_pitch.into(),
            output: self.output.into(),
            output_pitch: self.output_pitch.into(),
            positions: self.length.into(),
            blocks_less_1: i64::from(self.rows) - 1,
            multiplier_0: self.steps.into(),
            scales: self.table.into(),
            ..self.clamp.fields(self.nibbles)
        }
    }
}

impl Lookup {
    fn fields(&self) -> JobFields<i64> {
        JobFields {
            kind: LOOKUP.into(),
            input: self.input.into(),
            to_next_window: self.input_pitch.into(),
            output: self.output.into(),
            output_pitch: self.output_pitch.into(),
            positions: self.length.into(),
            blocks_less_1: i64::from(self.rows) - 1,
            scales: self.table.into(),
            ..self.nibbles.fields()
        }
    }
}

impl Clamp {
    fn fields(&self, nibbles: Nibbles) -> JobFields<i64> {
        JobFields {
            zero: self.zero.into(),
            least: self.least.into(),
            most: self.most.into(),
            ..nibbles.fields()
        }
    }
}

/// The fields of a scale, in order from bit 0.
pub(super) fn scale_fields(spec: &CnnSpec) -> Fields {
    let multiplier = u(spec.multiplier_bits);
    fields([("bias", s(32)), ("multiplier", multiplier), ("left", u(3)), ("right", u(5))])
}

impl Scale {
    /// What leaves byte `n` of a biased sum, the lowest being 0, rounded down in a job that wraps.
    pub fn byte(n: u8, bias: i32) -> Scale {
        // 2^30 / 2^31, shifted on; what the lowest byte loses at the top of its sum is no bit of it
        let (left, right) = if n == 0 { (1, 0) } else { (0, 8 * n - 1) };
        Scale { bias, multiplier: 1 << 30, left, right }
    }

    /// Its bits, `bias` lowest.
    pub(super) fn push(&self, spec: &CnnSpec, bits: &mut Bits) {
        bits.push(self.bias.into(), 32);
        let multiplier = self.multiplier >> (31 - spec.multiplier_bits);
        bits.push(multiplier.into(), spec.multiplier_bits);
        bits.push(self.left.into(), 3);
        bits.push(self.right.into(), 5);
    }
}

/// Bits side by side, the first lowest.
#[derive(Default)]
pub(super) struct Bits(Vec<bool>);

impl Bits {
    /// The low bits of a number in two's complement.
    pub(super) fn push(&mut self, value: i64, width: u32) {
        self.0.extend((0..width).map(|bit| value >> bit & 1 == 1));
    }

    /// All of them as one number.
    pub(super) fn int(&self) -> Int {
        let words = self.words((self.0.len() as u32).div_ceil(32));
        let words = words.into_iter().rev();
        words.fold(Int::ZERO, |value, word| (value << 32) + Int::from(word))
    }

    /// `count` words, zeros above the last bit.
    pub(super) fn words(&self, count: u32) -> Vec<u32> {
        let mut words = vec![0; count as usize];
        for (at, _) in self.0.iter().enumerate().filter(|(_, bit)| **bit) {
            words[at / 32] |= 1 << (at % 32);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_its_field_is_told() {
        let transfer =
            |beats: u32| Job::Output(Transfer { base: 0, beats, nibbles: Nibbles::default() });
        assert_eq!(transfer((1 << 20) - 1).overflow(), None);
        assert_eq!(transfer(1 << 20).overflow(), Some(("positions".into(), 1 << 20, 20)));
    }
}
