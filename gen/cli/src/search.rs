//! `hwgen search`: passes on to `hwgen-search`, which is a program of its own, as training takes minutes to
//! build that nothing else here needs.

use crate::failure::Failure;
use crate::output::print;
use anyhow::{Context, anyhow};
use hwgen_files::Group;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The program that searches.
const PROGRAM: &str = "hwgen-search";

/// How one gets it.
const BUILD: &str = "cargo build --release -p hwgen-search";

/// Search architecture and bit widths of a network together, with the generated core as its cost
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// What `hwgen-search` takes: `hwgen search --help` tells
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Some(program) = program() else { return missing(&args.arguments) };
    let mut command = Command::new(&program);
    command.args(&args.arguments);
    let search = Group::start(&command, false, Stdio::inherit(), Stdio::inherit());
    let status = search.and_then(|mut search| search.wait());
    let status = status.with_context(|| format!("cannot start {}", program.display()))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(Failure::Told(code as u8)),
        None => Err(anyhow!("{PROGRAM} was ended ({status}); the same command goes on").into()),
    }
}

/// Beside this command, else on the PATH.
fn program() -> Option<PathBuf> {
    let own = std::env::current_exe().ok();
    let beside = own.as_deref().and_then(|own| own.parent()).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = beside.into_iter().chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join(PROGRAM)).find(|program| program.is_file())
}

fn missing(arguments: &[OsString]) -> Result<(), Failure> {
    let how = format!("build it, `{BUILD}`, and put it beside hwgen or on the PATH");
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        return print(&format!("`hwgen search` runs {PROGRAM}, which is not here: {how}\n"));
    }
    Err(anyhow!("{PROGRAM} is not here: {how}").into())
}
