//! `hwgen program`

use crate::failure::Failure;
use crate::output::print_json;
use anyhow::{Context, anyhow};
use hwgen_boards::board;
use hwgen_boards::program::{Loader, command};
use hwgen_files::Group;
use hwgen_tools::command_line;
use serde_json::json;
use std::path::PathBuf;
use std::process::Stdio;

/// Load a bitstream into a board
#[derive(clap::Args)]
#[command(after_help = "\
openFPGALoader does it, or iceprog; the command is printed before it runs.

Examples:
  hwgen program --board ulx3s ulx3s/ulx3s.bit
  hwgen program --board tang_nano_9k --flash tang_nano_9k/tang_nano_9k.fs    to stay
  hwgen program --board icebreaker --iceprog icebreaker/icebreaker.bin
  hwgen program --board ulx3s --dry-run ulx3s/ulx3s.bit                      only print")]
pub(crate) struct Args {
    /// The board: a name, or a file that ends in .toml
    #[arg(long, value_name = "BOARD")]
    board: String,
    /// Write what the board starts from, not the FPGA itself
    #[arg(long)]
    flash: bool,
    /// Use iceprog
    #[arg(long)]
    iceprog: bool,
    /// Print the command only
    #[arg(long)]
    dry_run: bool,
    /// Folder searched for tools before HWGEN_TOOLS and the PATH; may be repeated
    #[arg(long, value_name = "DIR")]
    tools: Vec<PathBuf>,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
    /// The bitstream
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let board = board::find(&args.board)?;
    let loader = if args.iceprog { Loader::Iceprog } else { Loader::OpenFpgaLoader };
    let made = command(&board, &args.file, loader, args.flash, &args.tools);
    let command = made.map_err(anyhow::Error::from)?;
    let line = command_line(&command);
    tell!("{line}");
    if !args.dry_run {
        // its talk is no result
        let talk = if args.json { std::io::stderr().into() } else { Stdio::inherit() };
        let loader = Group::start(&command, false, talk, Stdio::inherit());
        let status = loader.and_then(|mut loader| loader.wait());
        let status = status.with_context(|| format!("cannot start `{line}`"))?;
        if !status.success() {
            return Err(anyhow!("`{line}` failed ({status})").into());
        }
    }
    if args.json {
        let loaded = !args.dry_run;
        return print_json(&json!({ "board": board.name, "command": line, "loaded": loaded }));
    }
    Ok(())
}
