//! `requantize`: another scale.

use super::sums::place;
use super::{
    Checked, Compute, Kind, Lowered, Lowering, Memory, Program, Rescaled, Rescaling, Shape, lookup,
};
use crate::basics::{Clamp, Multiplier, Rounding, Tensor, rescale};
use crate::lowering::{Sum, UNIT, scale, sum_bits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `z = z0 + M(x - x0)`; the multiplier may be negative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requantize {
    /// Rescaling.
    pub multiplier: Multiplier,
    /// How it is rounded.
    #[serde(default, skip_serializing_if = "Rounding::is_default")]
    pub rounding: Rounding,
    /// Bounds of the result.
    pub clamp: Clamp,
}

impl Requantize {
    /// A mere copy of a tensor.
    pub(crate) fn copy(x: &Tensor) -> Requantize {
        Requantize { multiplier: Multiplier::ONE, rounding: Rounding::Twice, clamp: Clamp::of(x) }
    }
}

impl Kind for Requantize {
    fn check(&self, place: &str, _: &[&Tensor], output: &Tensor) -> Checked {
        self.clamp.check(place, output)?;
        self.multiplier.check(place, "multiplier", true)
    }

    fn shape(&self, inputs: &[&Tensor], _: &Tensor) -> Shape {
        Ok(inputs[0].shape.clone())
    }

    fn prepare(&self, inputs: &[&Tensor], output: &Tensor) -> Box<dyn Compute> {
        let x = inputs[0];
        let value = |q: i32| {
            let scaled = rescale(q - x.zero_point, self.multiplier, self.rounding);
            place(scaled, output.zero_point, self.clamp)
        };
        Box::new(lookup::Ready::new(x, (x.lowest()..=x.highest()).map(value).collect()))
    }

    fn rescale(&mut self, rescaling: &Rescaling<'_>) -> Rescaled {
        self.multiplier = rescaling.multiplier(self.multiplier, rescaling.ratio())?;
        self.clamp = rescaling.output.clamp(self.clamp);
        Ok(())
    }

    fn memory(&self, _: &[&Tensor], _: &Tensor) -> Memory {
        match self.multiplier == Multiplier::ONE {
            true => Memory::Positions,
            false => Memory::FasterByWords,
        }
    }

    /// A negative scale is that of the negated input.
    fn lower(&self, lowering: &Lowering<'_>, program: &mut dyn Program) -> Lowered {
        let zero = lowering.zero();
        let Multiplier { mantissa, shift } = self.multiplier;
        let (sum, bias, mantissa) = match mantissa < 0 {
            true => (Sum::Negated, zero, mantissa.saturating_neg()),
            false => (Sum::All, -zero, mantissa),
        };
        let scale = scale(lowering.name, Multiplier { mantissa, shift }, bias)?;
        let numbers = (scale, self.rounding.into(), lowering.clamp(self.clamp));
        lowering.alone(program, lowering.places(), UNIT, numbers, sum)?;
        Ok(sum_bits(1, &scale))
    }
}
