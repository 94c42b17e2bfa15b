//! The `hwgen` command: one file a subcommand; what they do lives in the libraries.
//!
//! Results go to stdout, talk to stderr. Exit codes: 0 fine; 1 a check failed, or a tool or a
//! file did; 2 the command line or a parameter is wrong.

// first, as the others use its macro
#[macro_use]
mod output;

mod asic;
mod board;
mod build;
mod check;
mod cores;
mod cost;
mod describe;
mod design;
mod doctor;
mod eembc;
mod emit;
mod failure;
mod files;
mod import;
mod infer;
mod inferences;
mod inputs;
mod link;
mod list;
mod network;
mod number;
mod on_board;
mod policy;
mod power;
mod program;
mod results;
mod run;
mod search;
mod shell;
mod sim;
mod size;
mod study;
mod verify;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Specifications of AI accelerators to Verilog that is tested against an integer model.
#[derive(Parser)]
#[command(
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  hwgen list                                         the designs
  hwgen describe lapa --set rows=8                   ports and latency of a size
  hwgen emit --design lapa > lapa.v                  its Verilog
  hwgen verify --design lapa --engines jit,icarus    golden model = our engine = Icarus
  hwgen check kws.tflite                             what a network is, and whether a core runs it
  hwgen cost --network kws.tflite --board ulx3s      its cycles, memories and area on a core
  hwgen search --data shapes --out found             networks and bit widths for a core, trained
  hwgen infer --network kws.tflite --inputs clips/   its results, by the integer model
  hwgen import kws.tflite -o network.json            a trained network as integers
  hwgen build --board hx8k --design echo             a bitstream for a board

Exit codes: 0 fine; 1 a check, a tool or a file failed; 2 wrong usage or parameter."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::Args),
    Describe(describe::Args),
    Emit(emit::Args),
    Sim(sim::Args),
    Verify(verify::Args),
    Study(study::Args),
    Power(power::Args),
    Import(import::Args),
    Check(check::Args),
    Cost(cost::Args),
    Search(search::Args),
    Infer(infer::Args),
    Board(board::Args),
    Build(build::Args),
    Program(program::Args),
    Run(run::Args),
    Eembc(eembc::Args),
    Doctor(doctor::Args),
    Completions(shell::CompletionArgs),
    Man(shell::ManArgs),
    /// Read a wave file for `power`, which starts this
    #[command(hide = true)]
    ReadWaves,
}

fn main() -> ExitCode {
    // without, Ctrl-C leaves what is to be tidied up to be seen for a moment
    let _ = hwgen_files::tidy_on_signals();
    let result = match Cli::parse().command {
        Command::List(args) => list::run(&args),
        Command::Describe(args) => describe::run(&args),
        Command::Emit(args) => emit::run(&args),
        Command::Sim(args) => sim::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Study(args) => study::run(&args),
        Command::Power(args) => power::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Cost(args) => cost::run(&args),
        Command::Search(args) => search::run(&args),
        Command::Infer(args) => infer::run(&args),
        Command::Board(args) => board::run(&args),
        Command::Build(args) => build::run(&args),
        Command::Program(args) => program::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Eembc(args) => eembc::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Completions(args) => shell::completions::<Cli>(&args),
        Command::Man(args) => shell::man::<Cli>(&args),
        Command::ReadWaves => {
            hwgen_verify::waves::serve().map_err(|error| anyhow::Error::from(error).into())
        }
    };
    result.map_or_else(failure::report, |()| ExitCode::SUCCESS)
}
