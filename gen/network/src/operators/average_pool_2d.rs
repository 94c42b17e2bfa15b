//! `average_pool_2d`: the mean of a window.

use super::windows::{Windows, check, pooled};
use super::{
    Checked, Compute, Kind, Lowered, Lowering, Memory, Program, Rescaled, Rescaling, Shape,
};
use crate::basics::{Clamp, Rounding, Tensor, Window, mean};
use crate::lowering::{PlanError, Sum, division, moved, offset, parts, strips, sum_bits};
use hwgen_designs::cnn::{self, Scale, lower};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The mean of a window, rounded to nearest, halves away from 0; what lies outside the image
/// is not counted. With another rounding it is the mean's distance from the zero point that is
/// rounded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AveragePool2d {
    /// Where the window goes; no dilation.
    pub window: Window,
    /// How the mean is rounded; `twice` is as above.
    #[serde(default, skip_serializing_if = "Rounding::is_default")]
    pub rounding: Rounding,
    /// Bounds of the result.
    pub clamp: Clamp,
}

impl AveragePool2d {
    /// What is subtracted from each element, and added to the mean: TFLite rounds the mean of the
    /// integers themselves, others that of what they stand for.
    fn zero_point(&self, x: &Tensor) -> i32 {
        if self.rounding == Rounding::Twice { 0 } else { x.zero_point }
    }
}

impl Kind for AveragePool2d {
    fn check(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Checked {
        check(place, &self.window, self.clamp, inputs[0], output)
    }

    fn shape(&self, inputs: &[&Tensor], _: &Tensor) -> Shape {
        pooled(&self.window, &inputs[0].shape)
    }

    fn prepare(&self, inputs: &[&Tensor], output: &Tensor) -> Box<dyn Compute> {
        let windows = Windows::new(self.window, inputs[0], output);
        let (zero_point, clamp) = (self.zero_point(inputs[0]), self.clamp);
        Box::new(Ready { windows, rounding: self.rounding, zero_point, clamp })
    }

    fn keeps_scale(&self) -> bool {
        true
    }

    fn rescale(&mut self, rescaling: &Rescaling<'_>) -> Rescaled {
        self.clamp = rescaling.output.clamp(self.clamp);
        Ok(())
    }

    fn memory(&self, _: &[&Tensor], _: &Tensor) -> Memory {
        Memory::FasterByWords
    }

    /// Where windows begin and end outside, jobs of their own, as many elements are counted.
    fn lower(&self, lowering: &Lowering<'_>, program: &mut dyn Program) -> Lowered {
        let (from, to) = lowering.places();
        // outside stands 0, so that sums are those of what is inside
        let whole = lower::Window { padded: 0, ..lowering.window(&self.window) };
        let (x, zero_point) = (lowering.x, self.zero_point(lowering.x));
        let zero = zero_point - offset(x);
        let clamp = cnn::Clamp { zero: zero as i8, ..lowering.clamp(self.clamp) };
        let range = match self.rounding {
            Rounding::Twice if offset(x) == 0 => -128..=127,
            _ => x.lowest() - zero_point..=x.highest() - zero_point,
        };
        let sides = [(from.height, to.height), (from.width, to.width)];
        let [rows, columns] = [0, 1].map(|axis| parts(&whole, axis, sides[axis].0, sides[axis].1));
        // a job each at the least; each takes a while to be found
        let (what, needed, given) =
            ("jobs", (rows.len() * columns.len()) as u64, lowering.spec.jobs);
        if needed > given.into() {
            return Err(PlanError::Room { what, needed, given: given.into(), parameter: what });
        }
        let mut bits = 0;
        for row in &rows {
            for column in &columns {
                let count = row.inside * column.inside;
                let (divided, by) =
                    division(lowering.name, count, range.clone(), self.rounding.into())?;
                let scale = Scale { bias: divided.bias - zero * count as i32, ..divided };
                bits = bits.max(sum_bits(count, &scale));
                for part in strips(&to, [row.first, column.first], [row.count, column.count]) {
                    let window = moved(&whole, part.first);
                    let (places, numbers) = ((from, part.place), (scale, by, clamp));
                    lowering.alone(program, places, window, numbers, Sum::All)?;
                }
            }
        }
        Ok(bits)
    }
}

struct Ready {
    windows: Windows,
    rounding: Rounding,
    zero_point: i32,
    clamp: Clamp,
}

impl Compute for Ready {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let Ready { windows, rounding, zero_point, clamp } = self;
        windows.reduce(inputs[0], output, |elements| {
            let add = |(sum, count), x| (sum + x - *zero_point, count + 1);
            let (sum, count) = elements.fold((0, 0), add);
            clamp.apply(mean(sum, count, *rounding) + *zero_point)
        });
    }
}
