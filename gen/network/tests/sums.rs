//! Layers whose sums nothing rescales: what they come to, byte by byte, and what is refused.

use hwgen_network::graph::{
    Clamp, FullyConnected, Layer, Linear, Multiplier, Network, Operator, Reshape, Rounding, Sums,
    Tensor, VERSION, read,
};
use hwgen_network::interpret::Interpreter;
use hwgen_network::plan::{Budget, plan, size, supported};
use hwgen_network::policy::Policy;

/// Three sums of four inputs, seen as one row more.
fn network(weights: [[i8; 4]; 3], bias: [i32; 3], bits: u32) -> Network {
    let tensor = |name: &str, shape: &[usize]| Tensor {
        name: name.into(),
        shape: shape.to_vec(),
        bits: 8,
        signed: true,
        scale: 0.5,
        zero_point: -3,
        sums: None,
    };
    let sums = Sums { scales: vec![0.25, 0.5, 0.125], off_by: 0.01 };
    let made = |name: &str, shape: &[usize]| Tensor {
        bits,
        zero_point: 0,
        sums: Some(sums.clone()),
        ..tensor(name, shape)
    };
    let all = Clamp::of(&made("y", &[3]));
    let linear = Linear {
        bits: 8,
        shared: None,
        weights: weights.concat().into(),
        bias: bias.to_vec().into(),
        multipliers: [Multiplier::ONE].into_iter().collect(),
        rounding: Rounding::Twice,
        clamp: all,
    };
    let layer = |name: &str, from: &str, to: &str, operator: Operator| Layer {
        name: name.into(),
        inputs: vec![from.into()],
        output: to.into(),
        operator,
    };
    Network {
        version: VERSION,
        name: "sums".into(),
        binary: None,
        inputs: vec!["x".into()],
        outputs: vec!["z".into()],
        tensors: vec![tensor("x", &[4]), made("y", &[3]), made("z", &[1, 1, 3])],
        layers: vec![
            layer("dense", "x", "y", Operator::FullyConnected(FullyConnected { linear })),
            layer("turn", "y", "z", Operator::Reshape(Reshape {})),
        ],
        states: vec![],
    }
}

const WEIGHTS: [[i8; 4]; 3] = [[127, -128, 3, 0], [1, 1, 1, 1], [-7, 0, 99, 5]];

fn sums_of(network: &Network, x: [i16; 4]) -> Vec<i32> {
    let mut golden = Interpreter::new(network).unwrap();
    golden.run(&[&x]);
    let z = network.tensor("z").unwrap();
    let stored = golden.outputs().next().unwrap();
    assert_eq!(stored.len(), z.stored());
    z.integers(stored)
}

#[test]
fn sums_are_bias_and_products() {
    let most = i32::MAX - 130 * 258;
    for (bias, bits) in
        [([0, 9, -5], 17), ([0, 9, -5], 18), ([-70_000, 1 << 20, 5], 22), ([-most, most, 0], 32)]
    {
        let network = network(WEIGHTS, bias, bits);
        for x in [[0, 0, 0, 0], [127, -128, 127, -128], [-128, 127, -100, 3], [-3, -3, -3, -3]] {
            let sum = |(weights, bias): (&[i8; 4], i32)| {
                let products = weights.iter().zip(x).map(|(&w, x)| i32::from(w) * i32::from(x + 3));
                bias + products.sum::<i32>()
            };
            let expected: Vec<_> = WEIGHTS.iter().zip(bias).map(sum).collect();
            assert_eq!(sums_of(&network, x), expected);
        }
        let z = network.tensor("z").unwrap();
        assert_eq!([0, 1, 2].map(|n| z.real_of(n, -8)), [-2.0, -4.0, -1.0]);
    }
}

#[test]
fn a_core_takes_a_job_a_byte() {
    let network = network(WEIGHTS, [0, 9, -5], 18);
    let (spec, planned) = supported(&network).unwrap();
    assert!(spec.sums);
    let dense = planned.steps.iter().find(|step| step.layer == "dense").unwrap();
    // weights are there once, products are counted once
    assert_eq!((dense.jobs, dense.products), (3, 12));
    assert_eq!(planned.outputs[0].place.height, 3);
    let without = hwgen_designs::cnn::CnnSpec { sums: false, ..spec };
    let error = plan(&network, &without).unwrap_err().to_string();
    let says = "layer `dense`: it leaves sums that nothing rescales; set the core's `sums`, or \
                quantize the layer's result";
    assert_eq!(error, says);
    // other networks have cores without
    let kws = hwgen_network::zoo::kws_mini(1);
    assert!(!size(&kws, Budget::of(&kws, 60)).unwrap().0.sums);
}

#[test]
fn what_is_written_is_read() {
    let network = network(WEIGHTS, [0, 9, -5], 18);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.json");
    hwgen_network::graph::save(&network, &path).unwrap();
    assert_eq!(hwgen_network::graph::load(&path).unwrap(), network);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(read(&text).unwrap(), network);
    // files of before say nothing of sums
    let kws = serde_json::to_string(&hwgen_network::zoo::kws_mini(1)).unwrap();
    assert!(!kws.contains("sums"));
}

