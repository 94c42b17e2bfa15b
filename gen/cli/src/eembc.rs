//! `hwgen eembc`

use crate::board::show;
use crate::failure::Failure;
use crate::on_board::OnBoard;
use anyhow::{Context, ensure};
use hwgen_boards::eembc::{Bridge, Commands, Names, serve};
use hwgen_boards::sim::Terminal;
use hwgen_network::graph::Network;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// Offer a board to the MLPerf Tiny runner (EEMBC), which expects a device at a serial port
#[derive(clap::Args)]
#[command(after_help = "\
The board speaks packets; this bridge understands the runner's lines (`name%`, `db load 490%`, `infer 10 0%`) and \
drives the board. Prints the path of a pseudo-terminal for the runner and runs until it is killed. Timestamps come \
from the board's counter of cycles.

Example:
  hwgen eembc --port /dev/ttyUSB1 --network kws.tflite --multipliers 60 --load --path /tmp/dut")]
pub(crate) struct Args {
    #[command(flatten)]
    board: OnBoard,
    /// A symbolic link to the terminal, as a name that lasts
    #[arg(long, value_name = "PATH")]
    path: Option<PathBuf>,
    /// The benchmark that the network is for: kws01, ic01, ad01, vww01
    #[arg(long, value_name = "MODEL", default_value = "kws01")]
    model: String,
    /// Print the terminal's path as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut planned = args.board.network()?;
    one(&planned.network)?;
    let inference = args.board.open(&mut planned)?;
    let network = &planned.network;
    let tensor = |names: &[String]| names.last().and_then(|name| network.tensor(name));
    let input = tensor(&network.inputs).context("the network has no input")?;
    let output = tensor(&network.outputs).context("the network has no output")?;
    let bridge = Bridge::new(inference, input, output).map_err(anyhow::Error::from)?;
    let names = Names { vendor: "hwgen".into(), model: args.model.clone() };
    let mut commands = Commands::new(bridge, names);
    let terminal = Terminal::new(args.path.as_deref()).context("cannot have a terminal")?;
    show(&terminal, args.json)?;
    let stop = AtomicBool::new(false);
    Ok(serve(&mut commands, &terminal, &stop).context("the terminal failed")?)
}

/// The runner gives one input and takes one output.
fn one(network: &Network) -> anyhow::Result<()> {
    let (inputs, outputs) = (network.inputs.len(), network.outputs.len());
    ensure!(
        inputs == 1 && outputs == 1,
        "the network has {inputs} inputs and {outputs} outputs; the runner knows one of each"
    );
    Ok(())
}
