//! The golden model beside LiteRT, byte by byte at every node. `HWGEN_LITERT_PYTHON` names a Python
//! that has `ai-edge-litert`; without it these tests say that they did not run.

mod digests;
#[path = "../../../gen/network/tests/models/mod.rs"]
mod models;

use digests::{DIGESTS, digest, random_inputs};
use hwgen_network::graph::{Layer, Network};
use hwgen_network::import::import;
use hwgen_network::import::tflite::schema::{self, TensorType};
use hwgen_network::interpret::Interpreter;
use hwgen_verify::attention::data::folder;
use hwgen_verify::suite;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

/// Which of LiteRT's kernels.
#[derive(Clone, Copy)]
enum Resolver {
    Reference,
    Optimized,
    Default,
}

impl Resolver {
    fn name(self) -> &'static str {
        match self {
            Resolver::Reference => "reference",
            Resolver::Optimized => "optimized",
            Resolver::Default => "default",
        }
    }
}

/// What a comparison found.
#[derive(Default)]
struct Differences {
    /// Bytes compared and bytes that differ, of each node.
    nodes: BTreeMap<String, (usize, usize)>,
    /// The values each node wrote.
    values: BTreeMap<String, BTreeSet<u8>>,
    /// Bytes that softmax layers wrote, and how many of them are a step off where the layer's input
    /// was the same: TFLite has single-precision weights and sums, we 24-bit weights and exact sums.
    softmax: (usize, usize),
    /// Bytes that differ for any other reason.
    unexplained: usize,
}

impl Differences {
    fn compared(&self) -> usize {
        self.nodes.values().map(|(compared, _)| compared).sum()
    }

    fn differing(&self) -> usize {
        self.nodes.values().map(|(_, differ)| differ).sum()
    }
}

/// The interpreter, or the reason why there is nothing to compare with.
fn python() -> Option<String> {
    suite::python("HWGEN_LITERT_PYTHON", "ai-edge-litert")
}

/// Node and bytes of each part of a run, and the bytes of all runs.
type Written = (Vec<(i32, usize)>, Vec<u8>);

/// Runs LiteRT on `inputs` (a run's inputs one after the other).
fn litert(python: &str, model: &[u8], inputs: &[Vec<u8>], resolver: Resolver) -> Written {
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
    let parts = String::from_utf8(run.stdout).unwrap();
    let part = |line: &str| {
        let (node, length) = line.split_once(' ').unwrap();
        (node.parse().unwrap(), length.parse().unwrap())
    };
    (parts.lines().map(part).collect(), std::fs::read(file("outputs")).unwrap())
}

/// Runs both.
fn compare(python: &str, model: &[u8], inputs: &[Vec<u8>], resolver: Resolver) -> Differences {
    let network = import("model", model).unwrap_or_else(|error| panic!("{error}"));
    let (parts, outputs) = litert(python, model, inputs, resolver);
    let each: usize = parts.iter().map(|(_, length)| length).sum();
    assert_eq!(outputs.len(), each * inputs.len());
    let mut golden = Interpreter::new(&network).unwrap();
    let mut differences = Differences::default();
    for (input, output) in inputs.iter().zip(outputs.chunks_exact(each)) {
        run_golden(&mut golden, &network, input);
        let mut rest = output;
        // states come before the model's own outputs
        let own = network.outputs.len().saturating_sub(parts.len());
        let mut model_outputs = network.outputs[own..].iter();
        // nothing of this run differs so far, or it comes from a softmax a step off
        let (mut same, mut excused) = (true, false);
        let (mut latest, mut part) = (-1, 0);
        for &(node, length) in &parts {
            let (theirs, after) = rest.split_at(length);
            rest = after;
            part = if node == latest { part + 1 } else { 0 };
            latest = node;
            let layer = |n: i32| {
                let own = |layer: &&Layer| layer.name.starts_with(&format!("{n}_"));
                network.layers.iter().filter(own).nth(part)
            };
            // a conversion at an edge is no layer
            let (name, tensor) = match (node, layer(node)) {
                (-1, _) => ("output", model_outputs.next().unwrap()),
                (_, Some(layer)) => (layer.name.as_str(), &layer.output),
                (_, None) => continue,
            };
            let ours = golden.tap(tensor).unwrap();
            assert_eq!(ours.len(), length, "{name}");
            let apart = |(&a, &b): (&i16, &u8)| (a as u8 as i8).abs_diff(b as i8);
            let apart: Vec<u8> = ours.iter().zip(theirs).map(apart).collect();
            let differ = apart.iter().filter(|&&apart| apart > 0).count();
            differences.values.entry(name.to_owned()).or_default().extend(theirs);
            let entry = differences.nodes.entry(name.to_owned()).or_default();
            *entry = (entry.0 + length, entry.1 + differ);
            if name.ends_with("_softmax") && same {
                let (bytes, off) = differences.softmax;
                differences.softmax = (bytes + length, off + differ);
                excused |= differ > 0 && apart.iter().all(|&apart| apart <= 1);
            }
            same &= differ == 0;
            if !excused {
                differences.unexplained += differ;
            }
        }
    }
    differences
}

