//! A small keyword spotter on the CNN core: a core for a budget of multipliers, run, printed.
//!
//! Every output is the interpreter's, and cycles are counted on the running circuit. With a folder as argument, the
//! Verilog and `measured.json` go there; without one, nothing is written.

use anyhow::{Context, Result, ensure};
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::cnn::drive::{beats, sent};
use hwgen_designs::drive::{Feed, run};
use hwgen_designs::generate::Generate;
use hwgen_hdl::Module;
use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_network::graph::Network;
use hwgen_network::inferences::Inferences;
use hwgen_network::interpret::Interpreter;
use hwgen_network::plan::{Budget, Plan, size};
use hwgen_network::zoo;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// The seed of weights, and of inputs.
const SEED: u32 = 3;
/// Inferences that are run, back to back.
const INFERENCES: usize = 3;

/// Features of s8, from a linear congruential generator.
fn inputs(network: &Network) -> Vec<Vec<i16>> {
    let elements = network.tensor(&network.inputs[0]).map_or(0, |tensor| tensor.elements());
    let mut state = SEED;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        i16::from((state >> 24) as u8 as i8)
    };
    (0..INFERENCES).map(|_| (0..elements).map(|_| draw()).collect()).collect()
}

/// What the network says to each input.
fn expected(network: &Network, inputs: &[Vec<i16>]) -> Result<Vec<Vec<i16>>> {
    let mut interpreter = Interpreter::new(network)?;
    let scores = |input: &Vec<i16>| {
        interpreter.run(&[input]);
        interpreter.outputs().flatten().copied().collect()
    };
    Ok(inputs.iter().map(scores).collect())
}

/// Outputs of each inference, and the cycle of its last beat.
type Ran = (Vec<Vec<i16>>, Vec<u64>);

/// A core that is loaded over its stream.
fn run_loaded(
    module: &Arc<Module>,
    spec: &CnnSpec,
    plan: &Plan,
    inputs: &[Vec<i16>],
) -> Result<Ran> {
    let mut simulator = Simulator::new(module, Engine::Jit);
    let ran = Inferences { spec, plan, inputs }.run(&mut simulator, 0.0, 1)?;
    let outputs = ran.outputs.into_iter().map(|tensors| tensors.concat());
    Ok((outputs.collect(), ran.cycles))
}

/// A core that holds program and weights from the start.
fn run_baked(
    module: &Arc<Module>,
    spec: &CnnSpec,
    plan: &Plan,
    inputs: &[Vec<i16>],
) -> Result<Ran> {
    let mut simulator = Simulator::new(module, Engine::Jit);
    let (input, output) = (&plan.inputs[0], &plan.outputs[0]);
    let features = inputs.iter().flat_map(|features| {
        let features: Vec<_> = features.iter().map(|&feature| feature.into()).collect();
        beats(spec, &input.bytes(&features))
    });
    let feed = Feed { stream: "in", beats: features.collect(), stall: 0.0 };
    let each = output.place.bytes().div_ceil(spec.results) as usize;
    let ran = run(&mut simulator, &[feed], 0.0, 1, each * inputs.len())?;
    let bytes = sent(spec, &ran);
    let scores = |bytes: &[i8]| {
        let bytes = &bytes[..output.place.bytes() as usize];
        output.elements(bytes).iter().map(|&score| score as i16).collect()
    };
    let outputs = bytes.chunks(each * spec.results as usize).map(scores).collect();
    Ok((outputs, ran.cycles.chunks(each).filter_map(|cycles| cycles.last().copied()).collect()))
}

/// Writes under another name and renames, so that a file that is there is whole.
fn write(path: &Path, text: &str) -> Result<()> {
    let part = path.with_extension("part");
    std::fs::write(&part, text)
        .and_then(|()| std::fs::rename(&part, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// A core within a budget of multipliers, generated, run and held against the interpreter.
fn measure(multipliers: u32, baked: bool, folder: Option<&Path>) -> Result<Value> {
    let network = zoo::kws_mini(SEED.into());
    let inputs = inputs(&network);

    let start = Instant::now();
    let budget = Budget::within(multipliers);
    let (spec, plan) = size(&network, budget)?;
    let module = if baked { spec.build_with(&plan.image) } else { spec.build() };
    let verilog = module.verilog()?;
    let seconds = start.elapsed().as_secs_f64();

    let run = if baked { run_baked } else { run_loaded };
    let (outputs, cycles) = run(&module, &spec, &plan, &inputs)?;
    ensure!(outputs == expected(&network, &inputs)?, "the circuit differs from the interpreter");
    let between: Vec<_> = cycles.windows(2).map(|pair| pair[1] - pair[0]).collect();
    ensure!(between.iter().all(|&cycles| cycles == between[0]), "cycles differ: {between:?}");

    let name = format!("kws_mini_{multipliers}_{}.v", if baked { "baked" } else { "loaded" });
    if let Some(folder) = folder {
        write(&folder.join(&name), &verilog)?;
    }
    println!(
        "{} multipliers, {}: {} cycles an inference, {} lines of Verilog in {seconds:.2} s",
        spec.all_multipliers(),
        if baked { "weights in the circuit" } else { "weights loaded" },
        between[0],
        verilog.lines().count(),
    );
    Ok(json!({
        "budget": multipliers,
        "multipliers": spec.all_multipliers(),
        "baked": baked,
        "macs": network.multiplies(),
        "cycles": between[0],
        "first_result_cycle": cycles[0],
        "lines": verilog.lines().count(),
        "generate_seconds": seconds,
        "verilog": name,
        "top": *module.name,
    }))
}

fn story(folder: Option<&Path>) -> Result<()> {
    let mut measured = vec![];
    for multipliers in [18, 60] {
        for baked in [true, false] {
            measured.push(measure(multipliers, baked, folder)?);
        }
    }
    if let Some(folder) = folder {
        write(&folder.join("measured.json"), &(serde_json::to_string_pretty(&measured)? + "\n"))?;
    }
    Ok(())
}

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    story(folder.as_deref())
}

#[test]
fn test() {
    story(None).unwrap();
}
