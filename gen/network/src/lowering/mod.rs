//! What operators become jobs with: where tensors lie, scales and bounds as the core has them, and layers
//! that fit it.
//!
//! - `alone`: layers that see each channel alone; `scale`: requantization; `sums`: none; `stored`: weights in
//!   memory, and how many of them a lane has.

mod alone;
mod error;
mod scale;
mod stored;
mod sums;

pub(crate) use alone::{Sum, UNIT, UNSCALED, moved, parts, strips, sum_bits};
pub use error::PlanError;
pub(crate) use error::unsupported;
pub(crate) use scale::{division, scale};
pub use stored::OneWeight;
pub(crate) use stored::is_narrow;

use crate::basics::{self, Kernel, Linear, Tensor};
use hwgen_designs::cnn::dual::{self, PACKED_ACTIVATION_BITS};
use hwgen_designs::cnn::lower::{Layer, Numbers, Place, Stored, Window};
use hwgen_designs::cnn::{Clamp, CnnSpec, Program, Rounding, Scale};
use std::fmt::Display;

/// A layer's tensors and the core it is made for.
#[derive(Clone, Copy)]
pub(crate) struct Lowering<'n> {
    pub(crate) spec: &'n CnnSpec,
    /// The layer's name.
    pub(crate) name: &'n str,
    /// The first that it reads.
    pub(crate) x: &'n Tensor,
    /// All that it reads.
    pub(crate) inputs: &'n [Operand<'n>],
    pub(crate) output: &'n Tensor,
    /// Where the output lies, of sums their bytes behind each other.
    pub(crate) to: Place,
    /// Bytes that may be written in each position of the output.
    pub(crate) room: u32,
    /// What the weights of each output come to.
    pub(crate) weights: &'n [Weights],
}

/// What an output's weights come to: all that is asked of them before they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weights {
    pub(crate) sum: i64,
    /// The sum of what they are without their signs.
    pub(crate) magnitude: i64,
    pub(crate) least: i8,
}

impl Weights {
    /// Of each of so many outputs.
    pub(crate) fn of(linear: &Linear, outputs: usize) -> Vec<Weights> {
        let rows = linear.weights.chunks((linear.weights.len() / outputs).max(1));
        match linear.shared {
            Some(_) => rows.map(|row| Weights::of_row(row, |weight| linear.read(weight))).collect(),
            None => rows.map(|row| Weights::of_row(row, |weight| weight)).collect(),
        }
    }

    /// Of one output.
    fn of_row(row: &[i8], read: impl Fn(i8) -> i8) -> Weights {
        let (mut sum, mut magnitude) = (0, 0);
        // sums of 32 bits, which are quick, hold so many
        for part in row.chunks(1 << 16) {
            let read = |weight: &i8| i32::from(read(*weight));
            sum += i64::from(part.iter().map(read).sum::<i32>());
            magnitude += i64::from(part.iter().map(|weight| read(weight).abs()).sum::<i32>());
        }
        Weights { sum, magnitude, least: row.iter().copied().min().unwrap_or(0) }
    }
}

/// A tensor that a layer reads.
pub(crate) struct Operand<'n> {
    pub(crate) tensor: &'n Tensor,
    pub(crate) place: Place,
    /// It was made where the layer is to put it.
    pub(crate) lies_there: bool,
}

/// Bits of an element of which two lie in a byte.
const NIBBLE_BITS: u32 = 4;

/// What is subtracted from a tensor's integers so that they fit a byte, the seven bits that lanes of two
/// weights see, or half a byte.
pub(crate) fn offset(tensor: &Tensor) -> i32 {
    let centered = tensor.bits >= PACKED_ACTIVATION_BITS || tensor.bits == NIBBLE_BITS;
    if !tensor.signed && centered { 1 << (tensor.bits - 1) } else { 0 }
}

/// Whether two of a tensor's elements fit a byte.
pub(crate) fn fits_nibbles(tensor: &Tensor) -> bool {
    tensor.bits <= NIBBLE_BITS && tensor.sums.is_none()
}

/// The smallest and the largest byte of a tensor.
fn bytes(tensor: &Tensor) -> [i32; 2] {
    [tensor.lowest(), tensor.highest()].map(|value| value - offset(tensor))
}

/// A number for each axis as one for height, width and channels; an axis that is missing has `rest`.
pub(crate) fn of_image(axes: &[usize], rest: u32) -> [u32; 3] {
    let mut all = [rest; 3];
    let own = all[3 - axes.len()..].iter_mut().zip(axes);
    own.for_each(|(to, &number)| *to = number as u32);
    all
}

/// Accumulators hold so many bits.
pub(crate) fn check_bits(
    spec: &CnnSpec,
    layer: &str,
    needs: impl Display,
    bits: u32,
) -> Result<(), PlanError> {
    let most = spec.accumulator_bits;
    let instead = match most {
        32 => "no core has more than 32: use smaller weights, biases or windows",
        _ => "raise the core's `accumulator_bits`, at most 32",
    };
    match bits > most {
        true => Err(unsupported(layer, format!("{needs} {bits} bits"), instead)),
        false => Ok(()),
    }
}

