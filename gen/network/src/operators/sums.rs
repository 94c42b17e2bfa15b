//! Sums of products, and what becomes of a sum.

use crate::basics::{Clamp, Linear, Multiplier, Rounding, Tensor, rescale};

/// Sums of products with each row of weights, by the widest registers that the processor has.
pub(super) fn dots(x: &[i16], weights: &[i16], sums: &mut [i32]) {
    pulp::Arch::new().dispatch(|| {
        for (sum, w) in sums.iter_mut().zip(weights.chunks_exact(x.len())) {
            *sum = dot(x, w);
        }
    });
}

/// The sum of products. The checks of a network see to it that it fits.
#[inline(always)]
pub(super) fn dot(x: &[i16], w: &[i16]) -> i32 {
    // wrapping: a sum that is checked term by term is taken one by one
    x.iter().zip(w).fold(0i32, |sum, (&x, &w)| sum.wrapping_add(i32::from(x) * i32::from(w)))
}

/// What becomes of the sums of a layer with weights.
pub(super) struct Finish {
    bias: Vec<i32>,
    multipliers: Vec<Multiplier>,
    rounding: Rounding,
    zero_point: i32,
    clamp: Clamp,
    positions: usize,
    /// Results are bytes of sums that nothing rescales.
    bytes: bool,
}

impl Finish {
    pub(super) fn new(linear: &Linear, output: &Tensor) -> Finish {
        let outputs = 0..output.image()[2];
        let bias = |n: usize| linear.bias.get(n).copied().unwrap_or(0);
        Finish {
            bias: outputs.clone().map(bias).collect(),
            multipliers: outputs.map(|n| linear.multipliers.of(n)).collect(),
            rounding: linear.rounding,
            zero_point: output.zero_point,
            clamp: linear.clamp,
            positions: output.elements() / output.image()[2],
            bytes: output.sums.is_some(),
        }
    }

    /// Where the results of a position go, position by position; of sums first their lowest bytes,
    /// then the next. With which byte it is, and which position.
    pub(super) fn results<'o>(
        &self,
        output: &'o mut [i16],
    ) -> impl Iterator<Item = (usize, usize, &'o mut [i16])> + use<'o> {
        let positions = self.positions;
        let results = output.chunks_exact_mut(self.bias.len()).enumerate();
        results.map(move |(n, results)| (n / positions, n % positions, results))
    }

    /// The result of an output channel's sum, or that byte of the sum.
    pub(super) fn apply(&self, byte: usize, channel: usize, sum: i32) -> i16 {
        let (sum, multiplier) = (sum + self.bias[channel], self.multipliers[channel]);
        if self.bytes {
            return i16::from((sum >> (8 * byte)) as i8);
        }
        place(rescale(sum, multiplier, self.rounding), self.zero_point, self.clamp)
    }
}

/// A rescaled number around the output's zero point, within its bounds.
pub(super) fn place(scaled: i32, zero_point: i32, clamp: Clamp) -> i16 {
    clamp.apply(scaled.saturating_add(zero_point)) as i16
}

/// Elements as distances from their zero point.
pub(super) fn center(x: &[i16], zero_point: i32, centered: &mut Vec<i16>) {
    centered.clear();
    centered.extend(x.iter().map(|&x| x - zero_point as i16));
}
