//! ONNX files that lie: what onnx.checker refuses, numbers that are none, names that steer terminals,
//! constants that a file of some kilobytes unfolds a thousand times.

#[path = "onnx_models/mod.rs"]
mod models;

use hwgen_network::import::import;
use hwgen_network::import::onnx::proto::{GraphProto, ModelProto, NodeProto, TensorProto};
use models::{Maker, Style, integers, text};
use prost::Message;
use std::time::{Duration, Instant};

const QDQ: Style = Style::Qdq { unsigned: false, per_channel: true };
const QONNX: Style = Style::Qonnx { weights: 4, activations: 4 };

fn error(model: &ModelProto) -> String {
    import("model", &model.encode_to_vec()).unwrap_err().to_string()
}

/// What is said of a small model after a change.
fn fault(style: Style, change: impl FnOnce(&mut GraphProto)) -> String {
    let mut model = models::residual(style, 1);
    change(model.graph.as_mut().unwrap());
    error(&model)
}

fn first<'a>(graph: &'a mut GraphProto, operator: &str) -> &'a mut NodeProto {
    graph.node.iter_mut().find(|node| node.op_type() == operator).unwrap()
}

/// The constant that input `n` of the first node of a kind reads.
fn constant<'a>(graph: &'a mut GraphProto, operator: &str, n: usize) -> &'a mut TensorProto {
    let is_constant = |name: &String| graph.initializer.iter().any(|t| t.name() == name);
    let reads = |node: &&NodeProto| node.op_type() == operator && is_constant(&node.input[0]);
    let name = graph.node.iter().find(reads).unwrap().input[n].clone();
    graph.initializer.iter_mut().find(|tensor| tensor.name() == name).unwrap()
}

