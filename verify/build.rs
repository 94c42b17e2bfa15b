//! Tells the tests whether Python with virtual environments is here: without it those that need it
//! count as ignored.

use std::process::Command;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(no_python)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PATH");
    let asked = Command::new("python3").args(["-c", "import ensurepip, venv"]).output();
    if !asked.is_ok_and(|output| output.status.success()) {
        println!("cargo::rustc-cfg=no_python");
        println!("cargo::warning=no python3 with venv: the AXI tests of cocotbext-axi are ignored");
    }
}
