//! ONNX models as integers beside the same models in real numbers, layer by layer.

#[path = "../../../gen/network/tests/onnx_models/mod.rs"]
mod models;

use hwgen_network::graph::Network;
use hwgen_network::import::{import, onnx};
use hwgen_network::import::onnx::proto::ModelProto;
use hwgen_verify::golden::network::Interpreter;
use models::reference::{Real, run};
use prost::Message;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

fn network(name: &str, model: &ModelProto) -> Network {
    let bytes = model.encode_to_vec();
    assert!(onnx::recognises(&bytes), "{name}");
    import(name, &bytes).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Where the element of the network's tensor lies in the file's, which has channels first.
fn places(shape: &[usize], plain: bool) -> Vec<usize> {
    let count = shape.iter().product();
    match *shape {
        [1, channels, height, width] if !plain => {
            (0..count).map(|n| n % channels * height * width + n / channels).collect()
        }
        _ => (0..count).collect(),
    }
}

fn random_input(network: &Network, rng: &mut ChaCha8Rng) -> Vec<i16> {
    let tensor = network.tensor(&network.inputs[0]).unwrap();
    let range = tensor.lowest() as i16..=tensor.highest() as i16;
    (0..tensor.elements()).map(|_| rng.random_range(range.clone())).collect()
}

/// The file's input that a network's input stands for.
fn real_input(network: &Network, shape: &[usize], plain: bool, input: &[i16]) -> Real {
    let tensor = network.tensor(&network.inputs[0]).unwrap();
    let mut data = vec![0.0; input.len()];
    for (&q, place) in input.iter().zip(places(shape, plain)) {
        data[place] = tensor.real(q.into());
    }
    Real::new(shape, data)
}

fn input_shape(model: &ModelProto) -> Vec<usize> {
    let input = &model.graph.as_ref().unwrap().input[0];
    let Some(onnx::proto::type_proto::Value::TensorType(tensor)) =
        &input.r#type.as_ref().unwrap().value
    else {
        panic!("the input is no tensor");
    };
    let size = |dim: &onnx::proto::tensor_shape_proto::Dimension| match dim.value {
        Some(onnx::proto::tensor_shape_proto::dimension::Value::DimValue(size)) => size as usize,
        _ => panic!("the input's shape is open"),
    };
    tensor.shape.as_ref().unwrap().dim.iter().map(size).collect()
}

/// Every quantised result is at most one step from that of the file's real numbers, computed from
/// the same inputs of the layer; how many differ is told.
#[test]
fn one_step_from_real_numbers() {
    let (mut all, mut differing) = (0, 0);
    for (name, model) in models::all() {
        let network = network(&name, &model);
        let mut golden = Interpreter::new(&network).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let shape = input_shape(&model);
        let plain = name.ends_with("channels_last");
        let (mut compared, mut differ, mut seen) = (0, 0, 0);
        for _ in 0..4 {
            let input = random_input(&network, &mut rng);
            golden.run(&[&input]);
            let real = real_input(&network, &shape, plain, &input);
            let inputs = BTreeMap::from([("input".to_owned(), real)]);
            run(&model, &inputs, |result, steps| {
                let Some(ours) = golden.tap(result) else { return };
                seen += 1;
                for (&ours, place) in ours.iter().zip(places(&steps.shape, false)) {
                    let theirs = steps.data[place];
                    let distance = (f64::from(ours) - theirs).abs();
                    assert!(distance <= 1.0, "{name}: {result}: {ours} beside {theirs}");
                    compared += 1;
                    differ += usize::from(distance > 0.0);
                    // the next layer sees what ours sees
                    steps.data[place] = ours.into();
                }
            });
        }
        let wanted = network.layers.iter().filter(|layer| golden.tap(&layer.output).is_some());
        println!("{name}: {differ} of {compared} differ, {seen} results, {} layers", wanted.count());
        assert!(seen >= 4 * 3, "{name}: only {seen} results compared");
        (all, differing) = (all + compared, differing + differ);
    }
    println!("{differing} of {all} results are a step apart");
    assert!(differing * 50 < all, "{differing} of {all} results are a step apart");
}
