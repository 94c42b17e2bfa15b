//! ONNX files: what is refused and how it is told, attributes left out, damaged files.

#[path = "onnx_models/mod.rs"]
mod models;

use hwgen_network::graph::{Conv2d, Lookup, Network, Operator};
use hwgen_network::import::onnx::proto::{GraphProto, ModelProto, NodeProto, TensorProto};
use hwgen_network::import::{ImportError, import, onnx};
use hwgen_network::plan::{Budget, size};
use models::reference::{Real, run};
use models::{Maker, Style, integers, list, text};
use prost::Message;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

const QDQ: Style = Style::Qdq { unsigned: false, per_channel: true };
const QONNX: Style = Style::Qonnx { weights: 4, activations: 4 };

fn error(model: &ModelProto) -> String {
    import("model", &model.encode_to_vec()).unwrap_err().to_string()
}

#[test]
fn every_unsupported_node_is_listed() {
    let mut m = Maker::new(QDQ, 1);
    let x = m.input(&[1, 2, 6, 5]);
    let a = m.conv(&x, 4, [3, 3], 1, true, &[]);
    let a = m.quantize(&a);
    let b = m.conv(&a, 4, [2, 2], 1, false, &[]);
    let c = m.flatten(&b);
    let mut model = m.finish(&c);
    let graph = model.graph.as_mut().unwrap();
    for node in &mut graph.node {
        match node.op_type() {
            "Conv" if node.input.len() == 3 => node.op_type = Some("ConvTranspose".into()),
            "Flatten" => node.op_type = Some("LSTM".into()),
            _ => {}
        }
    }
    graph.node.last_mut().unwrap().name = Some("head".into());
    insta::assert_snapshot!(error(&model), @r"
    2 of 9 nodes are not supported
      node 3 (writes `conv_10`): ConvTranspose: there is no such layer; pad and convolve instead
      node 8 `head` (writes `flatten_20`): LSTM: there is no such layer; use temporal convolutions instead
    ");
}

#[test]
fn what_is_not_quantized_is_told() {
    let mut m = Maker::new(QONNX, 1);
    let x = m.input(&[1, 2, 6, 5]);
    let x = m.conv(&x, 4, [3, 3], 1, true, &[]);
    let x = m.conv(&x, 4, [2, 2], 1, true, &[]);
    let model = m.finish(&x);
    insta::assert_snapshot!(error(&model), @r"
    1 of 5 nodes are not supported
      node 4 (writes `conv_18`): Conv: `conv_11` is not quantized; put QuantizeLinear and DequantizeLinear, or a Quant, on it
    ");

    let mut m = Maker::new(QDQ, 1);
    let x = m.input(&[1, 2, 6, 5]);
    let x = m.node("GlobalAveragePool", &[&x], &[]);
    let model = m.finish(&x);
    insta::assert_snapshot!(error(&model), @r"
    1 of 3 nodes are not supported
      output `globalaveragepool_5`: output: `globalaveragepool_5` is not quantized; put QuantizeLinear and DequantizeLinear, or a Quant, on it
    ");

    let mut m = Maker::new(QDQ, 1);
    let x = m.input(&[1, 2, 6, 5]);
    let x = m.conv(&x, 4, [3, 3], 1, true, &[]);
    let x = m.relu(&x);
    let model = m.finish(&x);
    insta::assert_snapshot!(error(&model), @r"
    1 of 5 nodes are not supported
      output `relu_11`: output: `relu_11` is clipped and not quantized; leave the activation function to the host, or put a Quant on it
    ");

    let mut m = Maker::new(QDQ, 1);
    let x = m.input(&[1, 2, 6, 5]);
    let x = m.reshape(&x, &[1, 5, 12]);
    let model = m.finish(&x);
    insta::assert_snapshot!(error(&model), @r"
    1 of 3 nodes are not supported
      node 2 (writes `reshape_6`): Reshape: it makes [1, 5, 12] of channels, height, width [2, 6, 5], whose channels vary fastest here; transpose to 0, 2, 3, 1 before it
    ");
}

#[test]
fn attributes_left_out_have_their_defaults() {
    let with = |attributes: &[_]| {
        let mut m = Maker::new(QDQ, 3);
        let x = m.input(&[1, 2, 7, 5]);
        let x = m.conv(&x, 4, [3, 2], 1, true, attributes);
        let x = m.quantize(&x);
        let model = m.finish(&x);
        import("model", &model.encode_to_vec()).unwrap()
    };
    let spelt = [
        list("dilations", &[1, 1]),
        list("strides", &[1, 1]),
        list("pads", &[0, 0, 0, 0]),
        list("kernel_shape", &[3, 2]),
        integers("group", 1),
        text("auto_pad", "NOTSET"),
    ];
    assert_eq!(with(&[]), with(&spelt));
    assert_eq!(with(&[]), with(&[text("auto_pad", "VALID")]));
    let pads = |name| match with(&[text("auto_pad", name)]).layers[0].operator {
        Operator::Conv2d(Conv2d { window, .. }) => {
            let pads = window.pads;
            [pads.top, pads.left, pads.bottom, pads.right]
        }
        _ => panic!("no convolution"),
    };
    assert_eq!(pads("SAME_UPPER"), [1, 0, 1, 1]);
    assert_eq!(pads("SAME_LOWER"), [1, 1, 1, 0]);
}

/// Rows are no channels: three axes are a line only where windows go along the last of them.
#[test]
fn three_axes_are_rows_or_a_line() {
    let shape = |build: &dyn Fn(&mut Maker, &str) -> String| {
        let mut m = Maker::new(QDQ, 3);
        let x = m.input(&[1, 7, 5]);
        let y = build(&mut m, &x);
        let y = m.quantize(&y);
        let model = m.finish(&y);
        let network = import("model", &model.encode_to_vec()).unwrap();
        let shape = |names: &[String]| network.tensor(&names[0]).unwrap().shape.clone();
        (shape(&network.inputs), shape(&network.outputs))
    };
    let rows = shape(&|m, x| m.mat_mul(x, 4, true));
    assert_eq!(rows, (vec![7, 5], vec![7, 4]));
    let line = shape(&|m, x| m.conv(x, 4, [3], 1, true, &[]));
    assert_eq!(line, (vec![1, 5, 7], vec![1, 3, 4]));
    let height_1 = shape(&|m, x| {
        let x = m.unsqueeze(x, 2);
        m.conv(&x, 4, [1, 3], 1, true, &[])
    });
    assert_eq!(height_1, (vec![1, 5, 7], vec![1, 3, 4]));
    // one channel of rows and columns
    let image = shape(&|m, x| {
        let x = m.unsqueeze(x, 1);
        m.conv(&x, 4, [3, 3], 1, true, &[])
    });
    assert_eq!(image, (vec![7, 5], vec![5, 3, 4]));
    let turned = shape(&|m, x| {
        let x = m.node("Transpose", &[x], &[list("perm", &[0, 2, 1])]);
        m.conv(&x, 4, [3], 1, true, &[])
    });
    assert_eq!(turned, (vec![7, 5], vec![1, 5, 4]));
}

/// Offsets behind quantized vectors of few odd channels, as quantizing without preparation writes them.
#[test]
fn what_stands_behind_a_result_has_a_core() {
    for channels in [3, 10, 48] {
        let mut m = Maker::new(QDQ, 3);
        let mut x = m.input(&[1, 20]);
        for outputs in [16, channels] {
            x = m.mat_mul(&x, outputs, false);
            x = m.quantize(&x);
            x = m.offset(&x);
            x = m.quantize(&x);
        }
        let model = m.finish(&x);
        let network = import("model", &model.encode_to_vec()).unwrap();
        let budget = Budget { narrow_weights: true, ..Budget::within(29) };
        assert!(size(&network, budget).is_ok(), "{channels} channels");
    }
}

/// Entries are what the file's real numbers come to, but where single precision moves one over a half;
/// cores run them.
const FUNCTIONS: [&str; 9] = [
    "Elu",
    "Exp",
    "HardSigmoid",
    "HardSwish",
    "LeakyRelu",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Tanh",
];

#[test]
fn functions_become_tables() {
    let (mut compared, mut equal) = (0, 0);
    let wide = Style::Qonnx { weights: 8, activations: 8 };
    for style in [QDQ, Style::Qdq { unsigned: true, per_channel: false }, QONNX, wide] {
        for (seed, function) in (1..).zip(FUNCTIONS) {
            let mut m = Maker::new(style, seed);
            let x = m.input(&[1, 255]);
            let y = m.node(function, &[&x], &[]);
            let y = m.quantize(&y);
            let model = m.finish(&y);
            let network = import("model", &model.encode_to_vec()).unwrap();
            let [layer] = &network.layers[..] else { panic!("{} layers", network.layers.len()) };
            let Operator::Lookup(Lookup { table }) = &layer.operator else { panic!("no table") };
            let input = network.tensor(&layer.inputs[0]).unwrap();
            // narrow ranges leave the lowest out
            let place = |n: usize| 1 + n % (table.len() - 1);
            let real = |n: usize| input.real(input.lowest() + place(n) as i32);
            let real = Real::new(&[1, 255], (0..255).map(real).collect());
            run(&model, &BTreeMap::from([("input".into(), real)]), |result, steps| {
                for (n, &theirs) in steps.data.iter().enumerate().filter(|_| result == layer.output)
                {
                    let ours = f64::from(table[place(n)]);
                    assert!((ours - theirs).abs() <= 1.0, "{function}: {ours} beside {theirs}");
                    (compared, equal) = (compared + 1, equal + u32::from(ours == theirs));
                }
            });
            assert!(size(&network, Budget::of(&network, 30)).is_ok());
        }
    }
    assert!(compared == 36 * 255 && equal * 200 >= compared * 199, "{equal} of {compared}");
}

#[test]
fn weights_are_packed_and_permuted() {
    let mut m = Maker::new(QDQ, 3);
    let x = m.input(&[1, 2, 3, 3]);
    let x = m.conv(&x, 1, [1, 2], 1, false, &[]);
    let x = m.quantize(&x);
    let mut model = m.finish(&x);
    let graph = model.graph.as_mut().unwrap();
    let weights = graph.initializer.iter_mut().find(|tensor| tensor.dims == [1, 2, 1, 2]).unwrap();
    // channel 0: -8 7, channel 1: 3 -1; two a byte, the lower half first
    *weights = TensorProto {
        data_type: Some(22),
        int32_data: Vec::new(),
        raw_data: Some(vec![0x78, 0xf3]),
        ..weights.clone()
    };
    let network = import("model", &model.encode_to_vec()).unwrap();
    let linear = network.layers[0].operator.linear().unwrap();
    assert_eq!((linear.bits, &linear.weights[..]), (4, &[-8, 3, 7, -1][..]));
}

#[test]
fn sizes_are_bounded() {
    let model = |change: fn(&mut TensorProto)| {
        let mut m = Maker::new(QDQ, 3);
        let x = m.input(&[1, 2, 3, 3]);
        let x = m.conv(&x, 2, [1, 2], 1, false, &[]);
        let x = m.quantize(&x);
        let mut model = m.finish(&x);
        let list = &mut model.graph.as_mut().unwrap().initializer;
        change(list.iter_mut().find(|tensor| tensor.dims == [2, 2, 1, 2]).unwrap());
        error(&model)
    };
    let name = "integer_";
    let huge = model(|tensor| tensor.dims = vec![1 << 40, 1 << 40]);
    assert!(huge.contains(name) && huge.contains("its shape is"), "{huge}");
    let short = model(|tensor| tensor.dims = vec![2, 2, 1, 3]);
    assert!(short.contains("it has 8 elements: its shape has 12"), "{short}");
    let raw = model(|tensor| {
        (tensor.int32_data, tensor.raw_data) = (Vec::new(), Some(vec![0; 7]));
    });
    assert!(raw.contains("it has 7 bytes of data: its shape has 8"), "{raw}");
    let away = model(|tensor| tensor.data_location = Some(1));
    assert!(away.contains("its data lie in another file"), "{away}");
    // two bytes each, which would unfold into some hundred
    let mut many = vec![0x08, 0x08, 0x3a, 0x80, 0x80, 0x80, 0x02];
    many.extend([0x0a, 0x00].repeat(1 << 21));
    let many = import("model", &many).unwrap_err();
    insta::assert_snapshot!(many, @"the file is damaged: its messages become more than 67108864 bytes");
    // messages within one another
    let mut deep = Vec::new();
    for _ in 0..200 {
        // a node with an attribute with a graph
        for tag in [0x32, 0x2a, 0x0a] {
            let mut outer = vec![tag];
            prost::encoding::encode_varint(deep.len() as u64, &mut outer);
            outer.extend(&deep);
            deep = outer;
        }
    }
    let mut file = vec![0x08, 0x08, 0x3a];
    prost::encoding::encode_varint(deep.len() as u64, &mut file);
    file.extend(deep);
    let deep = import("model", &file).unwrap_err();
    insta::assert_snapshot!(deep, @"the file is damaged: it has more than 32 messages within one another");
}

#[test]
fn other_files_are_not_taken_for_models() {
    for bytes in [&b""[..], b"\x7fELF\x02\x01\x01", b"{\"version\": 1}", b"PK\x03\x04", &[0; 64]] {
        assert!(!onnx::recognizes(bytes));
        assert_eq!(import("model", bytes), Err(ImportError::UnknownFormat));
    }
}

/// Cut and flipped files give an error or a network that passes the checks, never a panic.
#[test]
fn damaged_files() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let models = [
        models::small(QDQ, 1),
        models::residual(QONNX, 2),
        models::operators(QDQ, 3),
        models::rows(QONNX, 4),
    ];
    let (mut taken, mut refused) = (0, 0);
    for model in models {
        let bytes = model.encode_to_vec();
        for round in 0..400 {
            let mut bytes = bytes.clone();
            if round % 4 == 0 {
                bytes.truncate(rng.random_range(0..bytes.len()));
            } else {
                for _ in 0..rng.random_range(1..4) {
                    let place = rng.random_range(0..bytes.len());
                    bytes[place] ^= match round % 4 {
                        1 => 1 << rng.random_range(0..8),
                        _ => rng.random(),
                    };
                }
            }
            match import("model", &bytes) {
                Ok(network) => {
                    assert_eq!(network.validate(), Ok(()));
                    taken += 1;
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    refused += 1;
                }
            }
        }
    }
    assert!(taken > 100 && refused > 400, "{taken} taken, {refused} refused");
}

/// Models whose messages are whole but whose numbers and links are not: the same.
#[test]
fn odd_models() {
    const NUMBERS: [i64; 10] = [-2, -1, 0, 1, 2, 7, 4096, 1 << 31, i64::MAX, i64::MIN];
    const FLOATS: [f32; 6] = [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-38, 1e38];
    const LISTS: [&str; 6] = ["axes", "perm", "pads", "strides", "dilations", "kernel_shape"];
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let models = models::all();
    let (mut taken, mut refused) = (0, 0);
    for round in 0..3000 {
        let mut model = models[round % models.len()].1.clone();
        let graph = model.graph.as_mut().unwrap();
        let other = graph.node[rng.random_range(0..graph.node.len())].clone();
        let constants = graph.initializer.len();
        let constant = &mut graph.initializer[rng.random_range(0..constants)];
        let name = constant.name().to_owned();
        let nodes = graph.node.len();
        let node = &mut graph.node[rng.random_range(0..nodes)];
        let input = rng.random_range(0..node.input.len());
        let number = NUMBERS[rng.random_range(0..NUMBERS.len())];
        match rng.random_range(0..10) {
            0 => node.input[input] = other.output[0].clone(),
            1 => node.input[input] = name,
            2 => node.op_type = other.op_type,
            3 => drop(node.input.pop()),
            4 => drop(node.attribute.pop()),
            5 => {
                let values: Vec<i64> = (0..4).map(|_| NUMBERS[rng.random_range(0..6)]).collect();
                node.attribute.push(list(LISTS[rng.random_range(0..LISTS.len())], &values));
            }
            6 => node.attribute.iter_mut().for_each(|a| {
                a.i = a.i.map(|_| number);
                a.ints.iter_mut().take(1).for_each(|n| *n = number);
            }),
            7 => constant.dims.iter_mut().take(1).for_each(|size| *size = number),
            8 => {
                let float = FLOATS[rng.random_range(0..FLOATS.len())];
                constant.float_data.iter_mut().take(1).for_each(|x| *x = float);
                constant.int32_data.iter_mut().take(1).for_each(|x| *x = number as i32);
                constant.int64_data.iter_mut().take(1).for_each(|x| *x = number);
            }
            _ => {
                constant.data_type = Some(rng.random_range(0..24));
                constant.raw_data = Some(vec![rng.random(); rng.random_range(0..64)]);
            }
        }
        match import("model", &model.encode_to_vec()) {
            Ok(network) => {
                assert_eq!(network.validate(), Ok(()));
                taken += 1;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
    }
    assert!(taken > 500 && refused > 500, "{taken} taken, {refused} refused");
}

/// As Brevitas exports a last layer: its bias is quantized to the steps of its sums, its result is not.
#[test]
fn a_bias_in_whole_steps_is_exact() {
    let mut m = Maker::new(QONNX, 5);
    let x = m.input(&[1, 12]);
    let y = m.gemm(&x, 5);
    let mut model = m.finish(&y);
    let rounded = import("model", &model.encode_to_vec()).unwrap();
    let graph = model.graph.as_mut().unwrap();
    let scale = |graph: &GraphProto, quant: &NodeProto| {
        let scale = graph.initializer.iter().find(|tensor| tensor.name() == quant.input[1]);
        scale.unwrap().float_data[0]
    };
    let quants = graph.node.iter().filter(|node| node.op_type() == "Quant");
    let step: f32 = quants.map(|quant| scale(graph, quant)).product();
    let float = |name: &str, value: f32| TensorProto {
        name: Some(name.into()),
        data_type: Some(1),
        float_data: vec![value],
        ..TensorProto::default()
    };
    graph.initializer.extend([float("step", step), float("zero", 0.0), float("bits", 16.0)]);
    let last = graph.node.len() - 1;
    let inputs = [graph.node[last].input[2].clone(), "step".into(), "zero".into(), "bits".into()];
    graph.node[last].input[2] = "whole_bias".into();
    let quant = NodeProto {
        op_type: Some("Quant".into()),
        domain: Some("qonnx.custom_op.general".into()),
        input: inputs.to_vec(),
        output: vec!["whole_bias".into()],
        ..NodeProto::default()
    };
    graph.node.insert(last, quant);
    let whole = import("model", &model.encode_to_vec()).unwrap();
    assert_eq!(rounded.layers[0].operator, whole.layers[0].operator);
    let off_by = |network: &Network| {
        let output = network.tensor(&network.outputs[0]).unwrap();
        let sums = output.sums.as_ref().unwrap();
        assert!(sums.scales.is_empty() && output.bits < 12, "{output:?}");
        sums.off_by / output.scale
    };
    let off = off_by(&rounded);
    assert!(off > 0.01 && off < 0.5001 && off_by(&whole) == 0.0, "{off}");
}