fn run_golden(golden: &mut Interpreter, network: &Network, bytes: &[u8]) {
    let mut rest = bytes;
    let mut values: Vec<Vec<i16>> = Vec::new();
    for tensor in network.given() {
        let (here, after) = rest.split_at(tensor.elements());
        rest = after;
        let value = |&byte: &u8| if tensor.signed { i16::from(byte as i8) } else { byte.into() };
        values.push(here.iter().map(value).collect());
    }
    golden.next(&values.iter().map(Vec::as_slice).collect::<Vec<_>>());
}

fn report(name: &str, resolver: Resolver, runs: usize, differences: &Differences) {
    let (differ, compared) = (differences.differing(), differences.compared());
    println!("{name}, {}: {differ} of {compared} bytes differ in {runs} runs", resolver.name());
    for (node, (compared, differ)) in
        differences.nodes.iter().filter(|(_, (_, differ))| *differ > 0)
    {
        println!("  {node}: {differ} of {compared}");
    }
}

const RESOLVERS: [Resolver; 3] = [Resolver::Reference, Resolver::Optimized, Resolver::Default];

/// Compares with all kernels; against the reference ones every byte is the same, but for at most
/// one softmax byte in 20,000.
fn compare_all(python: &str, name: &str, model: &[u8], inputs: &[Vec<u8>]) -> Differences {
    let [reference, ..] = RESOLVERS.map(|resolver| {
        let differences = compare(python, model, inputs, resolver);
        report(name, resolver, inputs.len(), &differences);
        differences
    });
    assert_eq!(reference.unexplained, 0, "{name}: {:?}", reference.nodes);
    for (node, values) in &reference.values {
        assert!(values.len() > 2, "{name}: {node} is all but constant: {values:?}");
    }
    let (bytes, off) = reference.softmax;
    assert!(off <= bytes.div_ceil(20_000), "{name}: {off} of {bytes} softmax bytes are a step off");
    reference
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
    let model = read("mlperf_tiny/kws_ref_model_int8.tflite");
    assert_eq!(compare_all(&python, "kws", &model, &features).differing(), 0);

    let images = read("cifar10/train2500_lossless.bin");
    // a label, then planes of red, green and blue; the model takes pixels less 128
    let pixel = |image: &[u8], n: usize| image[1 + n % 3 * 1024 + n / 3] ^ 0x80;
    let image = |image: &[u8]| (0..3072).map(|n| pixel(image, n)).collect::<Vec<u8>>();
    let images: Vec<Vec<u8>> = images.chunks_exact(3073).step_by(10).map(image).collect();
    let model = read("mlperf_tiny/ic_resnet8_int8.tflite");
    assert_eq!(compare_all(&python, "resnet8", &model, &images).differing(), 0);
}

/// Files below a folder, of any depth.
fn models_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            models_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "tflite") {
            found.push(path);
        }
    }
    found.sort();
}

/// Whether a model has activations of eight bits.
fn is_quantized(model: &[u8]) -> bool {
    let graph = schema::root_as_model(model).unwrap().subgraphs().unwrap().get(0);
    let tensors = graph.tensors().unwrap();
    let bytes = [TensorType::INT8, TensorType::UINT8];
    graph.operators().unwrap().iter().any(|operator| {
        let outputs = operator.outputs().unwrap_or_default();
        outputs.iter().any(|output| bytes.contains(&tensors.get(output as usize).type_()))
    })
}

/// Models that others trained: `HWGEN_MODELS` names a folder, below which all *.tflite of eight bits
/// are run.
#[test]
#[ignore = "needs a Python with ai-edge-litert (HWGEN_LITERT_PYTHON) and HWGEN_MODELS"]
fn real_models() {
    let (Some(python), Some(folder)) = (python(), std::env::var_os("HWGEN_MODELS")) else {
        println!("not run: needs HWGEN_LITERT_PYTHON and a folder of models (HWGEN_MODELS)");
        return;
    };
    let mut files = vec![];
    models_below(Path::new(&folder), &mut files);
    let (mut all, mut exact) = (0, 0);
    for file in files {
        let model = std::fs::read(&file).unwrap();
        if !is_quantized(&model) {
            continue;
        }
        all += 1;
        let name = file.strip_prefix(&folder).unwrap_or(&file).display().to_string();
        if let Err(error) = import("model", &model) {
            println!("{name}: {error}");
            continue;
        }
        let inputs = random_inputs(&model, 20, 7);
        let differences = compare(&python, &model, &inputs, Resolver::Reference);
        report(&name, Resolver::Reference, inputs.len(), &differences);
        exact += usize::from(differences.unexplained == 0);
    }
    println!("real_models: {exact} of {all} run as LiteRT's reference kernels do");
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

#[test]
#[ignore = "needs a Python with ai-edge-litert (HWGEN_LITERT_PYTHON)"]
fn digests_are_litert_s() {
    let Some(python) = python() else { return };
    let mut wrong = vec![];
    for &(name, runs, expected) in DIGESTS {
        let model = digests::model(name);
        let inputs = random_inputs(&model, runs, 6);
        let (_, outputs) = litert(&python, &model, &inputs, Resolver::Reference);
        println!("{name} {}", digest(&outputs));
        wrong.extend((digest(&outputs) != expected).then_some(name));
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
