//! What narrow numbers bring: cycles at equal multipliers. `cargo xtask bars narrow`.

mod models;

use hwgen_designs::cnn::Multiplier;
use hwgen_network::graph::{Multiplier as HwMultiplier, Network, Operator};
use hwgen_network::import::import;
use hwgen_network::plan::{Budget, size_outline};
use hwgen_network::zoo;

/// A network with other numbers: weights of so many bits, none the least of them, activations of so many.
fn narrowed(network: &Network, weight_bits: u32, activation_bits: u32) -> Network {
    let mut network = network.clone();
    let narrow = weight_bits < 8;
    for tensor in &mut network.tensors {
        let places = 8 - activation_bits;
        tensor.bits = activation_bits;
        tensor.zero_point >>= places;
    }
    for layer in &mut network.layers {
        let cut =
            |multiplier: &mut HwMultiplier| multiplier.mantissa = multiplier.mantissa >> 16 << 16;
        if narrow {
            match &mut layer.operator {
                Operator::Add(add) => {
                    add.left_shift = 8;
                    add.inputs.iter_mut().for_each(cut);
                    cut(&mut add.multiplier);
                }
                Operator::Mean(mean) => cut(&mut mean.multiplier),
                _ => {}
            }
        }
        let linear = match &mut layer.operator {
            Operator::Conv2d(conv) => &mut conv.linear,
            Operator::FullyConnected(dense) => &mut dense.linear,
            _ => continue,
        };
        if narrow {
            for m in linear.multipliers.mantissas.iter().copied().collect::<Vec<_>>() {
                let _ = m;
            }
            let cutted: Vec<_> =
                linear.multipliers.mantissas.iter().map(|m| m >> 16 << 16).collect();
            linear.multipliers.mantissas = cutted.into();
        }
        let places = 8_u32.saturating_sub(weight_bits);
        let least = (1i32 - (1 << (weight_bits - 1))) as i8;
        let weights = linear.weights.iter().map(|&w| (w >> places).max(least));
        linear.weights = weights.collect::<Vec<i8>>().into();
        linear.bits = weight_bits;
        linear.bias = linear
            .bias
            .iter()
            .map(|&b| b >> (places + 8 - activation_bits))
            .collect::<Vec<i32>>()
            .into();
    }
    network
}

#[test]
fn narrow_numbers_take_fewer_cycles() {
    let real = |path: &str| {
        let path = std::path::Path::new(&std::env::var("HWGEN_DATA").unwrap()).join(path);
        import("x", &std::fs::read(path).unwrap()).unwrap()
    };
    let networks = [
        ("kws", real("mlperf_tiny/kws_ref_model_int8.tflite")),
        ("resnet", real("mlperf_tiny/ic_resnet8_int8.tflite")),
        ("mobilenet_v2", import("mobilenet_v2", &models::mobilenet_v2(1)).unwrap()),
    ];
    let _ = zoo::kws_mini(1);
    for (name, network) in &networks {
        for multipliers in [49, 97] {
            for kind in [Multiplier::Bits25x18, Multiplier::Bits18x18] {
                let mut base = 0;
                for (w, a) in [(8, 8), (4, 8), (4, 7), (4, 4)] {
                    let network = narrowed(network, w, a);
                    let budget = Budget { kind, ..Budget::of(&network, multipliers) };
                    let (spec, plan) = size_outline(&network, budget).unwrap();
                    let cycles = plan.cycles();
                    if w == 8 {
                        base = cycles;
                    }
                    println!(
                        "{name} {multipliers} {kind:?} W{w}A{a}: {cycles} cycles, {:.2}x; lanes {} pixels {} results {} acc {} dual {} used {:.3}",
                        base as f64 / cycles as f64,
                        spec.lanes,
                        spec.pixels,
                        spec.results,
                        spec.accumulator_bits,
                        spec.dual,
                        plan.utilization(&spec),
                    );
                }
            }
        }
    }
}
