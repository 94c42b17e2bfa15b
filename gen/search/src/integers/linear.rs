//! Real weights and what becomes of their sums, as integers.

use super::nearest;
use crate::supernet::{Sharing, most, quantize};
use hwgen_network::graph::{Clamp, Linear, Multiplier, Multipliers, Rounding, Tensor};

/// A layer's weights, an output's beside each other, and what is done to its sums: `factor * sum + offset`.
pub(super) struct Real {
    pub(super) bits: u32,
    pub(super) sharing: Sharing,
    /// Of each output.
    pub(super) weights: Vec<Vec<f32>>,
    pub(super) factors: Vec<f32>,
    pub(super) offsets: Vec<f32>,
}

impl Real {
    /// Integers between two tensors.
    pub(super) fn linear(&self, x: &Tensor, z: &Tensor, clamp: Clamp) -> Linear {
        let rows = self.weights.iter().zip(self.factors.iter().zip(&self.offsets));
        let rows = rows.map(|(row, (&factor, &offset))| self.row(row, factor, offset, x, z));
        let (mut weights, mut bias, mut multipliers) = (vec![], vec![], vec![]);
        for row in rows {
            weights.extend(row.weights);
            bias.push(row.bias);
            multipliers.push(row.multiplier);
        }
        let shared = self.is_shared().then_some(self.bits);
        Linear {
            bits: if shared.is_some() { 8 } else { self.bits },
            shared,
            weights: weights.into(),
            bias: bias.into(),
            multipliers: Multipliers::from_iter(multipliers),
            rounding: Rounding::Once,
            clamp,
        }
    }

    /// Weights stay words of eight bits, of which the lane reads the highest.
    fn is_shared(&self) -> bool {
        self.sharing == Sharing::TopBits && self.bits < 8
    }

    /// A weight, or what has its sign turned. What is read of a shared word lies half a step above a multiple: the
    /// word that reads as its negative is its complement, which may be -128, where -127 reads the same.
    fn signed(&self, turned: bool, weight: f32) -> i8 {
        let word = weight as i8;
        match (turned, self.is_shared()) {
            (false, _) => word,
            (true, false) => -word,
            (true, true) => (!word).max(-127),
        }
    }

    fn row(&self, row: &[f32], factor: f32, offset: f32, x: &Tensor, z: &Tensor) -> Row {
        let largest = row.iter().fold(0.0f32, |largest, w| largest.max(w.abs()));
        let bits = if self.is_shared() { 8 } else { self.bits };
        let sharing = if self.is_shared() { Sharing::Free } else { self.sharing };
        let step = quantize(sharing, bits, largest, 0.0).1;
        // what a step of the sum stands for
        let unit = f64::from(step) * x.scale * f64::from(factor.abs());
        let bound = bias_bound(row.len(), bits, x);
        let coarsest = f64::from(offset.abs()) / f64::from(bound);
        let integer = |w: &f32| self.signed(factor < 0.0, quantize(sharing, bits, largest, *w).0);
        let (unit, weights): (f64, Vec<i8>) = match unit > coarsest {
            true => (unit, row.iter().map(integer).collect()),
            // a channel that says nearly the same whatever goes in: its weights in steps as coarse as its offset
            false => {
                let unit = coarsest.max(1e-12);
                let most = f64::from(most(bits));
                let place = |w: &f32| f64::from(*w) * f64::from(factor) * x.scale / unit;
                let weights = row.iter().map(|w| place(w).round().clamp(-most, most) as i8);
                (unit, weights.collect())
            }
        };
        let bias = (f64::from(offset) / unit).round().clamp(-f64::from(bound), f64::from(bound));
        Row { weights, bias: bias as i32, multiplier: nearest(unit / z.scale) }
    }
}

struct Row {
    weights: Vec<i8>,
    bias: i32,
    multiplier: Multiplier,
}

/// No bias is larger than all of a row's products: so a cost without weights knows it.
pub(super) fn bias_bound(taps: usize, bits: u32, x: &Tensor) -> i32 {
    let products = taps as i64 * i64::from(most(bits)) * i64::from(x.reach());
    products.clamp(1, 1 << 29) as i32
}
