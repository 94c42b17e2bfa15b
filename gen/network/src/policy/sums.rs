//! Sums that a layer leaves as they are: what a policy does to their steps.

use crate::graph::{Clamp, Layer, Linear, Multiplier, Network, Tensor};

/// The steps of the sums of the layer at `at` become so many times as long, each output's own, and their bits
/// what its weights can make.
pub(super) fn fit(network: &mut Network, at: usize, longer: &[f64]) {
    let is = |name: &str| network.tensors.iter().position(|tensor| tensor.name == name);
    let of = |layer: &Layer| is(layer.inputs.first()?).zip(is(&layer.output));
    let Some((x, made)) = of(&network.layers[at]) else { return };
    let left_out = |linear: &Linear| linear.weights.are_left_out();
    let unknown = network.layers[at].operator.linear().is_none_or(left_out);
    if unknown || network.tensors[made].sums.is_none() {
        return;
    }
    // reshapes of them tell the same
    let mut all = vec![made];
    for (x, z) in network.layers[at + 1..].iter().filter_map(of) {
        if all.contains(&x) {
            all.push(z);
        }
    }
    let x = network.tensors[x].clone();
    let Some(linear) = network.layers[at].operator.linear_mut() else { return };
    linear.multipliers = [Multiplier::ONE].into_iter().collect();
    let bits = linear.sum_bits(network.tensors[made].image()[2], &x);
    linear.clamp = Clamp { min: -1 << (bits - 1), max: i32::MAX >> (32 - bits) };
    for tensor in all {
        let tensor = &mut network.tensors[tensor];
        tensor.bits = bits;
        lengthen(tensor, longer);
    }
}

fn lengthen(tensor: &mut Tensor, longer: &[f64]) {
    let Some(sums) = &mut tensor.sums else { return };
    let changed = longer.iter().any(|&longer| longer != 1.0);
    let before = |n: usize| match sums.scales.len() {
        0 => tensor.scale,
        count => sums.scales[n % count],
    };
    let scales: Vec<f64> =
        longer.iter().enumerate().map(|(n, longer)| before(n) * longer).collect();
    tensor.scale = scales.iter().copied().fold(0.0, f64::max);
    let alike = scales.iter().all(|&scale| scale == tensor.scale);
    sums.scales = if alike { vec![] } else { scales };
    // biases are rounded to them once more
    sums.off_by += if changed { tensor.scale / 2.0 } else { 0.0 };
}
