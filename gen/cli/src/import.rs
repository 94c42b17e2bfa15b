//! `hwgen import`

use crate::failure::{Failure, wrong};
use crate::files::apart;
use crate::network::load;
use crate::output::print_json;
use crate::policy::Narrowing;
use crate::results::scale;
use anyhow::Context;
use hwgen_network::graph::{save, save_with_binary, schema};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Import a trained network
///
/// Reads a TensorFlow Lite model that is quantized to int8, or a quantized ONNX model, and writes it as
/// integers: network.json, which docs/network.md describes.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hwgen import kws.tflite                    writes network.json
  hwgen import kws.tflite -o kws.json -b     weights beside it, in kws.bin
  hwgen import kws.tflite --policy w4a7.json --calibrate clips/    with fewer bits
  hwgen import --schema                      the JSON schema of network.json")]
pub(crate) struct Args {
    /// The model
    #[arg(required_unless_present = "schema")]
    file: Option<PathBuf>,
    #[command(flatten)]
    narrowing: Narrowing,
    /// Where the network goes; - is stdout
    #[arg(short, long, value_name = "FILE", default_value = "network.json")]
    output: PathBuf,
    /// Put the weights into a binary file beside it (the same name, ending .bin)
    #[arg(short, long)]
    binary: bool,
    /// Print the JSON schema of the output instead
    #[arg(long)]
    schema: bool,
    /// Print what was imported as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Some(file) = args.file.as_ref().filter(|_| !args.schema) else {
        return crate::output::print(&schema());
    };
    if args.json && args.output == Path::new("-") {
        return wrong("--json: stdout takes the network already; name another --output");
    }
    let side = args.binary.then(|| args.output.with_extension("bin"));
    if side.is_some() && args.output == Path::new("-") {
        return wrong("--binary: its file lies beside --output, which is stdout");
    }
    let written = [("--output", Some(&*args.output)), ("--binary", side.as_deref())];
    apart(&written, &[("the model", Some(file)), args.narrowing.file()])?;
    let network = load(file)?.with_context(|| format!("cannot import {}", file.display()))?;
    let network = args.narrowing.apply(network)?;
    let write = if args.binary { save_with_binary } else { save };
    write(&network, &args.output).map_err(anyhow::Error::from)?;
    let (layers, weights) = (network.layers.len(), network.weights());
    let multiplies = network.multiplies();
    let output = args.output.display();
    tell!("{output}: {layers} layers, {weights} weights, {multiplies} multiplications a run");
    let outputs = network.outputs.iter().filter_map(|name| network.tensor(name));
    for tensor in outputs.filter(|tensor| tensor.sums.is_some()) {
        tell!("output `{}`: {}", tensor.name, scale(tensor));
    }
    if args.json {
        return print_json(&json!({
            "output": args.output, "binary": side, "layers": layers, "weights": weights, "multiplies": multiplies,
        }));
    }
    Ok(())
}
