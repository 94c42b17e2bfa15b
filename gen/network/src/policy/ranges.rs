//! A range for numbers of fewer bits: the one that leaves the smallest squares of errors.

use crate::graph::Tensor;

/// Ends that are tried between 0 and the farthest number.
const TRIED: u32 = 32;

/// A tensor of so many bits, for what was seen of it; all that it could hold, if nothing was.
///
/// A zero point of 0 stays 0: products of two tensors have no other.
pub(super) fn narrowed(tensor: &Tensor, bits: u32, counts: Option<&[u64]>) -> Tensor {
    let seen = |counts: &[u64]| {
        let first = counts.iter().position(|&count| count > 0)? as i32;
        let last = counts.iter().rposition(|&count| count > 0)? as i32;
        Some([first, last].map(|place| place + tensor.lowest() - tensor.zero_point))
    };
    let whole = [tensor.lowest(), tensor.highest()].map(|end| end - tensor.zero_point);
    let [least, most] = counts.and_then(seen).unwrap_or(whole).map(f64::from);
    let (least, most) = (least.min(0.0), most.max(0.0));
    let part = |end: f64, n: u32| end * f64::from(n) / f64::from(TRIED);
    let (counts, tried) = match counts {
        Some(counts) => (counts, TRIED / 4..=TRIED),
        None => (&[][..], TRIED..=TRIED),
    };
    let ends = |end: f64| tried.clone().map(move |n| part(end, n));
    let symmetric = tensor.signed && tensor.zero_point == 0;
    let ranges: Vec<_> = match symmetric {
        true => ends(most.max(-least)).map(|end| (-end, end)).collect(),
        false => ends(least).flat_map(|low| ends(most).map(move |high| (low, high))).collect(),
    };
    let candidates = ranges.into_iter().map(|range| of_range(tensor, bits, range));
    let errors = candidates.map(|candidate| (error(tensor, &candidate, counts), candidate));
    let best = errors.min_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map_or_else(|| of_range(tensor, bits, (least, most)), |(_, best)| best)
}

/// A tensor of so many bits that reaches from one number of steps to another.
fn of_range(tensor: &Tensor, bits: u32, (least, most): (f64, f64)) -> Tensor {
    let mut after = Tensor { bits, zero_point: 0, ..tensor.clone() };
    let symmetric = tensor.signed && tensor.zero_point == 0;
    let steps = (1u32 << bits) - if symmetric { 2 } else { 1 };
    let step = (most - least) / f64::from(steps);
    // what holds but its zero point keeps its step
    let step = if step > 0.0 { step } else { 1.0 };
    after.scale = tensor.scale * step;
    if !symmetric {
        let zero = f64::from(after.lowest()) - (least / step).round();
        after.zero_point = zero.clamp(after.lowest().into(), after.highest().into()) as i32;
    }
    after
}

/// The squares of what all numbers that were seen lose.
fn error(before: &Tensor, after: &Tensor, counts: &[u64]) -> f64 {
    let lost = |(place, &count): (usize, &u64)| {
        let real = before.real(before.lowest() + place as i32);
        let lost = (real - after.real(after.quantize(real))) / before.scale;
        lost * lost * count as f64
    };
    counts.iter().enumerate().filter(|(_, count)| **count > 0).map(lost).sum()
}

/// The step for a channel's weights, in steps before, and the weights: those that lose least, each
/// loss times what its input holds.
pub(super) fn narrowed_weights(
    weights: &[i8],
    [lowest, highest]: [i32; 2],
    energy: &dyn Fn(usize) -> f64,
) -> (f64, Vec<i8>) {
    let largest = weights.iter().map(|weight| i32::from(*weight).abs()).max().unwrap_or(0);
    if largest == 0 {
        return (1.0, weights.to_vec());
    }
    let cut = |step: f64| {
        let cut = |&weight: &i8| {
            (f64::from(weight) / step).round().clamp(lowest.into(), highest.into()) as i8
        };
        weights.iter().map(cut).collect::<Vec<_>>()
    };
    let lost = |step: f64, cut: &[i8]| {
        let pairs = weights.iter().zip(cut).enumerate();
        let lost = pairs.map(|(n, (&weight, &cut))| {
            let lost = f64::from(weight) - step * f64::from(cut);
            lost * lost * energy(n)
        });
        lost.sum::<f64>()
    };
    let step = |n: u32| f64::from(largest) / f64::from(highest) * f64::from(n) / 48.0;
    let candidates = (16..=48).map(|n| (step(n), cut(step(n))));
    let errors = candidates.map(|(step, cut)| (lost(step, &cut), step, cut));
    let best = errors.min_by(|(a, ..), (b, ..)| a.total_cmp(b));
    best.map_or_else(|| (1.0, weights.to_vec()), |(_, step, cut)| (step, cut))
}
