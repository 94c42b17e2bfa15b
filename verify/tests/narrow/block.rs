//! A block of a mobile network: two dense layers, a depthwise one between them, an addition.

use hwgen_network::graph::{
    Add, Clamp, Conv2d, Layer, Linear, Multiplier, Network, Operator, Pads, Rounding, Tensor,
    VERSION, Window,
};
use hwgen_network::policy::Policy;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Side of the image, and its channels.
const SIDE: usize = 4;
const CHANNELS: usize = 64;

/// The block, its weights random.
pub(super) fn block() -> Network {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let tensor = |name: &str, zero_point: i32| Tensor {
        name: name.into(),
        shape: vec![SIDE, SIDE, CHANNELS],
        bits: 8,
        signed: true,
        scale: 1.0,
        zero_point,
        sums: None,
    };
    let tensors = vec![
        tensor("x", 0),
        tensor("dense_1", -128),
        tensor("depthwise", -128),
        tensor("dense_2", 0),
        tensor("addition", 0),
    ];
    let mut conv = |x: usize, kernel: usize, groups: usize| {
        let (input, output) = (&tensors[x], &tensors[x + 1]);
        let each = kernel * kernel * CHANNELS / groups;
        let weights: Vec<i8> = (0..CHANNELS * each).map(|_| rng.random_range(-127..=127)).collect();
        // sums spread as far as their roots; what is rectified has but one side
        let deviation = (each as f64).sqrt() * 73.0 * 100.0;
        let relu = output.zero_point < 0;
        let step = if relu { 100.0 } else { 50.0 };
        let linear = Linear {
            shared: None,
            bits: 8,
            weights: weights.into(),
            bias: vec![0; CHANNELS].into(),
            multipliers: [Multiplier::nearest(step / deviation).unwrap()].into_iter().collect(),
            rounding: Rounding::Twice,
            clamp: if relu { Clamp::relu(output) } else { Clamp::of(output) },
        };
        let pad = kernel / 2;
        let pads = Pads { top: pad, left: pad, bottom: pad, right: pad };
        let window = Window { kernel: [kernel; 2], stride: [1; 2], dilation: [1; 2], pads };
        Layer {
            name: output.name.clone(),
            inputs: vec![input.name.clone()],
            output: output.name.clone(),
            operator: Operator::Conv2d(Conv2d { window, groups, linear }),
        }
    };
    let mut layers = vec![conv(0, 1, 1), conv(1, 3, CHANNELS), conv(2, 1, 1)];
    let half = Multiplier::nearest(0.5).unwrap();
    layers.push(Layer {
        name: "addition".into(),
        inputs: vec!["x".into(), "dense_2".into()],
        output: "addition".into(),
        operator: Operator::Add(Add {
            left_shift: 20,
            inputs: [half; 2],
            multiplier: Multiplier::nearest(2f64.powi(-20)).unwrap(),
            rounding: Rounding::Twice,
            clamp: Clamp::of(&tensors[4]),
        }),
    });
    Network {
        version: VERSION,
        name: "block".into(),
        binary: None,
        inputs: vec!["x".into()],
        outputs: vec!["addition".into()],
        tensors,
        layers,
        states: vec![],
    }
}

/// All of a network in so many bits, with the numbers of small cores.
pub(super) fn uniform(network: &Network, weights: u32, activations: u32) -> Network {
    let linear = network.layers.iter().filter(|layer| layer.operator.linear().is_some());
    let scores = |operator: &Operator| matches!(operator, Operator::Softmax(_));
    let layers = network.layers.iter().filter(|layer| !scores(&layer.operator));
    let names = layers.map(|layer| layer.name.clone()).chain(network.inputs.clone());
    let policy = Policy {
        version: 2,
        weight_bits: linear.map(|layer| (layer.name.clone(), weights)).collect(),
        activation_bits: names.map(|name| (name, activations)).collect(),
        symmetric: true,
        multiplier_bits: Some(15),
        addition_shift: Some(8),
        ..Policy::default()
    };
    policy.apply(network).unwrap()
}
