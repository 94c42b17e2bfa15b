//! The golden model beside LiteRT, byte by byte at every node. `HWGEN_LITERT_PYTHON` names a Python
//! that has `ai-edge-litert`; without it these tests say that they did not run.

#[allow(unreachable_pub)]
#[path = "../../../gen/network/tests/models/mod.rs"]
mod models;

use hwgen_network::graph::Network;
use hwgen_network::import::import;
use hwgen_verify::attention::data::folder;
use hwgen_verify::golden::network::Interpreter;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{collections::BTreeMap, path::Path, process::Command};

/// Which of LiteRT's kernels.
#[derive(Clone, Copy)]
enum Resolver {
    Reference,
    Optimised,
    Default,
}

impl Resolver {
    fn name(self) -> &'static str {
        match self {
            Resolver::Reference => "reference",
            Resolver::Optimised => "optimised",
            Resolver::Default => "default",
        }
    }
}

/// Bytes compared and bytes that differ, of each node.
type Differences = BTreeMap<String, (usize, usize)>;

fn differing(differences: &Differences) -> usize {
    differences.values().map(|(_, differ)| differ).sum()
}

fn compared(differences: &Differences) -> usize {
    differences.values().map(|(compared, _)| compared).sum()
}

/// The interpreter, or the reason why there is nothing to compare with.
fn python() -> Option<String> {
    let python = std::env::var("HWGEN_LITERT_PYTHON").ok();
    if python.is_none() {
        println!("not run: HWGEN_LITERT_PYTHON names no Python that has ai-edge-litert");
    }
    python
}

/// Runs both on `inputs` (a run's inputs one after the other).
fn compare(python: &str, model: &[u8], inputs: &[Vec<u8>], resolver: Resolver) -> Differences {
    let network = import("model", model).unwrap_or_else(|error| panic!("{error}"));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("model.tflite"), model).unwrap();
    std::fs::write(file("inputs"), inputs.concat()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/network_litert/run.py");
    let mut command = Command::new(python);
    command.arg(script).arg(file("model.tflite")).arg(file("inputs"));
    command.arg(inputs.len().to_string()).arg(resolver.name()).arg(file("outputs"));
    let run = command.output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let outputs = std::fs::read(file("outputs")).unwrap();
    let parts: Vec<(i32, usize)> = String::from_utf8(run.stdout)
        .unwrap()
        .lines()
        .map(|line| {
            let (node, length) = line.split_once(' ').unwrap();
            (node.parse().unwrap(), length.parse().unwrap())
        })
        .collect();
    let each: usize = parts.iter().map(|(_, length)| length).sum();
    assert_eq!(outputs.len(), each * inputs.len());
    let mut golden = Interpreter::new(&network).unwrap();
    let mut differences = Differences::new();
    for (input, output) in inputs.iter().zip(outputs.chunks_exact(each)) {
        run_golden(&mut golden, &network, input);
        let mut rest = output;
        let mut model_outputs = network.outputs.iter();
        for &(node, length) in &parts {
            let (theirs, after) = rest.split_at(length);
            rest = after;
            let layer =
                |n: i32| network.layers.iter().find(|l| l.name.starts_with(&format!("{n}_")));
            // a conversion at an edge is no layer
            let (name, tensor) = match (node, layer(node)) {
                (-1, _) => ("output", model_outputs.next().unwrap()),
                (_, Some(layer)) => (layer.name.as_str(), &layer.output),
                (_, None) => continue,
            };
            let ours = golden.tap(tensor).unwrap();
            assert_eq!(ours.len(), length, "{name}");
            let differ = ours.iter().zip(theirs).filter(|&(&a, &b)| a as u8 != b).count();
            let entry = differences.entry(name.to_owned()).or_default();
            *entry = (entry.0 + length, entry.1 + differ);
        }
    }
    differences
}

fn run_golden(golden: &mut Interpreter, network: &Network, bytes: &[u8]) {
    let mut rest = bytes;
    let mut values: Vec<Vec<i16>> = Vec::new();
    for name in &network.inputs {
        let tensor = network.tensor(name).unwrap();
        let (here, after) = rest.split_at(tensor.elements());
        rest = after;
        let value = |&byte: &u8| if tensor.signed { i16::from(byte as i8) } else { byte.into() };
        values.push(here.iter().map(value).collect());
    }
    golden.run(&values.iter().map(Vec::as_slice).collect::<Vec<_>>());
}

/// Random bytes for a model.
fn random_inputs(model: &[u8], count: usize, seed: u64) -> Vec<Vec<u8>> {
    let network = import("model", model).unwrap_or_else(|error| panic!("{error}"));
    let inputs = network.inputs.iter().map(|name| network.tensor(name).unwrap().elements());
    let length: usize = inputs.sum();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| (0..length).map(|_| rng.random()).collect()).collect()
}

fn report(name: &str, resolver: Resolver, runs: usize, differences: &Differences) {
    let (differ, compared) = (differing(differences), compared(differences));
    println!("{name}, {}: {differ} of {compared} bytes differ in {runs} runs", resolver.name());
    for (node, (compared, differ)) in differences.iter().filter(|(_, (_, differ))| *differ > 0) {
        println!("  {node}: {differ} of {compared}");
    }
}

const RESOLVERS: [Resolver; 3] = [Resolver::Reference, Resolver::Optimised, Resolver::Default];

fn compare_all(python: &str, name: &str, model: &[u8], inputs: &[Vec<u8>]) {
    for resolver in RESOLVERS {
        let differences = compare(python, model, inputs, resolver);
        report(name, resolver, inputs.len(), &differences);
        if matches!(resolver, Resolver::Reference) {
            if std::env::var_os("SOFT").is_none() {
                assert_eq!(differing(&differences), 0, "{name}: {differences:?}");
            }
        }
    }
}

#[test]
#[ignore = "needs a Python with ai-edge-litert (HWGEN_LITERT_PYTHON) and HWGEN_DATA"]
fn trained_models() {
    let (Some(python), Some(data)) = (python(), folder()) else {
        println!("not run: needs HWGEN_LITERT_PYTHON and the data folder (HWGEN_DATA)");
        return;
    };
    let read = |name: &str| std::fs::read(data.join(name)).unwrap();
    let features = read("mlperf_tiny/kws01_mfcc_int8_200x490.bin");
    let features: Vec<Vec<u8>> = features.chunks_exact(490).map(<[u8]>::to_vec).collect();
    compare_all(&python, "kws", &read("mlperf_tiny/kws_ref_model_int8.tflite"), &features);

    let images = read("cifar10/train2500_lossless.bin");
    // a label, then planes of red, green and blue; the model takes pixels less 128
    let pixel = |image: &[u8], n: usize| image[1 + n % 3 * 1024 + n / 3] ^ 0x80;
    let image = |image: &[u8]| (0..3072).map(|n| pixel(image, n)).collect::<Vec<u8>>();
    let images: Vec<Vec<u8>> = images.chunks_exact(3073).step_by(10).map(image).collect();
    compare_all(&python, "resnet8", &read("mlperf_tiny/ic_resnet8_int8.tflite"), &images);
}

#[test]
#[ignore = "needs a Python with ai-edge-litert (HWGEN_LITERT_PYTHON)"]
fn random_models() {
    let Some(python) = python() else { return };
    for (name, model, runs) in models::all() {
        let inputs = random_inputs(&model, runs, 5);
        compare_all(&python, name, &model, &inputs);
    }
}
