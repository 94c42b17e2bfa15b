//! ONNX models as integers beside the same models in real numbers, layer by layer.

#[path = "../../../gen/network/tests/onnx_models/mod.rs"]
mod models;

use hwgen_network::graph::Network;
use hwgen_network::import::onnx::proto::ModelProto;
use hwgen_network::import::{import, onnx};
use hwgen_verify::golden::network::Interpreter;
use models::reference::{Real, run};
use prost::Message;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{collections::BTreeMap, ffi::OsStr, path::Path, process::Command};

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
    // the models' narrow ranges leave the lowest out
    let range = tensor.lowest() as i16 + 1..=tensor.highest() as i16;
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
    let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
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
                let layer = network.layers.iter().find(|layer| layer.output == result).unwrap();
                let kind = kinds.entry(layer.operator.kind()).or_default();
                for (&ours, place) in ours.iter().zip(places(&steps.shape, false)) {
                    let theirs = steps.data[place];
                    let distance = (f64::from(ours) - theirs).abs();
                    assert!(distance <= 1.0, "{name}: {result}: {ours} beside {theirs}");
                    compared += 1;
                    differ += usize::from(distance > 0.0);
                    *kind = (kind.0 + 1, kind.1 + usize::from(distance > 0.0));
                    // the next layer sees what ours sees
                    steps.data[place] = ours.into();
                }
            });
        }
        println!("{name}: {differ} of {compared} differ");
        assert!(seen >= 4 * 2, "{name}: only {seen} results compared");
        (all, differing) = (all + compared, differing + differ);
    }
    for (kind, (compared, differ)) in kinds {
        println!("{kind}: {differ} of {compared} differ");
    }
    println!("{differing} of {all} results are a step apart");
    assert!(differing * 100 < all, "{differing} of {all} results are a step apart");
}

/// Python, or the reason why there is nothing to compare with.
fn python() -> Option<String> {
    let python = std::env::var("HWGEN_ONNX_PYTHON").ok();
    if python.is_none() {
        println!("not run: HWGEN_ONNX_PYTHON names no Python that has onnx, onnxruntime and qonnx");
    }
    python
}

fn call(python: &str, script: &str, arguments: &[&OsStr]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/network_onnx");
    let run = Command::new(python).arg(folder.join(script)).args(arguments).output().unwrap();
    assert!(run.status.success(), "{script}: {}", String::from_utf8_lossy(&run.stderr));
}

const RUNS: usize = 20;

/// Runs both on random inputs: outputs compared, and those that differ.
fn beside_runtime(python: &str, name: &str, bytes: &[u8]) -> (usize, usize) {
    let network = import(name, bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut golden = Interpreter::new(&network).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let shape = input_shape(&ModelProto::decode(bytes).unwrap());
    let plain = name.ends_with("channels_last");
    let (mut inputs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let input = random_input(&network, &mut rng);
        golden.run(&[&input]);
        ours.extend(golden.outputs().next().unwrap().to_vec());
        let real = real_input(&network, &shape, plain, &input);
        inputs.extend(real.data.iter().flat_map(|&x| (x as f32).to_le_bytes()));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("model.onnx"), bytes).unwrap();
    std::fs::write(file("inputs"), inputs).unwrap();
    let (model, given, result) = (file("model.onnx"), file("inputs"), file("outputs"));
    let runs = RUNS.to_string();
    call(python, "run.py", &[model.as_ref(), given.as_ref(), runs.as_ref(), result.as_ref()]);
    let theirs = std::fs::read(result).unwrap();
    let tensor = network.tensor(&network.outputs[0]).unwrap();
    let theirs = theirs.chunks_exact(4).map(|word| f32::from_le_bytes(word.try_into().unwrap()));
    let theirs: Vec<i32> = theirs.map(|real| tensor.quantise(real.into())).collect();
    assert_eq!(theirs.len(), ours.len(), "{name}");
    let distances = theirs.iter().zip(&ours).map(|(&a, &b)| (a - i32::from(b)).abs());
    let most = distances.clone().max().unwrap();
    let differ = distances.filter(|&distance| distance > 0).count();
    println!("{name}: {differ} of {} outputs differ, by {most} at most", ours.len());
    (ours.len(), differ)
}

/// Whole models beside ONNX Runtime (QDQ) and qonnx (`Quant`). A step that one layer differs by goes
/// on through the layers after it, so that here only the count of differing outputs is bounded.
#[test]
#[ignore = "needs a Python with onnx, onnxruntime and qonnx (HWGEN_ONNX_PYTHON)"]
fn whole_models_beside_their_runtimes() {
    let Some(python) = python() else { return };
    let (mut all, mut differing) = (0, 0);
    for (name, model) in models::all() {
        let (compared, differ) = beside_runtime(&python, &name, &model.encode_to_vec());
        (all, differing) = (all + compared, differing + differ);
    }
    println!("{differing} of {all} outputs differ");
    assert!(differing * 20 < all, "{differing} of {all} outputs differ");
}

/// Models that ONNX Runtime's own tool quantised.
#[test]
#[ignore = "needs a Python with onnx, onnxruntime and qonnx (HWGEN_ONNX_PYTHON)"]
fn models_quantised_by_onnx_runtime() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    for kind in ["int8", "uint8", "int4"] {
        let path = folder.path().join(kind);
        call(&python, "quantise.py", &[kind.as_ref(), path.as_ref()]);
        let bytes = std::fs::read(path).unwrap();
        let (compared, differ) = beside_runtime(&python, &format!("quantised to {kind}"), &bytes);
        assert!(differ * 5 < compared, "{kind}: {differ} of {compared} outputs differ");
    }
}
