//! Runs the built binary.

use serde_json::Value;
use std::process::{Command, Output, Stdio};

/// The binary with these arguments, to be run.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hwgen"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// What it did.
pub(crate) struct Run {
    /// Exit code.
    pub(crate) code: i32,
    /// Results.
    pub(crate) stdout: String,
    /// Talk.
    pub(crate) stderr: String,
}

impl Run {
    /// The JSON on its stdout.
    #[allow(dead_code)] // not every test file needs it
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// Runs it, expects exit code 0 and JSON.
#[allow(dead_code)]
pub(crate) fn json_of(arguments: &[&str]) -> Value {
    serde_json::from_str(&ok(arguments)).unwrap()
}

/// Runs it.
pub(crate) fn hwgen(arguments: &[&str]) -> Run {
    run(&mut command(arguments))
}

/// Runs a command.
pub(crate) fn run(command: &mut Command) -> Run {
    let Output { status, stdout, stderr } = command.output().unwrap();
    Run {
        code: status.code().unwrap(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// Runs it and expects exit code 0.
#[allow(dead_code)] // not every test file needs it
pub(crate) fn ok(arguments: &[&str]) -> String {
    let run = hwgen(arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout
}

/// Runs it and expects a refusal: this exit code, nothing on stdout; returns what it said.
#[allow(dead_code)]
pub(crate) fn refused(code: i32, arguments: &[&str]) -> String {
    let run = hwgen(arguments);
    assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{arguments:?}: {}", run.stderr);
    run.stderr
}

/// Names under `Commands:` of a help text.
#[allow(dead_code)]
pub(crate) fn commands(help: &str) -> Vec<String> {
    let behind = help.split("\nCommands:\n").nth(1).unwrap();
    let lines = behind.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}
