//! `hwgen-search`: what `hwgen search` runs. `command` is its command line, `view` what one sees while it goes.

// first, as the others use its macro
#[macro_use]
mod output;

mod command;
mod view;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    // without, Ctrl-C leaves what is to be tidied up to be seen for a moment
    let _ = hwgen_files::tidy_on_signals();
    // a job of a farm
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == "work") {
        let folder = arguments.next().unwrap_or_default();
        return command::work(folder.as_ref()).map_or_else(command::report, |()| ExitCode::SUCCESS);
    }
    command::run(&command::Args::parse()).map_or_else(command::report, |()| ExitCode::SUCCESS)
}
