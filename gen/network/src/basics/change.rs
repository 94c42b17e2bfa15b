//! Tensors that are quantized anew, and what becomes of numbers that were made for the old ones.

use super::{Clamp, Multiplier, Tensor};

/// A tensor before and after.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) before: Tensor,
    pub(crate) after: Tensor,
}

impl Change {
    /// A step after, in steps before.
    pub(crate) fn ratio(&self) -> f64 {
        self.after.scale / self.before.scale
    }

    /// The integer after that is nearest to what one stood for before.
    pub(crate) fn integer(&self, before: i32) -> i32 {
        self.after.quantize(self.before.real(before))
    }

    /// The integer before that is nearest to what one stands for after.
    pub(crate) fn origin(&self, after: i32) -> i32 {
        self.before.quantize(self.after.real(after))
    }

    /// Bounds: what is all that fits stays so.
    pub(crate) fn clamp(&self, clamp: Clamp) -> Clamp {
        let whole = Clamp::of(&self.before);
        let all = Clamp::of(&self.after);
        let bound = |own: i32, whole: i32, all: i32| match own == whole {
            true => all,
            false => self.integer(own),
        };
        Clamp {
            min: bound(clamp.min, whole.min, all.min),
            max: bound(clamp.max, whole.max, all.max),
        }
    }
}

/// A layer whose tensors are quantized anew.
pub(crate) struct Rescaling<'n> {
    pub(crate) inputs: &'n [&'n Change],
    pub(crate) output: &'n Change,
    /// Bits that multipliers may have.
    pub(crate) multiplier_bits: u32,
    /// Places that additions are to shift their terms by, if they change.
    pub(crate) addition_shift: Option<u32>,
}

impl Rescaling<'_> {
    /// Steps of the first input for one of the output, each in steps before.
    pub(crate) fn ratio(&self) -> f64 {
        self.inputs[0].ratio() / self.output.ratio()
    }

    /// A multiplier times so much.
    pub(crate) fn multiplier(
        &self,
        multiplier: Multiplier,
        factor: f64,
    ) -> Result<Multiplier, String> {
        let scaled = match factor == 1.0 {
            true => Some(multiplier),
            false => Multiplier::nearest(multiplier.factor() * factor),
        };
        let scaled = scaled.and_then(|scaled| scaled.cut(self.multiplier_bits));
        scaled.ok_or_else(|| format!("{} times {factor} is no multiplier", multiplier.factor()))
    }
}
