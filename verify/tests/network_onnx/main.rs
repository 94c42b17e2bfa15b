//! ONNX models as integers beside the same models in real numbers, layer by layer.

#[path = "../../../gen/network/tests/onnx_models/mod.rs"]
mod models;

use hwgen_network::graph::{Linear, Network, Tensor};
use hwgen_network::import::onnx::proto::{ModelProto, ValueInfoProto};
use hwgen_network::import::{import, onnx};
use hwgen_network::interpret::Interpreter;
use hwgen_verify::suite;
use models::reference::{Real, run};
use prost::Message;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{collections::BTreeMap, ffi::OsStr, path::Path, process::Command};

fn network(name: &str, model: &ModelProto) -> Network {
    let bytes = model.encode_to_vec();
    assert!(onnx::recognizes(&bytes), "{name}");
    import(name, &bytes).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Where the element of the network's tensor lies in the file's, which has channels first.
fn places(shape: &[usize], tensor: &Tensor) -> Vec<usize> {
    let count = tensor.elements();
    assert_eq!(shape.iter().product::<usize>(), count);
    match (shape, &tensor.shape[..]) {
        // an image, or a line of height 1
        (&[1, channels, ref sides @ ..], &[height, width, last])
            if !sides.is_empty()
                && channels == last
                && sides.iter().product::<usize>() == height * width =>
        {
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
fn real_input(network: &Network, shape: &[usize], input: &[i16]) -> Real {
    let tensor = network.tensor(&network.inputs[0]).unwrap();
    let mut data = vec![0.0; input.len()];
    for (&q, place) in input.iter().zip(places(shape, tensor)) {
        data[place] = tensor.real(q.into());
    }
    Real::new(shape, data)
}

fn input_shape(model: &ModelProto) -> Vec<usize> {
    shape_of(&model.graph.as_ref().unwrap().input[0])
}

fn shape_of(info: &ValueInfoProto) -> Vec<usize> {
    let Some(onnx::proto::type_proto::Value::TensorType(tensor)) =
        &info.r#type.as_ref().unwrap().value
    else {
        panic!("it is no tensor");
    };
    let size = |dim: &onnx::proto::tensor_shape_proto::Dimension| match dim.value {
        Some(onnx::proto::tensor_shape_proto::dimension::Value::DimValue(size)) => size as usize,
        _ => panic!("its shape is open"),
    };
    tensor.shape.as_ref().unwrap().dim.iter().map(size).collect()
}

/// Every quantized result is at most one step from that of the file's real numbers, computed from
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
        let (mut compared, mut differ, mut seen) = (0, 0, 0);
        for _ in 0..4 {
            let input = random_input(&network, &mut rng);
            golden.run(&[&input]);
            let real = real_input(&network, &shape, &input);
            let inputs = BTreeMap::from([("input".to_owned(), real)]);
            run(&model, &inputs, |result, steps| {
                let Some(ours) = golden.tap(result) else { return };
                seen += 1;
                let layer = network.layers.iter().find(|layer| layer.output == result).unwrap();
                let kind = kinds.entry(layer.operator.kind()).or_default();
                for (&ours, place) in
                    ours.iter().zip(places(&steps.shape, network.tensor(result).unwrap()))
                {
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

/// Results that nothing quantizes are sums: times their steps they are the file's real numbers, of the same
/// inputs of the layer, but for what biases lose that have no whole steps.
#[test]
fn sums_are_the_real_numbers() {
    let (mut exact, mut all, mut bytes) = (0, 0, [0; 4]);
    for (name, model) in models::all() {
        let network = network(&name, &model);
        let tensor = |name: &String| network.tensor(name).unwrap();
        if network.outputs.iter().all(|name| tensor(name).sums.is_none()) {
            continue;
        }
        let mut golden = Interpreter::new(&network).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(27);
        for _ in 0..20 {
            let input = random_input(&network, &mut rng);
            golden.run(&[&input]);
            let real = real_input(&network, &input_shape(&model), &input);
            let inputs = BTreeMap::from([("input".to_owned(), real)]);
            let reals = run(&model, &inputs, |result, steps| {
                let Some(ours) = golden.tap(result) else { return };
                let tensor = network.tensor(result).unwrap();
                for (&ours, place) in ours.iter().zip(places(&steps.shape, tensor)) {
                    steps.data[place] = ours.into();
                }
            });
            let outputs = network.outputs.iter().zip(&model.graph.as_ref().unwrap().output);
            for (name, output) in outputs {
                let (tensor, reals) = (tensor(name), &reals[output.name()]);
                let Some(sums) = &tensor.sums else { continue };
                assert!(sums.off_by <= tensor.scale * 0.5001, "{name}: {sums:?}");
                bytes[tensor.bytes() - 1] += tensor.elements();
                let integers = tensor.integers(golden.tap(name).unwrap());
                let places = places(&reals.shape, tensor);
                for (n, (&integer, place)) in integers.iter().zip(places).enumerate() {
                    let (real, ours) = (reals.data[place], tensor.real_of(n, integer));
                    let noise = 1e-9 * real.abs().max(tensor.scale);
                    assert!((real - ours).abs() <= sums.off_by + noise, "{name}: {real} {ours}");
                    let nearest = (real / tensor.real_of(n, 1)).round() as i32;
                    assert_eq!(integer, nearest, "{name}");
                    exact += usize::from((real - ours).abs() <= noise);
                    all += 1;
                }
            }
        }
    }
    println!(
        "{all} sums are the nearest to their real numbers, {exact} are exactly they; by bytes {bytes:?}"
    );
    assert!(exact > 900 && all > 5000 && bytes[1] > 0 && bytes[2] > 0);
}

/// Scales that are powers of two make halves that are exact: nothing differs, in whole models, if what
/// is rounded is rounded as the file states, and a step of a biased sum is no longer than a result's.
#[test]
fn powers_of_two_are_exact() {
    let mut compared = 0;
    for (style_name, style) in models::powers_of_two() {
        let drawn = [
            ("small", models::small(style, 1)),
            ("operators", models::operators(style, 3)),
            ("rows", models::rows(style, 4)),
            ("chain", models::chain(style, 6)),
            ("lines", models::lines(style, 8)),
        ];
        for (kind, model) in drawn {
            let name = format!("{style_name}_{kind}");
            match has_long_steps(&network(&name, &model)) {
                true => println!("{name}: left out, biases have no whole steps"),
                false => compared += exact(&name, &model),
            }
        }
    }
    println!("{compared} results equal");
    assert!(compared > 50_000);
}

/// Whether a layer has biases, and results of a shorter step than its sums.
fn has_long_steps(network: &Network) -> bool {
    let long = |linear: &Linear| {
        let factors = 0..linear.multipliers.mantissas.len();
        let longest = factors.map(|n| linear.multipliers.of(n).factor()).fold(0.0, f64::max);
        !linear.bias.is_empty() && longest > 0.5
    };
    network.layers.iter().filter_map(|layer| layer.operator.linear()).any(long)
}

/// The roundings that QONNX states, of results (above 0, where a rounding tells signs apart).
#[test]
fn stated_roundings_are_exact() {
    let style = models::Style::QonnxPowers { weights: 4, activations: 4 };
    for mode in ["FLOOR", "DOWN", "HALF_UP"] {
        let mut model = models::chain(style, 8);
        let graph = model.graph.as_mut().unwrap();
        let relus: Vec<String> = graph
            .node
            .iter()
            .filter(|n| n.op_type() == "Relu")
            .map(|n| n.output[0].clone())
            .collect();
        for node in graph.node.iter_mut().filter(|n| n.op_type() == "Quant") {
            if relus.contains(&node.input[0])
                || mode == "FLOOR" && node.input[0].starts_with("gemm")
            {
                let attribute = node.attribute.iter_mut().find(|a| a.name() == "rounding_mode");
                attribute.unwrap().s = Some(mode.as_bytes().to_vec());
            }
        }
        exact(mode, &model);
    }
}

/// Every result of a whole model equals that in real numbers; how many there are.
fn exact(name: &str, model: &ModelProto) -> usize {
    let network = network(name, model);
    let mut golden = Interpreter::new(&network).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(17);
    let shape = input_shape(model);
    let mut compared = 0;
    for _ in 0..4 {
        let input = random_input(&network, &mut rng);
        golden.run(&[&input]);
        let real = real_input(&network, &shape, &input);
        run(model, &BTreeMap::from([("input".to_owned(), real)]), |result, steps| {
            let Some(ours) = golden.tap(result) else { return };
            for (&ours, place) in
                ours.iter().zip(places(&steps.shape, network.tensor(result).unwrap()))
            {
                assert_eq!(f64::from(ours), steps.data[place], "{name}: {result}");
            }
            compared += ours.len();
        });
    }
    assert!(compared > 0, "{name}");
    compared
}

/// Models and right outputs that others made (`../shared/cases`, if it is there): bytes of each run,
/// those of lines in the file's order.
#[test]
fn cases_of_others() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases/networks");
    let lines = ["c06_conv1d_by_unsqueeze"];
    for name in
        ["c05_powers_of_two", "c06_conv1d_by_unsqueeze", "c07_two_inputs", "c10_matmul_add_of_ort"]
    {
        let Ok(bytes) = std::fs::read(folder.join(format!("{name}.onnx"))) else {
            println!("{name} is not there");
            continue;
        };
        let read =
            |ending: &str| std::fs::read(folder.join(format!("{}.{ending}", &name[..3]))).unwrap();
        let (given, right) = (read("in.bin"), read("right.bin"));
        let network = import(name, &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut golden = Interpreter::new(&network).unwrap();
        let tensors = |names: &[String]| -> Vec<Tensor> {
            names.iter().map(|name| network.tensor(name).unwrap().clone()).collect()
        };
        let (inputs, outputs) = (tensors(&network.inputs), tensors(&network.outputs));
        let order = |tensor: &Tensor| match lines.contains(&name) {
            true => {
                let [_, length, channels] = tensor.image();
                places(&[1, channels, length], tensor)
            }
            false => (0..tensor.elements()).collect(),
        };
        let number = |tensor: &Tensor, byte: u8| match tensor.signed {
            true => i16::from(byte as i8),
            false => i16::from(byte),
        };
        let (mut given, mut right, mut differ, mut all) = (&given[..], &right[..], 0, 0);
        while !given.is_empty() {
            let mut values = Vec::new();
            for tensor in &inputs {
                let (own, rest) = given.split_at(tensor.elements());
                values.push(
                    order(tensor).iter().map(|&n| number(tensor, own[n])).collect::<Vec<_>>(),
                );
                given = rest;
            }
            golden.run(&values.iter().map(Vec::as_slice).collect::<Vec<_>>());
            for (tensor, ours) in outputs.iter().zip(golden.outputs()) {
                let (own, rest) = right.split_at(tensor.elements());
                let theirs = order(tensor).into_iter().map(|n| number(tensor, own[n]));
                for (&ours, theirs) in ours.iter().zip(theirs) {
                    assert!(ours.abs_diff(theirs) <= 1, "{name}: {ours} beside {theirs}");
                    (all, differ) = (all + 1, differ + usize::from(ours != theirs));
                }
                right = rest;
            }
        }
        println!("{name}: {differ} of {all} differ");
        assert!(differ * 100 <= all, "{name}: {differ} of {all} differ");
    }
}

/// Python, or the reason why there is nothing to compare with.
fn python() -> Option<String> {
    suite::python("HWGEN_ONNX_PYTHON", "onnx, onnxruntime and qonnx")
}

fn call(python: &str, script: &str, arguments: &[&OsStr]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/network_onnx");
    let run = Command::new(python).arg(folder.join(script)).args(arguments).output().unwrap();
    assert!(run.status.success(), "{script}: {}", String::from_utf8_lossy(&run.stderr));
}

/// Outputs of runs in real numbers, as steps in the network's order.
fn in_steps(network: &Network, model: &ModelProto, mut reals: &[f32]) -> Vec<i32> {
    let graph = model.graph.as_ref().unwrap();
    let mut steps = Vec::new();
    while !reals.is_empty() {
        for (name, output) in network.outputs.iter().zip(&graph.output) {
            let (tensor, shape) = (network.tensor(name).unwrap(), shape_of(output));
            let (own, rest) = reals.split_at(tensor.elements());
            let places = places(&shape, tensor);
            let of = |(n, &place): (usize, &usize)| match tensor.sums {
                Some(_) => (f64::from(own[place]) / tensor.real_of(n, 1)).round() as i32,
                None => tensor.quantize(own[place].into()),
            };
            steps.extend(places.iter().enumerate().map(of));
            reals = rest;
        }
    }
    steps
}

const RUNS: usize = 20;

/// Runs both on random inputs: outputs compared, and those that differ.
fn beside_runtime(python: &str, name: &str, bytes: &[u8]) -> (usize, usize) {
    let network = import(name, bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut golden = Interpreter::new(&network).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let shape = input_shape(&ModelProto::decode(bytes).unwrap());
    let (mut inputs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let input = random_input(&network, &mut rng);
        golden.run(&[&input]);
        for (name, stored) in network.outputs.iter().zip(golden.outputs()) {
            ours.extend(network.tensor(name).unwrap().integers(stored));
        }
        let real = real_input(&network, &shape, &input);
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
    let theirs = theirs.chunks_exact(4).map(|word| f32::from_le_bytes(word.try_into().unwrap()));
    let theirs: Vec<f32> = theirs.collect();
    let theirs = in_steps(&network, &ModelProto::decode(bytes).unwrap(), &theirs);
    assert_eq!(theirs.len(), ours.len(), "{name}");
    let distances = theirs.iter().zip(&ours).map(|(&a, &b)| (a - b).abs());
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

/// Models that ONNX Runtime's own tool quantized.
#[test]
#[ignore = "needs a Python with onnx, onnxruntime and qonnx (HWGEN_ONNX_PYTHON)"]
fn models_quantized_by_onnx_runtime() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    for kind in ["int8", "uint8", "int4"] {
        let path = folder.path().join(kind);
        call(&python, "quantize.py", &[kind.as_ref(), path.as_ref()]);
        let bytes = std::fs::read(path).unwrap();
        let (compared, differ) = beside_runtime(&python, &format!("quantized to {kind}"), &bytes);
        assert!(differ * 5 < compared, "{kind}: {differ} of {compared} outputs differ");
    }
}
