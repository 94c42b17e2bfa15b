//! `hwgen doctor`

use crate::failure::Failure;
use crate::output::{print, print_json, table};
use hwgen_verify::tools::{Status, Tool, doctor};
use serde_json::json;

/// Tell which tools are here and known good, and how to install the others
#[derive(clap::Args)]
#[command(after_help = "\
Emitting and simulating need no tool at all. The exit code is 1 if one that the tests need is
missing.")]
pub(crate) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let tools = doctor();
    if args.json {
        print_json(&json!(tools))?;
    } else {
        let rows: Vec<_> = tools.iter().map(row).collect();
        print(&table(&rows))?;
    }
    let lacking = |tool: &Tool| tool.needed && tool.status != Status::Good;
    if tools.iter().any(lacking) { Err(Failure::Check) } else { Ok(()) }
}

fn row(tool: &Tool) -> Vec<String> {
    let need = if tool.needed { "needed by the tests" } else { "optional" };
    let version = tool.version.clone().unwrap_or_default();
    let (state, advice) = match &tool.status {
        Status::Good => ("good", String::new()),
        Status::Unusable(why) => ("unusable", format!("; {why}; {}", tool.install)),
        Status::Missing => ("missing", format!("; {need}: {}", tool.install)),
    };
    vec![tool.tool.into(), state.into(), version, format!("{}{advice}", tool.used_for)]
}
