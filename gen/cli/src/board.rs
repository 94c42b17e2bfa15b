//! `hwgen board`

mod info;

use crate::design::{Named, Size, named};
use crate::failure::{Failure, usage};
use crate::link::Link;
use crate::network;
use crate::number::share;
use crate::output::{print, print_json};
use anyhow::Context;
use clap::value_parser;
use hwgen_boards::link::identity::spec_hash;
use hwgen_boards::sim::faults::Faults;
use hwgen_boards::sim::{SimBoard, Terminal, serve};
use hwgen_boards::top::{Line, Payload, TopSpec};
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::generate::Generate;
use serde_json::json;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// Ask a board who it is, or simulate one
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Info(info::Info),
    Sim(Sim),
}

/// Simulate a design on a board, behind a pseudo-terminal that looks like its serial port; behind
/// it is the board's serial line, or a master of its SPI
#[derive(clap::Args)]
#[command(after_help = "\
Prints the terminal's path and runs until it is killed; while nothing is sent to it its clock stands.

Examples:
  hwgen board sim --network kws.tflite --multipliers 60 --path /tmp/board &
  hwgen run --port /tmp/board --network kws.tflite --multipliers 60 --load clip.wav
  hwgen board sim --design lapa_predictor --corrupt 0.01        one byte in a hundred is damaged")]
struct Sim {
    /// The design
    #[arg(long, value_parser = named(), default_value = CnnSpec::NAME)]
    design: Named,
    #[command(flatten)]
    size: Size,
    #[command(flatten)]
    network: network::OnCore,
    /// A symbolic link to the terminal, as a name that lasts
    #[arg(long, value_name = "PATH")]
    path: Option<PathBuf>,
    /// What the board talks over
    #[arg(long, value_enum, value_name = "LINK", default_value_t = Link::Uart)]
    link: Link,
    /// Cycles of a bit on the serial line
    #[arg(long, value_name = "N", default_value_t = 4)]
    divisor: u32,
    /// The clock that the board says it has
    #[arg(long, value_name = "HZ", default_value_t = 12_000_000, value_parser = value_parser!(u32).range(1..))]
    clock: u32,
    /// The share of bytes that is damaged, both ways
    #[arg(long, value_name = "RATE", default_value_t = 0.0, value_parser = share)]
    corrupt: f64,
    /// What damage and the state at power-up are made from
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Print the terminal's path as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Info(args) => info::info(args),
        Command::Sim(args) => simulate(args),
    }
}

fn simulate(args: &Sim) -> Result<(), Failure> {
    let configured = args.size.configure(args.design)?;
    let name = args.design.0.name();
    let payload = match args.network.plan(&args.size, &*configured, false)? {
        None => Payload::new(name, &*configured),
        Some(planned) => {
            args.network.tell(&args.size, &planned.spec);
            of_network(&planned)?
        }
    };
    let line = match args.link {
        Link::Uart => Line::Uart { divisor: args.divisor },
        Link::Spi => Line::Spi,
    };
    let spec = TopSpec::over(line, args.clock);
    let mut board = SimBoard::new(&spec, &payload, args.seed).map_err(usage)?;
    let terminal = Terminal::new(args.path.as_deref()).context("cannot have a terminal")?;
    show(&terminal, args.json)?;
    let mut faults = [0, 1].map(|way| Faults::new(args.corrupt, args.seed.wrapping_mul(2) + way));
    let stop = AtomicBool::new(false);
    Ok(serve(&mut board, &terminal, &mut faults, &stop).context("the terminal failed")?)
}

/// Prints where a terminal is.
pub(crate) fn show(terminal: &Terminal, as_json: bool) -> Result<(), Failure> {
    let path = terminal.path().display().to_string();
    if as_json { print_json(&json!({ "port": path })) } else { print(&format!("{path}\n")) }
}

/// The core that a network goes onto, its class on the LEDs.
pub(crate) fn of_network(planned: &network::Planned) -> Result<Payload, Failure> {
    let json = serde_json::to_string(&planned.spec).context("cannot write the core's size")?;
    // of sums the class is known when their bytes are put together, which the host does
    let scores = planned.plan.outputs.last().filter(|port| !port.sums);
    let classes = scores.map(|port| port.place.height * port.place.width * port.place.channels);
    Ok(Payload {
        module: planned.spec.build(),
        design: CnnSpec::NAME.into(),
        spec_hash: spec_hash(&json),
        classes,
    })
}
