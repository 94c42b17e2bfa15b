//! `hwgen check`

use crate::failure::Failure;
use crate::network::load;
use crate::output::{print, print_json};
use crate::results::{scale, scaled};
use anyhow::Context;
use hwgen_network::graph::{Network, Tensor};
use hwgen_network::import::{ImportError, Unsupported};
use hwgen_network::plan::{PlanError, supported};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Tell what a network takes and gives, and every node that is not supported
///
/// Exit code 0: `hwgen import` takes it and a core runs it; 1: it does not, or none does.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A TensorFlow Lite or ONNX model, or network.json
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match load(&args.file)? {
        Ok(network) => told(&network, args.json),
        Err(ImportError::Unsupported(report)) => {
            match args.json {
                true => print_json(&refused(&report))?,
                false => print(&format!("{report}\n"))?,
            }
            Err(Failure::Check)
        }
        Err(fault) => {
            let cannot = || format!("cannot import {}", args.file.display());
            Ok(Err(fault).with_context(cannot)?)
        }
    }
}

/// A network that was read: its edges, and a core if there is one.
fn told(network: &Network, as_json: bool) -> Result<(), Failure> {
    let core = core(network);
    match as_json {
        true => print_json(&network_json(network, &core))?,
        false => print(&text(network, &core))?,
    }
    if core.is_ok() { Ok(()) } else { Err(Failure::Check) }
}

/// A core that runs a network.
struct Core {
    multipliers: u32,
    cycles: u64,
}

fn core(network: &Network) -> Result<Core, PlanError> {
    let (spec, plan) = supported(network)?;
    Ok(Core { multipliers: spec.all_multipliers(), cycles: plan.cycles() })
}

fn text(network: &Network, core: &Result<Core, PlanError>) -> String {
    let layers = match network.layers.len() {
        1 => "1 layer".to_owned(),
        count => format!("{count} layers"),
    };
    let mut text = match core {
        Ok(Core { multipliers, cycles }) => format!(
            "every node is supported: {layers}, {cycles} cycles on a core of {multipliers} \
             multipliers\n"
        ),
        Err(error) => format!(
            "every node is read: {layers}, but no core runs them (hwgen infer does)\n  {error}\n"
        ),
    };
    for (what, names) in [("input ", &network.inputs), ("output", &network.outputs)] {
        for tensor in names.iter().filter_map(|name| network.tensor(name)) {
            let kept = kept(network, &tensor.name);
            text += &format!("{what} {}{kept}\n", tensor_text(tensor, what == "output"));
        }
    }
    text
}

/// What a tensor at the edge is for, if it is a state.
fn kept(network: &Network, name: &str) -> String {
    let mut states = network.states.iter();
    match states.find(|state| state.input == name || state.output == name) {
        Some(state) if state.input == name => {
            format!("; kept: `{}` of the run before, {} at first", state.output, state.initial)
        }
        Some(state) => format!("; kept: `{}` of the next run", state.input),
        None => String::new(),
    }
}

fn tensor_text(tensor: &Tensor, classes: bool) -> String {
    let Tensor { name, shape, .. } = tensor;
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let axes = axes(tensor).join(", ");
    // a number is no choice
    let classes = match shape[..] {
        [count] if classes && count > 1 => format!(", {count} classes"),
        _ => String::new(),
    };
    let (sizes, kind) = (sizes.join(" x "), kind(tensor));
    format!("`{name}`: {sizes} ({axes}){classes}, {kind}, {}", scale(tensor))
}

/// Names of a tensor's axes, the one whose index varies fastest last.
fn axes(tensor: &Tensor) -> &'static [&'static str] {
    match tensor.shape.len() {
        1 => &["elements"],
        2 => &["rows", "columns"],
        _ => &["height", "width", "channels"],
    }
}

/// As NumPy names the type, for as many bits.
fn kind(tensor: &Tensor) -> String {
    format!("{}{}", if tensor.signed { "int" } else { "uint" }, tensor.bits)
}

fn network_json(network: &Network, core: &Result<Core, PlanError>) -> Value {
    let tensors = |names: &[String]| -> Vec<Value> {
        let tensors = names.iter().filter_map(|name| network.tensor(name));
        let one = |tensor: &Tensor| {
            let own = json!({
                "name": tensor.name, "shape": tensor.shape, "axes": axes(tensor),
                "type": kind(tensor),
            });
            scaled(tensor, own)
        };
        tensors.map(one).collect()
    };
    json!({
        "supported": core.is_ok(),
        "layers": network.layers.len(),
        "core": core.as_ref().ok().map(|core| {
            json!({"multipliers": core.multipliers, "cycles": core.cycles})
        }),
        "no_core": core.as_ref().err().map(ToString::to_string),
        "inputs": tensors(&network.inputs),
        "outputs": tensors(&network.outputs),
        "states": network.states,
        "unsupported": [],
    })
}

fn refused(report: &Unsupported) -> Value {
    let nodes = report.nodes.iter().map(|node| {
        json!({
            "node": node.node,
            "operator": node.operator,
            "problem": node.problem,
            "rewrite": node.rewrite,
        })
    });
    let nodes: Vec<_> = nodes.collect();
    json!({"supported": false, "nodes": report.total, "unsupported": nodes})
}
