//! `hwgen verify --network`: inferences on engines, against the integer model.

use crate::failure::{Failure, wrong};
use crate::inputs::{Carried, apart, runs};
use crate::network::{Planned, bytes};
use crate::output::{print, print_json};
use crate::results::top;
use anyhow::{Context, ensure};
use clap::value_parser;
use hwgen_designs::generate::Generate;
use hwgen_hdl::sim::Initial;
use hwgen_network::inferences::Inferences;
use hwgen_network::interpret::Interpreter;
use hwgen_verify::cosim::{Engine, survive};
use serde_json::json;
use std::path::PathBuf;

/// What is inferred.
#[derive(clap::Args)]
pub(crate) struct Inputs {
    /// Inputs of the network: a file of bytes, all inputs of a run one after the other, run after run; an
    /// array of NumPy (*.npy), its reals quantized; or a folder of such (*.bin, *.npy)
    #[arg(long, value_name = "PATH", requires = "network")]
    inputs: Option<PathBuf>,
    /// The inputs' classes, a byte each
    #[arg(long, value_name = "FILE", requires = "inputs")]
    labels: Option<PathBuf>,
    /// Compare every layer's result, not only the network's outputs
    #[arg(long, requires = "inputs")]
    pub(crate) taps: bool,
    /// Inputs that are run, at most
    #[arg(long, value_name = "N", requires = "inputs", value_parser = value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

/// What an engine did.
struct Outcome {
    engine: Engine,
    differing: usize,
    /// The first tensor that differs.
    first: Option<String>,
    right: usize,
    cycles: Option<u64>,
}

pub(crate) fn run(
    args: &Inputs,
    planned: &Planned,
    engines: &[Engine],
    json: bool,
) -> Result<(), Failure> {
    let Some(path) = args.inputs.as_deref() else {
        return wrong("--network needs --inputs");
    };
    let Planned { network, spec, plan, .. } = planned;
    let mut given: Vec<Vec<i16>> =
        runs(path, network)?.into_iter().flat_map(|file| file.runs).collect();
    given.truncate(args.limit.unwrap_or(u64::MAX).try_into().unwrap_or(usize::MAX));
    let labels = args.labels.as_deref().map(bytes).transpose()?;
    if let Some(labels) = &labels {
        let (has, needs) = (labels.len(), given.len());
        let enough = has >= needs;
        ensure_labels(enough, has, needs)?;
    }
    let mut interpreter = Interpreter::new(network).context("cannot run the network")?;
    // states of a run are what the integer model left in the run before
    let mut carried = Carried::new(network);
    let (mut inputs, mut expected) = (vec![], vec![]);
    for given in &given {
        let all = carried.inputs(given);
        interpreter.run(&apart(network, &all));
        let outputs: Vec<Vec<i16>> = interpreter.outputs().map(<[i16]>::to_vec).collect();
        carried.keep(&outputs);
        inputs.push(all);
        expected.push(outputs);
    }
    let scores = network.outputs.last().and_then(|name| network.tensor(name));
    let right = |outputs: &[Vec<Vec<i16>>]| {
        let labels = labels.iter().flatten();
        let first = outputs.iter().map(|outputs| {
            let (scores, output) = (scores?, outputs.last()?);
            top(scores, &scores.integers(output))
        });
        first.zip(labels).filter(|(top, label)| *top == Some(usize::from(**label))).count()
    };
    let mut outcomes = vec![];
    for &engine in engines {
        tell!("running {} inputs on {}", inputs.len(), engine.name());
        let inferences = Inferences { spec, plan, inputs: &inputs };
        let outcome = survive(|| {
            let mut device = engine.open(&spec.build(), Initial::Random(1))?;
            Ok(inferences.run(&mut *device, 0.0, 1))
        });
        let outcome = outcome.context("cannot have the engine")?.context("the core stopped")?;
        let pairs = || outcome.outputs.iter().zip(&expected);
        let first = pairs().find_map(|(is, must)| is.iter().zip(must).position(|(a, b)| a != b));
        outcomes.push(Outcome {
            engine,
            differing: pairs().filter(|(is, must)| is != must).count(),
            first: first.map(|at| network.outputs[at].clone()),
            right: right(&outcome.outputs),
            cycles: outcome.cycles.windows(2).map(|pair| pair[1] - pair[0]).max(),
        });
    }
    let count = inputs.len();
    if json {
        let engines = outcomes.iter().map(|outcome| {
            json!({
                "engine": outcome.engine.name(),
                "differing": outcome.differing,
                "first_difference": outcome.first,
                "top_1": labels.as_ref().map(|_| outcome.right),
                "cycles": outcome.cycles,
            })
        });
        let engines: Vec<_> = engines.collect();
        print_json(&json!({
            "inputs": count,
            "predicted_cycles": plan.cycles(),
            "golden_top_1": labels.as_ref().map(|_| right(&expected)),
            "engines": engines,
        }))?;
    } else {
        print(&text(&outcomes, count, plan.cycles(), labels.is_some(), right(&expected)))?;
    }
    let bad = |outcome: &Outcome| {
        outcome.differing > 0 || outcome.cycles.is_some_and(|cycles| cycles != plan.cycles())
    };
    if outcomes.iter().any(bad) { Err(Failure::Check) } else { Ok(()) }
}

fn text(
    outcomes: &[Outcome],
    count: usize,
    predicted: u64,
    labeled: bool,
    golden: usize,
) -> String {
    let top = |right: usize| match labeled {
        true => format!(", top-1 {right} of {count} ({:.1} %)", percent(right, count)),
        false => String::new(),
    };
    let mut text = format!("golden: {count} inputs{}\n", top(golden));
    for outcome in outcomes {
        let Outcome { engine, differing, first, right, cycles } = outcome;
        let first = first.as_ref().map_or(String::new(), |name| format!(" (first `{name}`)"));
        let cycles = cycles.map_or(String::new(), |cycles| {
            format!(", {cycles} cycles an inference, {predicted} predicted")
        });
        text += &format!("{}: {differing} differ{first}{}{cycles}\n", engine.name(), top(*right));
    }
    text
}

fn percent(part: usize, all: usize) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}

fn ensure_labels(enough: bool, has: usize, needs: usize) -> anyhow::Result<()> {
    ensure!(enough, "there are {has} labels for {needs} inputs");
    Ok(())
}
