//! `hwgen verify`

use crate::design::{Named, Size, named};
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::{inferences, network};
use anyhow::Context;
use clap::value_parser;
use hwgen_verify::check::{Check, Plan, Progress, check};
use hwgen_verify::cosim::Engine;
use serde_json::json;

/// Check a design: each engine against the golden model, then all engines in lockstep
#[derive(clap::Args)]
#[command(after_help = "\
A check that fails prints the command that repeats it, and makes the exit code 1.

Engines: interpreter and jit are ours; verilator and icarus run the Verilog; yosys and \
yosys-icarus run the gates Yosys makes of it, which takes it long for a large design. \
`hwgen doctor` says which are here.

Examples:
  hwgen verify --design lapa_attention --engines jit,icarus
  hwgen verify --design cnn --network kws.tflite --multipliers 60 --inputs clips/ --engines jit
  hwgen verify --design mac_array --set rows=4 --seed 7 --cycles 1000")]
pub(crate) struct Args {
    /// The design
    #[arg(long, value_parser = named())]
    design: Named,
    #[command(flatten)]
    size: Size,
    #[command(flatten)]
    network: network::OnCore,
    #[command(flatten)]
    inferences: inferences::Inputs,
    /// What all vectors are made from
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Cycles of each check, at least
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = value_parser!(u64).range(1..))]
    cycles: u64,
    /// Who runs it, the reference first
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "interpreter,jit,verilator,icarus"
    )]
    engines: Vec<Engine>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let configured = args.size.configure(args.design)?;
    let taps = args.inferences.taps;
    if let Some(planned) = args.network.plan(&args.size, &*configured, taps)? {
        args.network.tell(&args.size, &planned.spec);
        return inferences::run(&args.inferences, &planned, &args.engines, args.json);
    }
    let plan = Plan {
        command: args.size.arguments(args.design),
        engines: args.engines.clone(),
        cycles: args.cycles,
        seed: args.seed,
    };
    let mut checks = vec![];
    let mut printed = Ok(());
    let tell = |progress: Progress<'_>| match progress {
        Progress::Begins(name) => tell!("checking {name}"),
        Progress::Done(check) => {
            if !args.json && printed.is_ok() {
                printed = print(&line(check));
            }
            checks.push(check.clone());
        }
    };
    let passed = check(&configured.build(), configured.golden(), &plan, tell);
    printed?;
    let passed = passed.context("cannot verify")?;
    if args.json {
        print_json(&json!({"passed": passed, "checks": checks}))?;
    }
    if passed { Ok(()) } else { Err(Failure::Check) }
}

fn line(check: &Check) -> String {
    let Check { name, cycles, compared, failure } = check;
    match failure {
        None => format!("ok      {name}: {cycles} cycles, {compared} values compared\n"),
        Some(failure) => format!("FAILED  {name}; to see it again:\n  {failure}\n"),
    }
}
