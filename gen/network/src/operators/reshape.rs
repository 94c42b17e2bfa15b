//! `reshape`: the same elements in another shape.

use super::{
    Checked, Compute, Kind, Lowered, Lowering, Memory, Program, Rescaled, Rescaling, Shape,
};
use crate::basics::Tensor;
use crate::basics::check::same_kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The same elements in another shape, that of the output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reshape {}

impl Kind for Reshape {
    fn check(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Checked {
        same_kind(place, inputs[0], output)
    }

    fn shape(&self, inputs: &[&Tensor], output: &Tensor) -> Shape {
        let (x, z) = (&inputs[0].shape, &output.shape);
        match inputs[0].elements() == output.elements() {
            true => Ok(z.clone()),
            false => Err(format!("{z:?} has another number of elements than {x:?}")),
        }
    }

    fn prepare(&self, _: &[&Tensor], _: &Tensor) -> Box<dyn Compute> {
        Box::new(Ready)
    }

    fn keeps_scale(&self) -> bool {
        true
    }

    fn rescale(&mut self, _: &Rescaling<'_>) -> Rescaled {
        Ok(())
    }

    fn memory(&self, _: &[&Tensor], _: &Tensor) -> Memory {
        Memory::View
    }

    fn makes_sums(&self) -> bool {
        true
    }

    fn lower(&self, _: &Lowering<'_>, _: &mut dyn Program) -> Lowered {
        Ok(0)
    }
}

struct Ready;

impl Compute for Ready {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        output.copy_from_slice(inputs[0]);
    }
}
