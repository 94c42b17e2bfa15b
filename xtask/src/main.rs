//! Repository chores: `cargo xtask test`, `cargo xtask bars [NAME]`.

mod bars;
mod install;
mod run;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test           install the tools that are missing, check format and lints, run all tests
cargo xtask bars [NAME..]  measure what takes long, against targets
cargo xtask install        only install the tools that are missing";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let names: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match names.as_slice() {
        ["test"] => test::run(),
        ["bars", names @ ..] => bars::run(names),
        ["install"] => install::run(),
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
