//! `slice`: a part of a tensor.

use super::{
    Checked, Compute, Kind, Lowered, Lowering, Memory, Program, Rescaled, Rescaling, Shape,
};
use crate::basics::Tensor;
use crate::basics::check::same_kind;
use crate::lowering::{Sum, UNIT, UNSCALED, of_image, sum_bits, unsupported};
use hwgen_designs::cnn::lower::Place;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of the input. The output has its shape, or that without some of its sizes of 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// The first index, an entry an axis.
    pub begin: Vec<usize>,
    /// Indices of each axis.
    pub size: Vec<usize>,
}

impl Kind for Slice {
    fn check(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Checked {
        same_kind(place, inputs[0], output)
    }

    fn shape(&self, inputs: &[&Tensor], output: &Tensor) -> Shape {
        let (Slice { begin, size }, x) = (self, &inputs[0].shape);
        let lengths = begin.len() == x.len() && size.len() == x.len();
        let within = |axis: usize| {
            size[axis] > 0 && begin[axis].checked_add(size[axis]).is_some_and(|end| end <= x[axis])
        };
        if !lengths || !(0..x.len()).all(within) {
            return Err(format!("the part of {size:?} from {begin:?} on is none of {x:?}"));
        }
        Ok(without_ones(size.clone(), output))
    }

    fn prepare(&self, inputs: &[&Tensor], _: &Tensor) -> Box<dyn Compute> {
        let Slice { begin, size } = self.clone();
        Box::new(Ready { begin, size, shape: inputs[0].shape.clone() })
    }

    fn keeps_scale(&self) -> bool {
        true
    }

    fn rescale(&mut self, _: &Rescaling<'_>) -> Rescaled {
        Ok(())
    }

    fn memory(&self, inputs: &[&Tensor], output: &Tensor) -> Memory {
        match inputs[0].image()[2] == output.image()[2] {
            true => Memory::FasterByWords,
            false => Memory::Positions,
        }
    }

    fn lower(&self, lowering: &Lowering<'_>, program: &mut dyn Program) -> Lowered {
        let (from, to) = lowering.places();
        let ([y, x, channel], [height, width, channels]) =
            (of_image(&self.begin, 0), of_image(&self.size, 1));
        if channels != to.channels {
            let what = "its one channel becomes columns";
            return Err(unsupported(lowering.name, what, "keep the axis of channels"));
        }
        let base = from.base + (y * from.width + x) * from.pitch + channel;
        let input = Place { base, height, channels, ..from };
        let output = Place { height, width, ..to };
        let numbers = lowering.unscaled();
        lowering.alone(program, (input, output), UNIT, numbers, Sum::All)?;
        Ok(sum_bits(1, &UNSCALED))
    }
}

/// A shape, or the output's, if that has but some sizes of 1 less.
pub(super) fn without_ones(shape: Vec<usize>, output: &Tensor) -> Vec<usize> {
    let long =
        |shape: &[usize]| shape.iter().filter(|&&size| size > 1).copied().collect::<Vec<_>>();
    let dropped = output.shape.len() <= shape.len() && long(&output.shape) == long(&shape);
    if dropped { output.shape.clone() } else { shape }
}

struct Ready {
    begin: Vec<usize>,
    size: Vec<usize>,
    shape: Vec<usize>,
}

impl Ready {
    /// Where the element of the input lies that becomes result `n`.
    fn place(&self, mut n: usize) -> usize {
        let (mut place, mut stride) = (0, 1);
        for axis in (0..self.shape.len()).rev() {
            place += (self.begin[axis] + n % self.size[axis]) * stride;
            n /= self.size[axis];
            stride *= self.shape[axis];
        }
        place
    }
}

impl Compute for Ready {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        for (n, result) in output.iter_mut().enumerate() {
            *result = inputs[0][self.place(n)];
        }
    }
}
