//! `hwgen sim`

use crate::design::{Named, Size, named};
use crate::failure::{Failure, wrong};
use crate::files::apart;
use crate::output::{print, print_json, table};
use anyhow::Context;
use clap::{ValueEnum, value_parser};
use hwgen_hdl::netlist::Direction;
use hwgen_hdl::sim::{self, SimError, SimOptions, Simulator};
use hwgen_verify::exercise::{Activity, Plan, exercise};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Run a design in our simulator with random streams and inputs, its promises watched
#[derive(clap::Args)]
#[command(after_help = "\
Streams carry random payloads and stall in a quarter of the cycles; other inputs change in every \
cycle. Nothing is compared: `hwgen verify` does that. A broken promise makes the exit code 1.

Examples:
  hwgen sim --design lapa
  hwgen sim --design mac_array --cycles 1000000 --engine interpreter --json
  hwgen sim --design lapa --cycles 200 --fst lapa.fst          look at it in a wave viewer")]
pub(crate) struct Args {
    /// The design
    #[arg(long, value_parser = named())]
    design: Named,
    #[command(flatten)]
    size: Size,
    /// Cycles after the reset
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u64).range(1..))]
    cycles: u64,
    /// What the random numbers are made from
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Which engine
    #[arg(long, value_enum, default_value_t = Engine::Jit)]
    engine: Engine,
    /// Write all named signals to a VCD file; - is stdout, and what came of it goes to stderr
    #[arg(long, value_name = "FILE")]
    vcd: Option<PathBuf>,
    /// Write all named signals to an FST file, the smaller format
    #[arg(long, value_name = "FILE", conflicts_with = "vcd")]
    fst: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Engine {
    /// Machine code
    Jit,
    /// The reference
    Interpreter,
}

/// The share of cycles in which a stream stalls.
const STALL: f64 = 0.25;

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let waves = [("--vcd", args.vcd.as_deref()), ("--fst", args.fst.as_deref())];
    apart(&waves, &[args.size.file()])?;
    if args.fst.as_deref().is_some_and(|path| path == Path::new("-")) {
        return wrong("--fst -: a writer of FST goes back to its beginning; use --vcd -");
    }
    let module = args.size.configure(args.design)?.build();
    let options = SimOptions {
        engine: match args.engine {
            Engine::Jit => sim::Engine::Jit,
            Engine::Interpreter => sim::Engine::Interpreter,
        },
        collect_violations: true,
        ..SimOptions::default()
    };
    let simulator = Simulator::try_with_options(&module, options);
    let mut simulator = simulator.context("cannot simulate")?;
    let plan = Plan { cycles: args.cycles, seed: args.seed, stall: STALL };
    trace(&mut simulator, args).context("cannot trace")?;
    let activity = exercise(&mut simulator, plan);
    simulator.finish_trace().context("cannot trace")?;
    let stdout_is_taken = args.vcd.as_deref().is_some_and(|path| path == Path::new("-"));
    match (stdout_is_taken, args.json) {
        (true, true) => tell!("{:#}", as_json(&activity)),
        (true, false) => tell!("{}", as_text(&activity)),
        (false, true) => print_json(&as_json(&activity))?,
        (false, false) => print(&as_text(&activity))?,
    }
    if activity.violations.is_empty() { Ok(()) } else { Err(Failure::Check) }
}

fn trace(simulator: &mut Simulator, args: &Args) -> Result<(), SimError> {
    if let Some(path) = &args.vcd {
        simulator.trace_vcd(path)?;
    }
    args.fst.as_ref().map_or(Ok(()), |path| simulator.trace_fst(path))
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "in",
        Direction::Out => "out",
    }
}

fn as_text(activity: &Activity) -> String {
    let rate = activity.cycles_per_second();
    let mut rows = vec![vec!["cycles".into(), format!("{} ({rate:.0} a second)", activity.cycles)]];
    for stream in &activity.streams {
        let name = format!("{} {}", word(stream.direction), stream.stream);
        rows.push(vec![name, format!("{} transfers", stream.transfers)]);
    }
    rows.push(vec!["violations".into(), activity.violations.len().to_string()]);
    let first = activity.violations.first();
    table(&rows) + &first.map_or(String::new(), |first| format!("  first: {first}\n"))
}

fn as_json(activity: &Activity) -> Value {
    let streams = activity.streams.iter().map(|stream| {
        json!({
            "direction": word(stream.direction),
            "name": stream.stream,
            "transfers": stream.transfers,
        })
    });
    let violations = activity.violations.iter().map(ToString::to_string);
    json!({
        "cycles": activity.cycles,
        "cycles_per_second": activity.cycles_per_second(),
        "streams": streams.collect::<Vec<_>>(),
        "violations": violations.collect::<Vec<_>>(),
    })
}
