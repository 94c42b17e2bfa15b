//! Repository chores: `cargo xtask test`, `cargo xtask bars [NAME]`, `cargo xtask release`.

mod bars;
mod release;
mod run;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test           check format and lints, run all tests (scripts/setup installs the tools)
cargo xtask bars [NAME..]  measure what takes long, against targets
cargo xtask release        build the command so that it names no folder of this machine";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let names: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match names.as_slice() {
        ["test"] => test::run(),
        ["release"] => release::run(),
        ["bars", names @ ..] => bars::run(names),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
