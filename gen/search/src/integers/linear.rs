//! Real weights and what becomes of their sums, as integers.

use super::{cut, nearest};
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
        let (sharing, bits) = stored(self.sharing, self.bits);
        let between = Between { x: x.scale, reach: x.reach(), z: z.scale };
        let channel = Channel { largest, taps: row.len(), factor, offset };
        let fold = channel.fold(self.sharing, self.bits, &between);
        let integer = |w: &f32| self.signed(factor < 0.0, quantize(sharing, bits, largest, *w).0);
        let most = f64::from(most(bits));
        let place = |w: &f32| f64::from(*w) * f64::from(factor) * x.scale / fold.unit;
        let coarse = |w: &f32| place(w).round().clamp(-most, most) as i8;
        let weights = match fold.coarse {
            false => row.iter().map(integer).collect(),
            true => row.iter().map(coarse).collect(),
        };
        Row { weights, bias: fold.bias, multiplier: fold.multiplier }
    }
}

/// How weights are stored: those of which the lane reads the highest bits are words of eight.
fn stored(sharing: Sharing, bits: u32) -> (Sharing, u32) {
    if sharing == Sharing::TopBits && bits < 8 { (Sharing::Free, 8) } else { (sharing, bits) }
}

/// What steps stand for before and behind a layer.
pub(crate) struct Between {
    pub(crate) x: f64,
    /// The largest distance of an input's integer from its zero point.
    pub(crate) reach: i32,
    pub(crate) z: f64,
}

/// An output of a layer with weights.
pub(crate) struct Channel {
    /// The largest weight without its sign.
    pub(crate) largest: f32,
    pub(crate) taps: usize,
    pub(crate) factor: f32,
    pub(crate) offset: f32,
}

/// What the circuit makes of a channel's sums: `multiplier * (sum + bias)`.
struct Fold {
    /// What a step of the sum stands for.
    unit: f64,
    /// The channel says nearly the same whatever goes in: its weights are in steps as coarse as its offset.
    coarse: bool,
    bias: i32,
    multiplier: Multiplier,
}

impl Channel {
    fn fold(&self, sharing: Sharing, bits: u32, between: &Between) -> Fold {
        let (_, width) = stored(sharing, bits);
        let bound = f64::from(bound(self.taps, width, between.reach));
        let step = f64::from(self.step(sharing, bits));
        let unit = step * between.x * f64::from(self.factor.abs());
        let coarsest = f64::from(self.offset.abs()) / bound;
        let coarse = unit <= coarsest;
        let unit = if coarse { coarsest.max(1e-12) } else { unit };
        let bias = (f64::from(self.offset) / unit).round().clamp(-bound, bound) as i32;
        Fold { unit, coarse, bias, multiplier: nearest(unit / between.z) }
    }

    fn step(&self, sharing: Sharing, bits: u32) -> f32 {
        let (sharing, bits) = stored(sharing, bits);
        quantize(sharing, bits, self.largest, 0.0).1
    }

    /// Factor and offset of real sums as the circuit has them: a bias of whole products, a multiplier of few bits.
    pub(crate) fn folded(&self, sharing: Sharing, bits: u32, between: &Between) -> (f32, f32) {
        let fold = self.fold(sharing, bits, between);
        if fold.coarse {
            return (self.factor, self.offset);
        }
        let multiplier = cut(fold.unit / between.z) * between.z;
        let sum = f64::from(self.step(sharing, bits)) * between.x * f64::from(self.factor.signum());
        ((multiplier / sum) as f32, (multiplier * f64::from(fold.bias)) as f32)
    }
}

struct Row {
    weights: Vec<i8>,
    bias: i32,
    multiplier: Multiplier,
}

/// No bias is larger than all of a row's products: so a cost without weights knows it.
pub(super) fn bias_bound(taps: usize, bits: u32, x: &Tensor) -> i32 {
    bound(taps, bits, x.reach())
}

fn bound(taps: usize, bits: u32, reach: i32) -> i32 {
    let products = taps as i64 * i64::from(most(bits)) * i64::from(reach);
    products.clamp(1, 1 << 29) as i32
}
