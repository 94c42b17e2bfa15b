//! `max_pool_2d`: the largest in a window.

use super::windows::{Windows, check, pooled};
use super::{
    Checked, Compute, Kind, Lowered, Lowering, Memory, Program, Rescaled, Rescaling, Shape,
};
use crate::basics::{Clamp, Tensor, Window};
use crate::lowering::{Sum, UNSCALED, sum_bits, unsupported};
use hwgen_designs::cnn::lower;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The largest in a window; what lies outside the image is not looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaxPool2d {
    /// Where the window goes; no dilation.
    pub window: Window,
    /// Bounds of the result.
    pub clamp: Clamp,
}

impl Kind for MaxPool2d {
    fn check(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Checked {
        check(place, &self.window, self.clamp, inputs[0], output)
    }

    fn shape(&self, inputs: &[&Tensor], _: &Tensor) -> Shape {
        pooled(&self.window, &inputs[0].shape)
    }

    fn prepare(&self, inputs: &[&Tensor], output: &Tensor) -> Box<dyn Compute> {
        Box::new(Ready(Windows::new(self.window, inputs[0], output), self.clamp))
    }

    fn keeps_scale(&self) -> bool {
        true
    }

    fn rescale(&mut self, rescaling: &Rescaling<'_>) -> Rescaled {
        self.clamp = rescaling.output.clamp(self.clamp);
        Ok(())
    }

    fn memory(&self, _: &[&Tensor], _: &Tensor) -> Memory {
        Memory::Words
    }

    /// Outside stands what is never larger.
    fn lower(&self, lowering: &Lowering<'_>, program: &mut dyn Program) -> Lowered {
        if !lowering.spec.maxima {
            let instead = "set the core's `maxima`";
            return Err(unsupported(lowering.name, "the core knows no largest", instead));
        }
        let window = lower::Window { padded: i8::MIN, ..lowering.window(&self.window) };
        let numbers = lowering.unscaled_within(self.clamp);
        lowering.alone(program, lowering.places(), window, numbers, Sum::Largest)?;
        Ok(sum_bits(1, &UNSCALED))
    }
}

struct Ready(Windows, Clamp);

impl Compute for Ready {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let Ready(windows, clamp) = self;
        windows
            .reduce(inputs[0], output, |elements| clamp.apply(elements.max().unwrap_or(clamp.min)));
    }
}