#[test]
fn what_the_checker_refuses() {
    let said = [
        fault(QDQ, |graph| graph.initializer.push(graph.initializer[0].clone())),
        fault(QDQ, |graph| graph.input.push(graph.input[0].clone())),
        fault(QDQ, |graph| {
            let name = graph.node[0].output[0].clone();
            first(graph, "Relu").output = vec![name];
        }),
        fault(QDQ, |graph| {
            let add = first(graph, "Add");
            add.input.push(add.input[0].clone());
        }),
        fault(QDQ, |graph| {
            let conv = first(graph, "Conv");
            conv.attribute.push(conv.attribute[0].clone());
        }),
        fault(QDQ, |graph| first(graph, "Relu").attribute.push(integers("axis", 1))),
        fault(QDQ, |graph| first(graph, "Conv").attribute[0] = integers("auto_pad", 1)),
        fault(QDQ, |graph| first(graph, "Relu").output.push("second".into())),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn numbers_that_are_none_are_named() {
    let weight = |x: f32| fault(QONNX, |graph| constant(graph, "Quant", 0).float_data[5] = x);
    let scale = |x: f32| fault(QONNX, |graph| constant(graph, "Quant", 1).float_data[1] = x);
    let stored =
        |x: f32| fault(QDQ, |graph| constant(graph, "DequantizeLinear", 1).float_data[1] = x);
    let result = |x: f32| {
        fault(QDQ, |graph| {
            let name = first(graph, "QuantizeLinear").input[1].clone();
            let scale = graph.initializer.iter_mut().find(|t| t.name() == name);
            scale.unwrap().float_data[0] = x;
        })
    };
    let variance = |x: f32| {
        fault(QDQ, |graph| {
            let name = first(graph, "BatchNormalization").input[4].clone();
            graph.initializer.iter_mut().find(|t| t.name() == name).unwrap().float_data[2] = x;
        })
    };
    let said = [
        weight(f32::NAN),
        weight(f32::NEG_INFINITY),
        weight(1e30),
        scale(f32::NAN),
        scale(1e30),
        scale(0.0),
        stored(-0.5),
        stored(f32::INFINITY),
        result(0.0),
        result(f32::NAN),
        variance(f32::NAN),
        variance(-3.0),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_scale_of_0_makes_a_channel_of_0() {
    let mut model = models::residual(QDQ, 1);
    constant(model.graph.as_mut().unwrap(), "DequantizeLinear", 1).float_data[1] = 0.0;
    let network = import("model", &model.encode_to_vec()).unwrap();
    let linear = network.layers[0].operator.linear().unwrap();
    let each = linear.weights.len() / 8;
    assert!(linear.weights[each..2 * each].iter().all(|&weight| weight == 0));
    assert!(linear.weights[..each].iter().any(|&weight| weight != 0));
}

#[test]
fn roundings_that_cannot_be_taken_are_named() {
    let mode = |mode: &str| {
        fault(QONNX, |graph| {
            for node in graph.node.iter_mut().filter(|node| node.op_type() == "Quant") {
                node.attribute.retain(|attribute| attribute.name() != "rounding_mode");
                node.attribute.push(text("rounding_mode", mode));
            }
        })
    };
    for name in ["CEIL", "UP", "HALF_DOWN", "DOWN", "HALF_UP", "stochastic"] {
        let said = mode(name);
        let name = name.to_uppercase();
        assert!(said.contains(&format!("its rounding mode is {name}")), "{said}");
        assert!(said.contains("use ROUND or FLOOR"), "{said}");
    }
}

/// What is read from a file reaches no terminal and no text as it is.
#[test]
fn names_are_spelt_out() {
    let name = "r\n\"; $(id) `\\ \u{1b}[2J\u{202e}";
    let rename = |graph: &mut GraphProto| {
        let old = first(graph, "Relu").output[0].clone();
        for node in &mut graph.node {
            let names = node.input.iter_mut().chain(&mut node.output);
            names.filter(|known| **known == old).for_each(|known| *known = name.into());
        }
    };
    let said = fault(QDQ, |graph| {
        rename(graph);
        first(graph, "Gemm").op_type = Some("LSTM\u{1b}[2J".into());
        first(graph, "Relu").op_type = Some("Mish".into());
    });
    assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'), "{said}");
    assert!(said.contains(r#"r\n"; $(id) `\ \u{1b}[2J\u{202e}"#), "{said}");
    let mut model = models::residual(QDQ, 1);
    let graph = model.graph.as_mut().unwrap();
    let quantized = graph.node.iter_mut().find(|node| node.op_type() == "QuantizeLinear").unwrap();
    let old = std::mem::replace(&mut quantized.output[0], name.into());
    for node in &mut graph.node {
        node.input.iter_mut().filter(|input| **input == old).for_each(|input| *input = name.into());
    }
    let network = import("model", &model.encode_to_vec()).unwrap();
    let names = network.tensors.iter().map(|tensor| &tensor.name);
    assert!(names.clone().all(|name| !name.chars().any(char::is_control)));
}

/// A model of nodes that all read one constant of a mebibyte.
fn shared(count: usize, nodes: impl Fn(usize) -> Vec<NodeProto>) -> ModelProto {
    let mut m = Maker::new(QDQ, 1);
    let x = m.input(&[1, 1024, 1, 1]);
    let w = m.conv(&x, 1, [1, 1], 1, false, &[]);
    let mut model = m.finish(&w);
    let graph = model.graph.as_mut().unwrap();
    let weights = graph.initializer.iter_mut().find(|t| t.dims == [1, 1024, 1, 1]).unwrap();
    weights.dims = vec![1024, 1024, 1, 1];
    weights.int32_data.clear();
    weights.raw_data = Some(vec![1; 1 << 20]);
    for node in (0..count).flat_map(nodes) {
        graph.node.push(node);
    }
    model
}

#[test]
fn what_is_shared_is_bounded() {
    let start = Instant::now();
    let node = |kind: &str, inputs: &[&str], output: String| NodeProto {
        op_type: Some(kind.into()),
        input: inputs.iter().map(|&name| name.into()).collect(),
        output: vec![output],
        ..NodeProto::default()
    };
    let scalar = |name: &str, kind, value: f32| TensorProto {
        name: Some(name.into()),
        data_type: Some(kind),
        float_data: if kind == 1 { vec![value] } else { vec![] },
        int32_data: if kind == 1 { vec![] } else { vec![value as i32] },
        ..TensorProto::default()
    };
    let with_constants = |mut model: ModelProto| {
        let graph = model.graph.as_mut().unwrap();
        graph.initializer.push(scalar("step", 1, 0.01));
        graph.initializer.push(scalar("zero", 3, 0.0));
        model
    };
    let weights = shared(0, |_| vec![]);
    let graph = weights.graph.as_ref().unwrap();
    let large = graph.initializer.iter().find(|t| t.raw_data.is_some()).unwrap().name().to_owned();
    let made = graph.node.iter().find(|node| node.input[0] == large).unwrap().output[0].clone();
    let input = graph.node[1].output[0].clone();
    // each makes other weights of them
    let many = shared(4000, |n| {
        vec![node("DequantizeLinear", &[&large, "step", "zero"], format!("other_{n}"))]
    });
    let said = error(&with_constants(many));
    assert!(said.contains("the model's constants become more than"), "{}", &said[..300]);
    // each convolves with the same
    let many = shared(4000, |n| {
        let (sum, steps) = (format!("sum_{n}"), format!("steps_{n}"));
        vec![
            node("Conv", &[&input, &made], sum.clone()),
            node("QuantizeLinear", &[&sum, "step", "zero"], steps),
        ]
    });
    let said = error(&with_constants(many));
    assert!(said.contains("more than") && said.contains("use a smaller model"), "{}", &said[..300]);
    // messages of two bytes that become hundreds
    let mut graph = vec![];
    for _ in 0..1 << 19 {
        graph.extend([0x2a, 0x00]);
    }
    let mut node = vec![0x0a];
    prost::encoding::encode_varint(graph.len() as u64, &mut node);
    node.extend(graph);
    let mut file = vec![0x08, 0x08, 0x3a];
    prost::encoding::encode_varint(node.len() as u64, &mut file);
    file.extend(node);
    let said = import("model", &file).unwrap_err().to_string();
    assert!(said.contains("its messages become more than"), "{said}");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

#[test]
fn graphs_within_graphs_are_bounded() {
    // 100,000 attributes that hold a graph with a node with an attribute
    let mut deep = Vec::new();
    let mut sizes = vec![];
    let mut length = 0usize;
    for level in 0..300_000usize {
        let tag = [0x32, 0x2a, 0x0a][level % 3];
        sizes.push((tag, length));
        length += 1 + prost::encoding::encoded_len_varint(length as u64);
    }
    for (tag, length) in sizes.into_iter().rev() {
        deep.push(tag);
        prost::encoding::encode_varint(length as u64, &mut deep);
    }
    let mut file = vec![0x08, 0x08, 0x3a];
    prost::encoding::encode_varint(deep.len() as u64, &mut file);
    file.extend(deep);
    let said = import("model", &file).unwrap_err().to_string();
    assert_eq!(said, "the file is damaged: it has more than 32 messages within one another");
}
