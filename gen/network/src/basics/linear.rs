//! Layers with weights: the weights, and what becomes of a sum.

use super::check::{MOST_WEIGHTS, Result, fits, within};
use super::{
    Clamp, Multiplier, Multipliers, NetworkError, Numbers, Rescaling, Rounding, Sums, Tensor,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Weights, bias and what becomes of a sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// Bits of a weight, 2 to 8; two's complement.
    pub bits: u32,
    /// Only so many top bits of each weight of eight bits are read, with half a step below them:
    /// one memory serves a network at every width.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<u32>,
    /// The outermost index is the output.
    pub weights: Numbers<i8>,
    /// One an output; empty is none.
    pub bias: Numbers<i32>,
    /// One, or one an output.
    pub multipliers: Multipliers,
    /// How a rescaled sum is rounded.
    #[serde(default)]
    pub rounding: Rounding,
    /// Bounds of the result.
    pub clamp: Clamp,
}

impl Linear {
    /// A stored weight as it is read.
    pub fn read(&self, stored: i8) -> i8 {
        match self.shared {
            Some(bits) if bits < 8 => {
                let below = 8 - bits;
                (stored >> below << below) | (1 << (below - 1))
            }
            _ => stored,
        }
    }

    /// For tensors that are quantized anew.
    pub(crate) fn rescale(&mut self, rescaling: &Rescaling<'_>) -> std::result::Result<(), String> {
        let (ratio, step) = (rescaling.ratio(), rescaling.inputs[0].ratio());
        let bias = self.bias.iter().map(|&bias| (f64::from(bias) / step).round() as i32);
        self.bias = bias.collect::<Vec<_>>().into();
        if rescaling.output.before.sums.is_some() {
            return Ok(());
        }
        let multipliers = (0..self.multipliers.mantissas.len())
            .map(|n| rescaling.multiplier(self.multipliers.of(n), ratio));
        self.multipliers = multipliers.collect::<std::result::Result<_, String>>()?;
        self.clamp = rescaling.output.clamp(self.clamp);
        Ok(())
    }

    /// The weight that is farthest from 0, as it is stored; symmetric ones have none that is the least of
    /// their bits.
    pub(crate) fn farthest(&self, symmetric: bool) -> i8 {
        (-1i8 << (self.bits - 1)) + i8::from(symmetric)
    }

    /// `taps` weights an output, each in range; no sum goes beyond 32 bits. Of weights that are left out
    /// their number and bits.
    pub(crate) fn check(
        &self,
        place: &str,
        taps: usize,
        x: &Tensor,
        output: &Tensor,
    ) -> Result<()> {
        let outputs = output.image()[2];
        self.clamp.check(place, output)?;
        within(place, "linear.bits", self.bits.into(), 2, 8)?;
        if let Some(bits) = self.shared {
            within(place, "linear.shared", bits.into(), 2, 8)?;
            within(place, "linear.bits", self.bits.into(), 8, 8)?;
        }
        let expected = taps.saturating_mul(outputs);
        within(place, "weights", expected as i64, 1, MOST_WEIGHTS as i64)?;
        if self.weights.are_left_out() {
            return Ok(());
        }
        if self.weights.len() != expected {
            let expected = format!("{expected}: {taps} for each of {outputs} outputs");
            return Err(NetworkError::wrong_length(
                place,
                "linear.weights",
                self.weights.len(),
                expected,
            ));
        }
        if ![0, outputs].contains(&self.bias.len()) {
            let expected = format!("none or {outputs}");
            return Err(NetworkError::wrong_length(
                place,
                "linear.bias",
                self.bias.len(),
                expected,
            ));
        }
        let lists = [
            ("linear.multipliers.mantissas", self.multipliers.mantissas.len()),
            ("linear.multipliers.shifts", self.multipliers.shifts.len()),
        ];
        for (field, length) in lists {
            if length != lists[0].1 || ![1, outputs].contains(&length) {
                let expected = format!("1 or {outputs}, mantissas and shifts alike");
                return Err(NetworkError::wrong_length(place, field, length, expected));
            }
        }
        if output.sums.is_some() {
            self.check_unscaled(place, output)?;
        }
        for n in 0..lists[0].1 {
            self.multipliers.of(n).check(place, &format!("linear.multipliers[{n}]"), false)?;
        }
        let half = 1i64 << (self.bits - 1);
        for (n, &weight) in self.weights.iter().enumerate() {
            if !(-half..half).contains(&weight.into()) {
                return within(
                    place,
                    &format!("linear.weights[{n}]"),
                    weight.into(),
                    -half,
                    half - 1,
                );
            }
        }
        let reach = self.reach(outputs, x);
        fits(place, reach)?;
        if output.sums.is_some() && reach > output.highest().into() {
            let (bits, range) = (output.bits, format!("enough for sums of up to {reach}"));
            return Err(NetworkError::out_of_range(place, "bits of its sums", bits, range));
        }
        Ok(())
    }

    /// How far the widest sum of so many outputs can be from 0.
    fn reach(&self, outputs: usize, x: &Tensor) -> i64 {
        let taps = (self.weights.len() / outputs.max(1)).max(1);
        let reach = |(n, weights): (usize, &[i8])| {
            let sum: i64 = weights.iter().map(|&weight| i64::from(self.read(weight)).abs()).sum();
            let bias = self.bias.get(n).map_or(0, |&bias| i64::from(bias).abs());
            sum * i64::from(x.reach()) + bias
        };
        self.weights.chunks_exact(taps).enumerate().map(reach).max().unwrap_or(0)
    }

    /// Bits that the sums of so many outputs need, 32 at most.
    pub(crate) fn sum_bits(&self, outputs: usize, x: &Tensor) -> u32 {
        let bits = 64 - self.reach(outputs, x).leading_zeros() + 1;
        bits.clamp(2, Sums::MOST_BITS)
    }

    /// What becomes of sums that are left as they are: nothing.
    fn check_unscaled(&self, place: &str, output: &Tensor) -> Result<()> {
        let refuse = |field: &str, value: String, range: &str| {
            Err(NetworkError::out_of_range(place, field, value, range))
        };
        let Multiplier { mantissa, shift } = self.multipliers.of(0);
        if self.multipliers.mantissas.len() != 1 || self.multipliers.of(0) != Multiplier::ONE {
            let value = format!("{mantissa} * 2^({shift} - 31)");
            return refuse("linear.multipliers", value, "one of 2^30 * 2^(1 - 31) for sums");
        }
        let Clamp { min, max } = self.clamp;
        if self.clamp != Clamp::of(output) {
            return refuse(
                "linear.clamp",
                format!("{min} to {max}"),
                "all that the sums' bits hold",
            );
        }
        match self.rounding.is_default() {
            true => Ok(()),
            false => refuse("linear.rounding", format!("{:?}", self.rounding), "left out for sums"),
        }
    }
}
