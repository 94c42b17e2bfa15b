//! Layers with weights: the weights, and what becomes of a sum.

use super::check::{MOST_WEIGHTS, Result, fits, within};
use super::{Clamp, Multipliers, NetworkError, Numbers, Rounding, Tensor};
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
        for (n, weights) in self.weights.chunks_exact(taps).enumerate() {
            let sum: i64 = weights.iter().map(|&weight| i64::from(self.read(weight)).abs()).sum();
            let bias = self.bias.get(n).map_or(0, |&bias| i64::from(bias).abs());
            fits(place, sum * i64::from(x.reach()) + bias)?;
        }
        Ok(())
    }
}
