//! `hwgen doctor`

use crate::failure::Failure;
use crate::output::{print, print_json, table};
use hwgen_boards::board::{Family, boards};
use hwgen_boards::build;
use hwgen_verify::tools::{Status, Tool, doctor};
use serde::Serialize;
use serde_json::json;
use std::path::PathBuf;

/// Tell which tools are here and known good, and how to install the others
#[derive(clap::Args)]
#[command(after_help = "\
Emitting and simulating need no tool at all. The exit code is 1 if one that the tests need is
missing. Behind a version stands the one that has been seen to do all that is asked of the tool.")]
pub(crate) struct Args {
    /// Folder searched for tools before HWGEN_TOOLS and the PATH; may be repeated
    #[arg(long, value_name = "DIR")]
    tools: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let tools = doctor(&args.tools);
    let flows: Vec<_> = FAMILIES.iter().map(|family| Flow::of(*family, &tools)).collect();
    if args.json {
        print_json(&json!({ "tools": tools, "flows": flows }))?;
    } else {
        let rows: Vec<_> = tools.iter().map(row).collect();
        let flows: Vec<_> = flows.iter().map(Flow::row).collect();
        print(&format!("{}bitstreams\n{}", table(&rows), table(&flows)))?;
    }
    let lacking = |tool: &Tool| tool.needed && tool.status != Status::Good;
    if tools.iter().any(lacking) { Err(Failure::Check) } else { Ok(()) }
}

const FAMILIES: [Family; 4] = [Family::Ice40, Family::Ecp5, Family::Gowin, Family::Xilinx7];

/// A family's way to a bitstream.
#[derive(Serialize)]
struct Flow {
    family: &'static str,
    boards: Vec<String>,
    tools: &'static [&'static str],
    /// Commands that install what is missing.
    install: Vec<&'static str>,
}

impl Flow {
    fn of(family: Family, tools: &[Tool]) -> Flow {
        let ours = build::tools(family);
        let lacking = tools.iter().filter(|tool| ours.contains(&tool.tool));
        let lacking = lacking.filter(|tool| tool.status != Status::Good);
        let mut install: Vec<_> = lacking.map(|tool| tool.install).collect();
        install.dedup();
        let boards = boards().into_iter().filter(|board| board.fpga.family == family);
        let boards = boards.map(|board| board.name).collect();
        Flow { family: family.title(), boards, tools: ours, install }
    }

    fn row(&self) -> Vec<String> {
        let state = match (self.install.as_slice(), self.family) {
            (_, "Xilinx 7") => "counts only; a script for Vivado, UNTESTED".into(),
            ([], _) => "complete".into(),
            (install, _) => format!("lacks tools: {}", install.join("; ")),
        };
        vec![self.family.into(), self.boards.join(", "), state]
    }
}

fn row(tool: &Tool) -> Vec<String> {
    let need = if tool.needed { "needed by the tests" } else { "optional" };
    let version = match (&tool.version, tool.known_good) {
        (Some(version), Some(good)) => format!("{version} ({good})"),
        (Some(version), None) => version.clone(),
        (None, Some(good)) => format!("({good})"),
        (None, None) => String::new(),
    };
    let (state, advice) = match &tool.status {
        Status::Good => ("good", String::new()),
        Status::Unusable(why) => ("unusable", format!("; {why}; {}", tool.install)),
        Status::Missing => ("missing", format!("; {need}: {}", tool.install)),
    };
    vec![tool.tool.into(), state.into(), version, format!("{}{advice}", tool.used_for)]
}
