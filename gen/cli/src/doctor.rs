//! `hwgen doctor`

use crate::failure::Failure;
use crate::output::{print, print_json, table};
use hwgen_boards::board::{Family, boards};
use hwgen_boards::build;
use hwgen_boards::program;
use hwgen_tools::{Status, Tool, ToolError, doctor, on_first_run};
use serde::Serialize;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Tell which tools are here and known good, and how to install the others
#[derive(clap::Args)]
#[command(after_help = "\
Emitting and simulating need no tool at all. The exit code is 1 if one that the tests need is \
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
    on_first_run(tell_first_run);
    let tools = doctor(&args.tools);
    let flows: Vec<_> = FAMILIES.iter().map(|family| Flow::of(*family, &args.tools)).collect();
    let unknown = unknown_boards(&args.tools);
    if args.json {
        print_json(&json!({ "tools": tools, "flows": flows, "boards_not_loaded": unknown }))?;
    } else {
        let rows: Vec<_> = tools.iter().map(row).collect();
        let flows: Vec<_> = flows.iter().map(Flow::row).collect();
        let loader = match unknown.as_slice() {
            [] => String::new(),
            boards => {
                format!("  openFPGALoader does not know: {}; a later one may\n", boards.join(", "))
            }
        };
        print(&format!("{}bitstreams\n{}{loader}", table(&rows), table(&flows)))?;
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
    /// What a build would say.
    lacks: Vec<String>,
    /// Commands that install what is missing.
    install: Vec<&'static str>,
}

impl Flow {
    /// As a build finds its tools.
    fn of(family: Family, folders: &[PathBuf]) -> Flow {
        let ours = build::tools(family);
        let found = (0..ours.len()).map(|part| build::tool(family, part, folders));
        let lacking: Vec<_> = found.filter_map(Result::err).collect();
        let mut install: Vec<_> = lacking.iter().filter_map(ToolError::install).collect();
        install.dedup();
        let lacks = lacking.iter().map(ToString::to_string).collect();
        let boards = boards().into_iter().filter(|board| board.fpga.family == family);
        let boards = boards.map(|board| board.name).collect();
        Flow { family: family.title(), boards, tools: ours, lacks, install }
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

/// Says that a tool of YoWASP's takes its time.
pub(crate) fn tell_first_run(path: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    tell!("waiting for {name}: YoWASP compiles a tool when it first runs, which takes minutes");
}

/// Boards that openFPGALoader, if it is here, says it does not know.
fn unknown_boards(folders: &[PathBuf]) -> Vec<String> {
    let Some(known) = program::known_boards(folders) else {
        return vec![];
    };
    let unknown =
        boards().into_iter().filter(|board| !known.contains(&board.program.openfpgaloader));
    unknown.map(|board| board.name).collect()
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