impl Lowering<'_> {
    /// Where the first input lies, and the output.
    pub(crate) fn places(&self) -> (Place, Place) {
        (self.inputs[0].place, self.plane())
    }

    /// Where the output lies, of sums their lowest bytes.
    pub(super) fn plane(&self) -> Place {
        Place { height: self.to.height / self.output.bytes() as u32, ..self.to }
    }

    /// The byte that stands for the first input's 0.
    pub(crate) fn zero(&self) -> i32 {
        self.x.zero_point - offset(self.x)
    }

    pub(crate) fn clamp(&self, clamp: basics::Clamp) -> Clamp {
        let offset = offset(self.output);
        let byte = |value: i32| (value - offset).clamp(-128, 127) as i8;
        let zero = byte(self.output.zero_point);
        Clamp { zero, least: byte(clamp.min), most: byte(clamp.max) }
    }

    /// What leaves bytes as they are.
    pub(crate) fn unscaled(&self) -> (Scale, Rounding, Clamp) {
        self.unscaled_within(basics::Clamp::of(self.output))
    }

    /// The same, but for bounds.
    pub(crate) fn unscaled_within(&self, clamp: basics::Clamp) -> (Scale, Rounding, Clamp) {
        (UNSCALED, Rounding::Twice, Clamp { zero: 0, ..self.clamp(clamp) })
    }

    pub(crate) fn window(&self, window: &basics::Window) -> Window {
        let pair = |kernel: Kernel| kernel.map(|side| side as u32);
        Window {
            kernel: pair(window.kernel),
            stride: pair(window.stride),
            dilation: pair(window.dilation),
            padding: [window.pads.top as i32, window.pads.left as i32],
            padded: self.zero() as i8,
        }
    }

    /// Adds a layer's jobs, if lanes can share results so that its places are as the core reads and
    /// writes them.
    pub(crate) fn push(
        &self,
        program: &mut dyn Program,
        layer: &Layer,
        room: u32,
        numbers: &Numbers<'_>,
    ) -> Result<(), PlanError> {
        let Some(group) = self.spec.best_group(layer, room) else {
            let what = "its tensors do not lie as the core reads and writes them";
            return Err(unsupported(self.name, what, "lower the core's `results`"));
        };
        self.push_grouped(program, layer, group, numbers)
    }

    /// Adds a layer's jobs, if there is room for its weights.
    pub(crate) fn push_grouped(
        &self,
        program: &mut dyn Program,
        layer: &Layer,
        group: u8,
        numbers: &Numbers<'_>,
    ) -> Result<(), PlanError> {
        let planes = program.planes() as u64 + self.spec.planes(layer, group);
        let (needed, given) = (planes.div_ceil(8), u64::from(self.spec.weight_rows));
        if needed > given {
            let (what, parameter) = ("rows of weights", "weight_rows");
            return Err(PlanError::Room { what, needed, given, parameter });
        }
        self.spec.lower(program, layer, group, numbers);
        Ok(())
    }

    /// The scale of each output, whose bias takes the input's zero point; bits that sums need.
    pub(crate) fn scales(
        &self,
        linear: &Linear,
        stored: &Stored,
    ) -> Result<(Vec<Scale>, u32), PlanError> {
        let zero = i64::from(self.zero());
        let mut bits = 0;
        let scales = self.weights.iter().enumerate().map(|(o, weights)| {
            let bias = linear.bias.get(o).copied().unwrap_or(0);
            let folded = i64::from(bias) - zero * weights.sum;
            let Ok(bias) = i32::try_from(folded) else {
                let what = format!("output {o}'s bias becomes {folded}");
                return Err(unsupported(self.name, what, "lower it"));
            };
            bits = bits.max(self.check_sum((linear, stored), o, weights.magnitude, bias)?);
            match self.output.sums {
                Some(_) => Ok(Scale::byte(0, bias)),
                None => scale(self.name, linear.multipliers.of(o), bias),
            }
        });
        let scales = scales.collect::<Result<_, _>>()?;
        Ok((scales, bits))
    }

    /// No sum is too wide for the core's accumulators.
    fn check_sum(
        &self,
        (linear, stored): (&Linear, &Stored),
        o: usize,
        magnitude: i64,
        bias: i32,
    ) -> Result<u32, PlanError> {
        let room = if stored.dual { dual::WEIGHT_BITS } else { 8 };
        let stands = if stored.shared { 0 } else { room - stored.bits };
        let reach = bytes(self.x).map(i64::from).map(i64::abs).into_iter().max().unwrap_or(128);
        let raw = (magnitude << stands) * reach;
        let left = match self.output.sums {
            // what a byte's scale shifts out is no part of it
            Some(_) => 0,
            None => linear.multipliers.of(o).shift.max(0),
        };
        let whole = (magnitude * reach + i64::from(bias).abs()) << left;
        let bits = 64 - raw.max(whole).leading_zeros() + 1;
        check_bits(self.spec, self.name, format_args!("output {o}'s sum needs"), bits)?;
        Ok(bits)
    }
}
