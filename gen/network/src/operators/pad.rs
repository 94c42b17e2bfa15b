//! `pad`: a rim around a tensor.

use super::{
    Checked, Compute, Kind, Lowered, Lowering, Memory, Program, Rescaled, Rescaling, Shape,
};
use crate::basics::Tensor;
use crate::basics::check::{same_kind, within};
use crate::lowering::{Sum, UNIT, UNSCALED, of_image, offset, sum_bits};
use hwgen_designs::cnn::lower::{Numbers, Window, one_by_one};
use hwgen_designs::cnn::{Rounding, Scale};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rim around the input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pad {
    /// Before the first, an entry an axis.
    pub before: Vec<usize>,
    /// After the last, an entry an axis.
    pub after: Vec<usize>,
    /// The integer that fills it.
    pub value: i32,
}

impl Kind for Pad {
    fn check(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Checked {
        let x = inputs[0];
        for (name, rims) in [("before", &self.before), ("after", &self.after)] {
            for (n, &rim) in rims.iter().enumerate() {
                within(place, &format!("{name}[{n}]"), rim as i64, 0, 65_535)?;
            }
        }
        within(place, "value", self.value.into(), x.lowest().into(), x.highest().into())?;
        same_kind(place, x, output)
    }

    fn shape(&self, inputs: &[&Tensor], _: &Tensor) -> Shape {
        let (Pad { before, after, .. }, x) = (self, &inputs[0].shape);
        if before.len() != x.len() || after.len() != x.len() {
            return Err(format!("a rim for {} axes does not fit {x:?}", before.len()));
        }
        Ok(x.iter().zip(before).zip(after).map(|((x, before), after)| x + before + after).collect())
    }

    fn prepare(&self, inputs: &[&Tensor], output: &Tensor) -> Box<dyn Compute> {
        let shapes = [inputs[0].shape.clone(), output.shape.clone()];
        Box::new(Ready { value: self.value as i16, before: self.before.clone(), shapes })
    }

    fn keeps_scale(&self) -> bool {
        true
    }

    fn rescale(&mut self, rescaling: &Rescaling<'_>) -> Rescaled {
        self.value = rescaling.output.integer(self.value);
        Ok(())
    }

    fn memory(&self, inputs: &[&Tensor], output: &Tensor) -> Memory {
        match inputs[0].image()[2] == output.image()[2] {
            true => Memory::FasterByWords,
            false => Memory::Positions,
        }
    }

    /// Windows of one element, some of them outside.
    fn lower(&self, lowering: &Lowering<'_>, program: &mut dyn Program) -> Lowered {
        let places = lowering.places();
        let [top, left, first] = of_image(&self.before, 0);
        let byte = self.value - offset(lowering.x);
        let window = Window { padding: [top as i32, left as i32], padded: byte as i8, ..UNIT };
        let numbers = lowering.unscaled();
        if first == 0 && self.after.last() == Some(&0) {
            lowering.alone(program, places, window, numbers, Sum::All)?;
        } else {
            // each output channel sees one of the input's, or is but a bias
            let own = |o: u32| o.checked_sub(first).filter(|c| *c < places.0.channels);
            let weight = |o: u32, _: u32, _: u32, c: u32| i8::from(own(o) == Some(c));
            let scale = |o: u32| match own(o) {
                Some(_) => UNSCALED,
                None => Scale { bias: byte, ..UNSCALED },
            };
            let rounding = Rounding::Twice;
            let numbers =
                Numbers { weights: &one_by_one(weight), scale: &scale, rounding, clamp: numbers.2 };
            lowering.dense_of(program, places, window, &numbers)?;
        }
        Ok(sum_bits(1, &Scale { bias: byte, ..UNSCALED }))
    }
}

/// The input's elements in their places, a value everywhere else.
struct Ready {
    value: i16,
    before: Vec<usize>,
    /// Of the input, and of the output.
    shapes: [Vec<usize>; 2],
}

impl Ready {
    /// Where input element `n` goes.
    fn place(&self, n: usize) -> usize {
        let [from, to] = &self.shapes;
        let (mut rest, mut stride, mut place) = (n, 1, 0);
        for (axis, &size) in from.iter().enumerate().rev() {
            place += (rest % size + self.before[axis]) * stride;
            stride *= to[axis];
            rest /= size;
        }
        place
    }
}

impl Compute for Ready {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        output.fill(self.value);
        for (n, &x) in inputs[0].iter().enumerate() {
            output[self.place(n)] = x;
        }
    }
}
