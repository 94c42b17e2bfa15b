//! `add`: two tensors, element by element.

use super::sums::place;
use super::{
    Checked, Compute, Kind, Lowered, Lowering, Memory, Program, Rescaled, Rescaling, Shape,
};
use crate::basics::check::{fits, within};
use crate::basics::{Clamp, Multiplier, Rounding, Tensor, rescale};
use crate::lowering::{offset, scale, unsupported};
use hwgen_designs::cnn::{AddScale, Job, Nibbles, job};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// `z = z0 + M(M0((x - x0) << s) + M1((y - y0) << s))`, the two of one shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// Bits gained before the inputs are rescaled; TFLite has 20.
    pub left_shift: u32,
    /// Rescaling of the inputs.
    pub inputs: [Multiplier; 2],
    /// Rescaling of their sum.
    pub multiplier: Multiplier,
    /// How it is rounded.
    #[serde(default, skip_serializing_if = "Rounding::is_default")]
    pub rounding: Rounding,
    /// Bounds of the result.
    pub clamp: Clamp,
}

impl Kind for Add {
    fn arity(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn check(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Checked {
        self.clamp.check(place, output)?;
        within(place, "left_shift", self.left_shift.into(), 0, 22)?;
        self.inputs[0].check(place, "inputs[0]", true)?;
        self.inputs[1].check(place, "inputs[1]", true)?;
        self.multiplier.check(place, "multiplier", false)?;
        let reach = |n: usize| f64::from(inputs[n].reach()) * self.inputs[n].factor().abs();
        fits(place, ((reach(0) + reach(1)) * f64::from(1 << self.left_shift)) as i64 + 2)
    }

    fn shape(&self, inputs: &[&Tensor], _: &Tensor) -> Shape {
        let (x, y) = (&inputs[0].shape, &inputs[1].shape);
        match x == y {
            true => Ok(x.clone()),
            false => Err(format!("inputs {x:?} and {y:?} differ in shape")),
        }
    }

    fn prepare(&self, inputs: &[&Tensor], output: &Tensor) -> Box<dyn Compute> {
        let terms = [0, 1].map(|n| Term::new(self, inputs[n], self.inputs[n]));
        Box::new(Ready { add: self.clone(), terms, zero_point: output.zero_point })
    }

    /// Multipliers of terms stay below 1: what is too much goes into that of the sum.
    fn rescale(&mut self, rescaling: &Rescaling<'_>) -> Rescaled {
        let shift = rescaling.addition_shift.unwrap_or(self.left_shift);
        let ratios = [0, 1].map(|n| rescaling.inputs[n].ratio());
        let largest = [0, 1].map(|n| (self.inputs[n].factor() * ratios[n]).abs());
        let largest = largest[0].max(largest[1]);
        let beyond = if largest < 1.0 { 1.0 } else { 2.0 * largest };
        for (input, ratio) in self.inputs.iter_mut().zip(ratios) {
            *input = rescaling.multiplier(*input, ratio / beyond)?;
        }
        let shifted = 2f64.powi(self.left_shift as i32 - shift as i32);
        let factor = shifted * beyond / rescaling.output.ratio();
        self.multiplier = rescaling.multiplier(self.multiplier, factor)?;
        self.left_shift = shift;
        self.clamp = rescaling.output.clamp(self.clamp);
        Ok(())
    }

    fn memory(&self, _: &[&Tensor], _: &Tensor) -> Memory {
        Memory::Alike
    }

    fn lower(&self, lowering: &Lowering<'_>, program: &mut dyn Program) -> Lowered {
        let (spec, name, to) = (lowering.spec, lowering.name, lowering.to);
        if self.left_shift != spec.addition_shift {
            let what = format!("it shifts by {}", self.left_shift);
            let instead =
                format!("the core shifts by {}: all additions alike", spec.addition_shift);
            return Err(unsupported(name, what, &instead));
        }
        if !spec.additions {
            let instead = "set the core's `additions`";
            return Err(unsupported(name, "the core adds no tensors", instead));
        }
        let of = |multiplier: Multiplier| {
            let scale = scale(name, multiplier, 0)?;
            match scale.left {
                0 => Ok(AddScale { multiplier: scale.multiplier, right: scale.right }),
                _ => Err(unsupported(name, "a multiplier is 1 or more", "widen the output")),
            }
        };
        let terms = [0, 1].map(|n| &lowering.inputs[n]);
        let [input, second] = terms.map(|term| term.place.nibbles);
        program.jobs().push(Job::Add(job::Add {
            nibbles: Nibbles { input, second, output: to.nibbles },
            inputs: terms.map(|term| term.place.base),
            zeros: terms.map(|term| (term.tensor.zero_point - offset(term.tensor)) as i8),
            scales: [of(self.inputs[0])?, of(self.inputs[1])?, of(self.multiplier)?],
            rounding: self.rounding.into(),
            output: to.base,
            chunks: to.bytes().div_ceil(spec.results),
            clamp: lowering.clamp(self.clamp),
        }));
        Ok(0)
    }
}

/// `M((x - x0) << left_shift)` of every integer an input can hold, from the lowest on.
struct Term {
    lowest: i32,
    values: Vec<i32>,
}

impl Term {
    fn new(add: &Add, x: &Tensor, multiplier: Multiplier) -> Term {
        let value = |integer: i32| {
            rescale((integer - x.zero_point) << add.left_shift, multiplier, add.rounding)
        };
        Term { lowest: x.lowest(), values: (x.lowest()..=x.highest()).map(value).collect() }
    }

    fn of(&self, x: i16) -> i32 {
        self.values[(i32::from(x) - self.lowest) as usize]
    }
}

struct Ready {
    add: Add,
    terms: [Term; 2],
    zero_point: i32,
}

impl Compute for Ready {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let Ready { add, terms, zero_point } = self;
        let pairs = inputs[0].iter().zip(inputs[1]);
        for (result, (&x, &y)) in output.iter_mut().zip(pairs) {
            let scaled = rescale(terms[0].of(x) + terms[1].of(y), add.multiplier, add.rounding);
            *result = place(scaled, *zero_point, add.clamp);
        }
    }
}
