//! The programs that tests call, installed by package name where they are missing.

use crate::run::succeed;
use std::process::Command;

/// A program and the Debian package it comes in.
const TOOLS: &[(&str, &str)] = &[
    ("verilator", "verilator"),
    ("g++", "g++"), // compiles what Verilator writes
    ("make", "make"),
    ("yosys", "yosys"),
    ("iverilog", "iverilog"),
];

/// Installs what is missing.
pub(crate) fn run() -> Result<(), String> {
    let missing: Vec<&str> = TOOLS
        .iter()
        .filter(|(program, _)| !on_path(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !on_path("apt-get") {
        return Err(format!(
            "missing: {list}; install them with your package manager"
        ));
    }
    eprintln!("installing what the tests need: {list}");
    // the first is for containers in which apt's own user may not read its files
    let update = [
        "-o",
        "APT::Sandbox::User=root",
        "-o",
        WAIT_FOR_LOCK,
        "update",
    ];
    succeed(&mut apt_get(&update)?)?;
    let install = [
        "-o",
        WAIT_FOR_LOCK,
        "install",
        "-y",
        "--no-install-recommends",
    ];
    succeed(apt_get(&install)?.args(&missing))
}

/// Another installation may be running.
const WAIT_FOR_LOCK: &str = "DPkg::Lock::Timeout=500";

fn apt_get(arguments: &[&str]) -> Result<Command, String> {
    let mut words = vec!["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    if !is_root() {
        if !on_path("sudo") {
            return Err("installing needs root or sudo".into());
        }
        words.insert(0, "sudo");
    }
    words.extend(arguments);
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    Ok(command)
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
