//! `prelu`: another slope below 0 for each channel.

use super::sums::place;
use super::{
    Add, Checked, Compute, Conv2d, Kind, Lowered, Lowering, Memory, Operator, Part, Program, Read,
    Requantize, Rescaled, Rescaling, Shape,
};
use crate::basics::check::{fits, within};
use crate::basics::{
    Clamp, Linear, Multiplier, Multipliers, NetworkError, Numbers, Pads, Rounding, Tensor, Window,
    rescale,
};
use crate::lowering::unsupported;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `z = z0 + M(x - x0)` where x is x0 or more, else `z = z0 + B((x - x0) * slope)`, a slope a channel;
/// both are rounded twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prelu {
    /// One a channel, -255 to 255.
    pub slopes: Numbers<i32>,
    /// Rescaling of what is not below 0.
    pub multiplier: Multiplier,
    /// Rescaling of what is, times its slope.
    pub below: Multiplier,
    /// Bounds of the result.
    pub clamp: Clamp,
}

/// The largest slope: a difference of two bytes.
const STEEPEST: i32 = 255;

/// A factor of 2^n.
const fn power(n: i32) -> Multiplier {
    Multiplier { mantissa: 1 << 30, shift: n + 1 }
}

impl Prelu {
    /// `z0 + B((x - x0) * slope)` of the slopes that are chosen, 0 for the others. A slope has more
    /// bits than a weight: the window sees an element several times, each with a share.
    fn sloped(&self, chosen: impl Fn(i32) -> bool, clamp: Clamp) -> Operator {
        let taps = STEEPEST / i32::from(i8::MAX) + 1;
        let share = |slope: i32, tap: i32| (slope + tap * slope.signum()) / taps;
        let weights = self.slopes.iter().flat_map(|&slope| {
            let slope = if chosen(slope) { slope } else { 0 };
            (0..taps).map(move |tap| share(slope, tap) as i8)
        });
        let (kernel, dilation) = ([1, taps as usize], [1, 0]);
        let window = Window { kernel, stride: [1, 1], dilation, pads: Pads::default() };
        let linear = Linear {
            bits: 8,
            shared: None,
            weights: weights.collect::<Vec<_>>().into(),
            bias: vec![].into(),
            multipliers: [self.below].into_iter().collect::<Multipliers>(),
            rounding: Rounding::Twice,
            clamp,
        };
        Operator::Conv2d(Conv2d { window, groups: self.slopes.len(), linear })
    }
}

impl Kind for Prelu {
    fn check(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Checked {
        self.clamp.check(place, output)?;
        self.multiplier.check(place, "multiplier", false)?;
        self.below.check(place, "below", false)?;
        let (slopes, channels) = (&self.slopes, inputs[0].image()[2]);
        if slopes.len() != channels {
            let expected = format!("{channels}, one a channel");
            return Err(NetworkError::wrong_length(place, "slopes", slopes.len(), expected));
        }
        let most = i64::from(STEEPEST);
        slopes.iter().enumerate().try_for_each(|(n, &slope)| {
            within(place, &format!("slopes[{n}]"), slope.into(), -most, most)
        })?;
        fits(place, i64::from(inputs[0].reach()) * most)
    }

    fn shape(&self, inputs: &[&Tensor], _: &Tensor) -> Shape {
        Ok(inputs[0].shape.clone())
    }

    fn prepare(&self, inputs: &[&Tensor], output: &Tensor) -> Box<dyn Compute> {
        let zero_points = [inputs[0].zero_point, output.zero_point];
        Box::new(Ready { prelu: self.clone(), zero_points })
    }

    fn rescale(&mut self, rescaling: &Rescaling<'_>) -> Rescaled {
        let ratio = rescaling.ratio();
        self.multiplier = rescaling.multiplier(self.multiplier, ratio)?;
        self.below = rescaling.multiplier(self.below, ratio)?;
        self.clamp = rescaling.output.clamp(self.clamp);
        Ok(())
    }

    fn memory(&self, _: &[&Tensor], _: &Tensor) -> Memory {
        Memory::Positions
    }

    /// What is above 0, and what is below it of slopes of either sign; each is z0 where another is not,
    /// so that their sum is exact.
    fn expand(&self, inputs: &[&Tensor], output: &Tensor) -> Vec<Part> {
        let whole = Clamp::of(output);
        let (up, down) =
            (Clamp { min: output.zero_point, ..whole }, Clamp { max: output.zero_point, ..whole });
        let (multiplier, rounding) = (self.multiplier, Rounding::Twice);
        let above = Requantize { multiplier, rounding, clamp: up };
        let mut operators = vec![Operator::Requantize(above)];
        operators.push(self.sloped(|slope| slope >= 0, down));
        if self.slopes.iter().any(|&slope| slope < 0) {
            operators.push(self.sloped(|slope| slope < 0, up));
        }
        let shape = &inputs[0].shape;
        let part = |operator, inputs| Part { operator, inputs, shape: shape.clone() };
        let terms = operators.len();
        let mut parts: Vec<_> =
            operators.into_iter().map(|operator| part(operator, vec![Read::Given(0)])).collect();
        for term in 1..terms {
            let sum = if term == 1 { 0 } else { parts.len() - 1 };
            let clamp = if term + 1 == terms { self.clamp } else { whole };
            let (inputs, left_shift) = ([power(-1); 2], 20);
            let multiplier = power(1 - left_shift as i32);
            let add = Add { left_shift, inputs, multiplier, rounding, clamp };
            parts.push(part(Operator::Add(add), vec![Read::Made(sum), Read::Made(term)]));
        }
        parts
    }

    fn lower(&self, lowering: &Lowering<'_>, _: &mut dyn Program) -> Lowered {
        Err(unsupported(lowering.name, "it was not taken apart", "report this"))
    }
}

struct Ready {
    prelu: Prelu,
    zero_points: [i32; 2],
}

impl Compute for Ready {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let Ready { prelu: Prelu { slopes, multiplier, below, clamp }, zero_points } = self;
        let [before, after] = *zero_points;
        for (n, (result, &x)) in output.iter_mut().zip(inputs[0]).enumerate() {
            let x = i32::from(x) - before;
            let scaled = match x >= 0 {
                true => rescale(x, *multiplier, Rounding::Twice),
                false => rescale(x * slopes[n % slopes.len()], *below, Rounding::Twice),
            };
            *result = place(scaled, after, *clamp);
        }
    }
}
