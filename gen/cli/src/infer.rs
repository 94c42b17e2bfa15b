//! `hwgen infer`

use crate::failure::Failure;
use crate::inputs::{runs, write_npy};
use crate::network::load;
use crate::output::{print, print_json, table};
use crate::policy::Narrowing;
use crate::results::{line, scaled};
use anyhow::Context;
use clap::value_parser;
use hwgen_network::graph::{Network, Tensor};
use hwgen_network::interpret::Interpreter;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Run a network on the integer model, which every core equals bit by bit
///
/// Inputs are read as `verify` and `run` read them. What a streaming network keeps from run to run begins
/// anew with each file.
#[derive(clap::Args)]
#[command(after_help = "\
A file of bytes (*.bin) has all inputs of a run one after the other, run after run; elements in the order that \
`hwgen check` tells. An array of NumPy (*.npy) has integers, or reals that are quantized with the input's scale.

Examples:
  hwgen infer --network kws.tflite --inputs clip.bin           the largest output of each run
  hwgen infer --network kws.tflite --inputs clips/ -o results  an array (*.npy) for each output
  hwgen infer --network kws.tflite --inputs clips/ --json      all outputs of all runs")]
pub(crate) struct Args {
    /// network.json, or a file that `hwgen import` takes
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    #[command(flatten)]
    narrowing: Narrowing,
    /// A file of inputs, or a folder of such (*.bin, *.npy)
    #[arg(long, value_name = "PATH")]
    inputs: PathBuf,
    /// A folder for the outputs: an array of all runs each, OUTPUT.npy
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Every layer's result, not only the network's outputs
    #[arg(long)]
    taps: bool,
    /// Runs, at most
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What one run made: each tensor's integers.
struct Made {
    input: String,
    outputs: Vec<Vec<i32>>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let file = &args.network;
    let network = load(file)?.with_context(|| format!("cannot import {}", file.display()))?;
    let network = args.narrowing.apply(network)?;
    let made = infer(&network, args)?;
    let tensors: Vec<&Tensor> = shown(&network, args.taps).collect();
    if let Some(folder) = &args.output {
        write(folder, &tensors, &made)?;
    }
    if args.json {
        return print_json(&as_json(&network, &tensors, &made));
    }
    print(&table(&rows(&tensors, &made)))
}

/// Tensors whose values are told: the network's outputs, states left out, or every layer's.
fn shown(network: &Network, taps: bool) -> impl Iterator<Item = &Tensor> {
    let is_state = |name: &String| network.states.iter().any(|state| state.output == *name);
    let outputs: Vec<&String> = network.outputs.iter().collect();
    let own: Vec<&String> = outputs.iter().copied().filter(|name| !is_state(name)).collect();
    let names = match (taps, own.is_empty()) {
        (true, _) => network.layers.iter().map(|layer| &layer.output).collect(),
        (false, true) => outputs,
        (false, false) => own,
    };
    names.into_iter().filter_map(|name| network.tensor(name))
}

fn infer(network: &Network, args: &Args) -> anyhow::Result<Vec<Made>> {
    let mut interpreter = Interpreter::new(network).context("cannot run the network")?;
    let limit = args.limit.unwrap_or(u64::MAX).try_into().unwrap_or(usize::MAX);
    let mut made = vec![];
    for file in runs(&args.inputs, network)? {
        interpreter.restart();
        let several = file.runs.len() > 1;
        for (at, given) in file.runs.iter().enumerate().take(limit - made.len()) {
            let mut rest = &given[..];
            let apart = network.given().map(|tensor| {
                let (own, after) = rest.split_at(tensor.elements());
                rest = after;
                own
            });
            interpreter.next(&apart.collect::<Vec<_>>());
            let value = |tensor: &Tensor| {
                tensor.integers(interpreter.tap(&tensor.name).unwrap_or_default())
            };
            let outputs = shown(network, args.taps).map(value).collect();
            let input = if several { format!("{}:{at}", file.name) } else { file.name.clone() };
            made.push(Made { input, outputs });
        }
    }
    Ok(made)
}

/// A line a run: each output's elements if they are few, else the largest and where it is.
fn rows(tensors: &[&Tensor], made: &[Made]) -> Vec<Vec<String>> {
    let cell = |(tensor, output): (&&Tensor, &Vec<i32>)| line(tensor, output);
    let row = |made: &Made| {
        let cells = tensors.iter().zip(&made.outputs).map(cell);
        std::iter::once(made.input.clone()).chain(cells).collect()
    };
    made.iter().map(row).collect()
}

fn as_json(network: &Network, tensors: &[&Tensor], made: &[Made]) -> Value {
    let output =
        |tensor: &&Tensor| scaled(tensor, json!({"name": tensor.name, "shape": tensor.shape}));
    let result = |made: &Made| {
        let outputs = tensors.iter().zip(&made.outputs);
        let outputs: serde_json::Map<String, Value> =
            outputs.map(|(tensor, output)| (tensor.name.clone(), json!(output))).collect();
        json!({"input": made.input, "outputs": outputs})
    };
    json!({
        "network": network.name,
        "outputs": tensors.iter().map(output).collect::<Vec<_>>(),
        "results": made.iter().map(result).collect::<Vec<_>>(),
    })
}

fn write(folder: &Path, tensors: &[&Tensor], made: &[Made]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create folder {}", folder.display()))?;
    let mut files: Vec<(PathBuf, Vec<u8>)> = vec![];
    for (at, tensor) in tensors.iter().enumerate() {
        let runs: Vec<Vec<i32>> = made.iter().map(|made| made.outputs[at].clone()).collect();
        let name = file_name(&tensor.name);
        let mut path = folder.join(format!("{name}.npy"));
        if files.iter().any(|(other, _)| *other == path) {
            path = folder.join(format!("{name}_{at}.npy"));
        }
        files.push((path, write_npy(tensor, &runs).context("cannot make an array")?));
    }
    let files: Vec<(&Path, &[u8])> =
        files.iter().map(|(path, bytes)| (path.as_path(), &bytes[..])).collect();
    Ok(hwgen_files::write_all(&files)?)
}

/// A tensor's name as a file's: letters, digits, `_`, `-` and `.` stay.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '_' };
    let name: String = name.chars().take(100).map(plain).collect();
    let hidden = name.is_empty() || name.starts_with('.');
    if hidden { format!("output{name}") } else { name }
}
