//! Random graphs, as TFLite and ONNX files, through import, plan and core: what is called supported has a
//! core, and every output byte of the circuit is the interpreter's. Where a Python is named, the interpreter
//! stands beside LiteRT (`HWGEN_LITERT_PYTHON`), and ONNX Runtime and qonnx (`HWGEN_ONNX_PYTHON`).

mod cores;
#[path = "../../../gen/network/tests/models/mod.rs"]
mod models;
#[path = "../../../gen/network/tests/onnx_models/mod.rs"]
mod onnx_models;
mod peer;

use cores::Cores;
use hwgen_network::graph::Network;
use hwgen_network::import::{ImportError, import};
use hwgen_network::interpret::Interpreter;
use hwgen_network::plan::supported;
use prost::Message;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Inferences of a graph.
const RUNS: usize = 2;

/// What became of graphs.
#[derive(Default)]
struct Tally {
    ran: usize,
    /// Why graphs were refused, and how many.
    refused: BTreeMap<String, usize>,
    bytes: usize,
}

impl Tally {
    fn refuse(&mut self, reason: &str) {
        // numbers and names apart, reasons are the same
        let mut names = reason.split('`').enumerate();
        let names = names.by_ref().map(|(n, part)| if n % 2 == 1 { "_" } else { part });
        let reason: String = names.collect::<Vec<_>>().concat();
        let reason: String = reason.chars().filter(|c| !c.is_ascii_digit()).collect();
        *self.refused.entry(reason).or_default() += 1;
    }

    fn refusals(&self) -> usize {
        self.refused.values().sum()
    }

    fn tell(&self) {
        let all = self.ran + self.refusals();
        println!("{} of {all} graphs ran, {} bytes equal", self.ran, self.bytes);
        for (reason, count) in &self.refused {
            println!("  {count} refused: {reason}");
        }
    }
}

/// Runs a graph on some cores; returns what it was given and what came out, if it is supported.
fn run(name: &str, file: &[u8], cores: &mut Cores, tally: &mut Tally) -> Option<peer::Runs> {
    let network = match import(name, file) {
        Ok(network) => network,
        Err(ImportError::Unsupported(report)) => {
            let nodes = report.nodes.iter();
            nodes
                .take(1)
                .for_each(|node| tally.refuse(&format!("{}: {}", node.operator, node.problem)));
            return None;
        }
        Err(error) => panic!("{name}: {error}"),
    };
    if let Err(error) = supported(&network) {
        tally.refuse(&error.to_string());
        return None;
    }
    let rng = &mut ChaCha8Rng::seed_from_u64(name.len() as u64 + file.len() as u64);
    let inputs: Vec<Vec<i16>> = (0..RUNS).map(|_| random_input(&network, rng)).collect();
    let mut golden = Interpreter::new(&network).unwrap();
    let expected = inputs.iter().map(|input| infer(&mut golden, &network, input));
    let expected: Vec<_> = expected.collect();
    tally.bytes += cores.equal(name, &network, &inputs, &expected);
    tally.ran += 1;
    Some(peer::Runs { network, inputs, outputs: expected })
}

fn random_input(network: &Network, rng: &mut impl Rng) -> Vec<i16> {
    let tensors = network.inputs.iter().map(|name| network.tensor(name).unwrap());
    let element = |tensor: &hwgen_network::graph::Tensor| {
        (tensor.elements(), tensor.lowest() as i16..=tensor.highest() as i16)
    };
    let tensors: Vec<_> = tensors.map(element).collect();
    let all = tensors.into_iter().flat_map(|(count, range)| vec![range; count]);
    all.map(|range| rng.random_range(range)).collect()
}

fn infer(golden: &mut Interpreter, network: &Network, mut input: &[i16]) -> Vec<Vec<i16>> {
    let part = |name: &String| {
        let (own, rest) = input.split_at(network.tensor(name).unwrap().elements());
        input = rest;
        own
    };
    let parts: Vec<_> = network.inputs.iter().map(part).collect();
    golden.run(&parts);
    golden.outputs().map(<[i16]>::to_vec).collect()
}

fn tflite(seeds: std::ops::Range<u64>, cores: &mut Cores, tally: &mut Tally) {
    let mut beside = peer::Litert::find();
    for seed in seeds {
        let (name, file) = (format!("tflite {seed}"), models::graphs::random(seed));
        if let (Some(runs), Some(litert)) = (run(&name, &file, cores, tally), &mut beside) {
            litert.add(name, file, runs);
        }
    }
    if let Some(litert) = beside {
        litert.compare();
    }
}

fn onnx(seeds: std::ops::Range<u64>, cores: &mut Cores, tally: &mut Tally) {
    let mut beside = peer::Runtime::find();
    for seed in seeds {
        let (name, model) = (format!("onnx {seed}"), onnx_models::graphs::random(seed));
        let runs = run(&name, &model.encode_to_vec(), cores, tally);
        if let (Some(runs), Some(runtime)) = (runs, &mut beside) {
            runtime.add(model, runs);
        }
    }
    if let Some(runtime) = beside {
        runtime.compare();
    }
}

/// At most 15 in a hundred are refused.
fn most_run(tally: &Tally) {
    tally.tell();
    assert!(tally.refusals() * 100 <= 15 * (tally.ran + tally.refusals()));
}

#[test]
fn some_tflite_graphs() {
    let (mut cores, mut tally) = (Cores::new(3), Tally::default());
    tflite(0..100, &mut cores, &mut tally);
    most_run(&tally);
}

#[test]
fn some_onnx_graphs() {
    let (mut cores, mut tally) = (Cores::new(3), Tally::default());
    onnx(0..60, &mut cores, &mut tally);
    most_run(&tally);
}

/// 2,000 graphs, each on more cores, and some on the core that is sized for them.
#[test]
#[ignore = "minutes: `cargo xtask bars graphs`"]
fn two_thousand_graphs() {
    let (mut cores, mut tally) = (Cores::new(8), Tally::default());
    tflite(0..1200, &mut cores, &mut tally);
    onnx(0..800, &mut cores, &mut tally);
    most_run(&tally);
    println!("graphs: {}", tally.ran + tally.refusals());
}
