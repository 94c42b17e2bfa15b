//! `concat`: tensors side by side.

use super::{
    Checked, Compute, Kind, Lowered, Lowering, Memory, Program, Rescaled, Rescaling, Shape,
};
use crate::basics::Tensor;
use crate::basics::check::same_kind;
use crate::lowering::{Sum, UNIT, UNSCALED, strips, sum_bits};
use hwgen_designs::cnn::lower::{Place, Window};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::slice::from_ref;

/// Inputs side by side along an axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Concat {
    /// The axis.
    pub axis: usize,
}

impl Kind for Concat {
    fn arity(&self) -> RangeInclusive<usize> {
        1..=64
    }

    fn check(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Checked {
        inputs.iter().try_for_each(|x| same_kind(place, x, output))
    }

    fn shape(&self, inputs: &[&Tensor], _: &Tensor) -> Shape {
        let (axis, x) = (self.axis, &inputs[0].shape);
        let mut sum = x.clone();
        for y in inputs[1..].iter().map(|y| &y.shape) {
            let fits = |n: usize| n == axis || x.get(n) == y.get(n);
            if y.len() != x.len() || !(0..x.len()).all(fits) || axis >= x.len() {
                return Err(format!("inputs {x:?} and {y:?} differ off axis {axis}"));
            }
            sum[axis] += y[axis];
        }
        Ok(sum)
    }

    fn prepare(&self, inputs: &[&Tensor], output: &Tensor) -> Box<dyn Compute> {
        let run = |tensor: &&Tensor| tensor.shape[self.axis..].iter().product();
        let together = output.shape[self.axis..].iter().product();
        Box::new(Ready { runs: inputs.iter().map(run).collect(), together })
    }

    fn keeps_scale(&self) -> bool {
        true
    }

    fn rescale(&mut self, _: &Rescaling<'_>) -> Rescaled {
        Ok(())
    }

    fn memory(&self, _: &[&Tensor], output: &Tensor) -> Memory {
        Memory::Parts(self.axis + 3 - output.shape.len())
    }

    /// Copies the parts that do not lie there already.
    fn lower(&self, lowering: &Lowering<'_>, program: &mut dyn Program) -> Lowered {
        let axis = self.axis + 3 - lowering.output.shape.len();
        let to = lowering.to;
        let (mut first, mut bits) = ([0; 3], 0);
        for (n, part) in lowering.inputs.iter().enumerate() {
            let Place { height, width, channels, .. } = part.place;
            if !part.lies_there {
                let [y, x, c] = first;
                let last = n + 1 == lowering.inputs.len();
                let room = if last || axis < 2 { lowering.room - c } else { channels };
                let copying =
                    Lowering { x: part.tensor, inputs: from_ref(part), room, ..*lowering };
                let whole = Place { base: to.base + c, channels, ..to };
                for strip in strips(&whole, [y, x], [height, width]) {
                    // what comes first in the part
                    let padding = [y, x].map(|side| side as i32);
                    let begins = strip.first.map(|side| side as i32);
                    let padding = [padding[0] - begins[0], padding[1] - begins[1]];
                    let places = (part.place, strip.place);
                    let window = Window { padding, ..UNIT };
                    copying.alone(program, places, window, copying.unscaled(), Sum::All)?;
                    bits = sum_bits(1, &UNSCALED);
                }
            }
            first[axis] += [height, width, channels][axis];
        }
        Ok(bits)
    }
}

/// Inputs in turns: as many elements of each as lie side by side.
struct Ready {
    runs: Vec<usize>,
    together: usize,
}

impl Compute for Ready {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        for (n, mut results) in output.chunks_exact_mut(self.together).enumerate() {
            for (x, &run) in inputs.iter().zip(&self.runs) {
                let (here, rest) = results.split_at_mut(run);
                here.copy_from_slice(&x[n * run..(n + 1) * run]);
                results = rest;
            }
        }
    }
}
