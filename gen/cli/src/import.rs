//! `hwgen import`

use crate::failure::Failure;
use anyhow::Context;
use hwgen_network::graph::{Network, save, save_with_binary, schema};
use hwgen_network::import::{ImportError, MOST_BYTES, import};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Import a trained network
///
/// Reads a TensorFlow Lite model that is quantised to int8 and writes it as integers: network.json,
/// which docs/network.md describes.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hwgen import kws.tflite                    writes network.json
  hwgen import kws.tflite -o kws.json -b     weights beside it, in kws.bin
  hwgen import --schema                      the JSON schema of network.json")]
pub(crate) struct Args {
    /// The model
    #[arg(required_unless_present = "schema")]
    file: Option<PathBuf>,
    /// Where the network goes
    #[arg(short, long, value_name = "FILE", default_value = "network.json")]
    output: PathBuf,
    /// Put the weights into a binary file beside it (the same name, ending .bin)
    #[arg(short, long)]
    binary: bool,
    /// Print the JSON schema of the output instead
    #[arg(long)]
    schema: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Some(file) = args.file.as_ref().filter(|_| !args.schema) else {
        return crate::output::print(&schema());
    };
    let network = read(file)?.with_context(|| format!("cannot import {}", file.display()))?;
    let write = if args.binary { save_with_binary } else { save };
    write(&network, &args.output).map_err(anyhow::Error::from)?;
    let (layers, weights) = (network.layers.len(), network.weights());
    let multiplies = network.multiplies();
    let output = args.output.display();
    eprintln!("{output}: {layers} layers, {weights} weights, {multiplies} multiplications a run");
    Ok(())
}

/// Reads a model; the inner result is what it says of itself.
pub(crate) fn read(path: &Path) -> Result<Result<Network, ImportError>, Failure> {
    let cannot = || format!("cannot read {}", path.display());
    let file = std::fs::File::open(path).with_context(cannot)?;
    let mut bytes = Vec::new();
    // one byte more than allowed tells that there are too many, of a pipe as well
    file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes).with_context(cannot)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok(import(&name, &bytes))
}