#[test]
fn narrower_weights_make_longer_steps() {
    let network = network(WEIGHTS, [0, 9, -5], 18);
    let policy = |text: &str| {
        let policy: Policy = serde_json::from_str(text).unwrap();
        policy.apply(&network).unwrap()
    };
    let narrow = policy(r#"{"version": 1, "weight_bits": {"dense": 4}}"#);
    let z = narrow.tensor("z").unwrap();
    assert_eq!((z.scale, &z.sums.as_ref().unwrap().scales[..]), (8.0, &[4.0, 8.0, 2.0][..]));
    let (was, is) = (sums_of(&network, [100, -20, 7, 9]), sums_of(&narrow, [100, -20, 7, 9]));
    for (was, is) in was.into_iter().zip(is) {
        // half a step of each weight and of the bias, and what the highest weight loses
        assert!((16 * is - was).abs() <= 16 * (103 + 17 + 10 + 12), "{was} {is}");
    }
    let shared = policy(r#"{"version": 1, "shared_bits": {"dense": 2}}"#);
    assert_eq!(shared.tensor("z").unwrap().scale, 0.5);
    supported(&shared).unwrap();
}

fn said(change: impl Fn(&mut Network)) -> String {
    let mut network = network(WEIGHTS, [0, 9, -5], 18);
    change(&mut network);
    network.validate().unwrap_err().to_string()
}

#[test]
fn what_sums_cannot_be_is_told() {
    fn linear(network: &mut Network) -> &mut Linear {
        match &mut network.layers[0].operator {
            Operator::FullyConnected(dense) => &mut dense.linear,
            _ => unreachable!(),
        }
    }
    fn sums(network: &mut Network, n: usize) -> &mut Sums {
        network.tensors[n].sums.as_mut().unwrap()
    }
    let clamp = said(|n| linear(n).clamp.min = 0);
    assert!(clamp.contains("`linear.clamp` = 0 to 131071 is out of range"), "{clamp}");
    let factor = said(|n| {
        linear(n).multipliers = [Multiplier { mantissa: 1 << 30, shift: 0 }].into_iter().collect();
    });
    assert!(factor.contains("must be one of 2^30 * 2^(1 - 31) for sums"), "{factor}");
    let rounding = said(|n| linear(n).rounding = Rounding::Floor);
    assert!(rounding.contains("`linear.rounding` = Floor"), "{rounding}");
    let narrow = said(|n| {
        (n.tensors[1].bits, n.tensors[2].bits) = (16, 16);
        linear(n).clamp = Clamp { min: -1 << 15, max: (1 << 15) - 1 };
    });
    let reach = "`bits of its sums` = 16 is out of range: must be enough for sums of up to 33540";
    assert!(narrow.ends_with(reach), "{narrow}");
    for (bits, says) in [(33, "2 to 32"), (0, "2 to 32"), (u32::MAX, "2 to 32")] {
        let said = said(|n| n.tensors[1].bits = bits);
        assert!(said.contains(says), "{said}");
    }
    let wide = said(|n| n.tensors[1].sums = None);
    assert!(wide.contains("`bits` = 18 is out of range: must be 2 to 8"), "{wide}");
    let unsigned = said(|n| n.tensors[1].signed = false);
    assert!(unsigned.contains("`signed` = 0"), "{unsigned}");
    let count = said(|n| sums(n, 1).scales.push(0.5));
    assert!(count.contains("`sums.scales` has 4 entries"), "{count}");
    let scale = said(|n| sums(n, 1).scales[1] = f64::NAN);
    assert!(scale.contains("`sums.scales[1]` = NaN"), "{scale}");
    let largest = said(|n| sums(n, 1).scales[1] = 0.25);
    assert!(largest.contains("must be the largest scale, 0.25"), "{largest}");
    let off = said(|n| sums(n, 2).off_by = -1.0);
    assert!(off.contains("`sums.off_by` = -1"), "{off}");
    let unlike = said(|n| sums(n, 2).off_by = 1.0);
    assert!(unlike.contains("requantize first"), "{unlike}");
    let input = said(|n| n.tensors[0].sums = Some(Sums::default()));
    assert!(input.contains("`zero_point` = -3"), "{input}");
    let input = said(|n| {
        (n.tensors[0].sums, n.tensors[0].zero_point) = (Some(Sums::default()), 0);
    });
    assert!(input.contains("input `x` has `sums`: only layers make sums"), "{input}");
    let read = said(|n| {
        let mut layer = n.layers[0].clone();
        (layer.name, layer.inputs) = ("more".into(), vec!["y".into()]);
        layer.output = "w".into();
        let w = Tensor { name: "w".into(), ..n.tensors[1].clone() };
        n.tensors.push(w);
        n.layers.push(layer);
    });
    assert!(read.contains("it reads `y`, whose sums nothing rescales"), "{read}");
}
