//! Tells the tests whether a Python that a simulator can load is here: without it those that need
//! it count as ignored.

use std::process::Command;

const CHECK: &str = "cocotb/usable.py";

fn main() {
    println!("cargo::rustc-check-cfg=cfg(no_python)");
    println!("cargo::rerun-if-changed={CHECK}");
    println!("cargo::rerun-if-env-changed=PATH");
    let asked = Command::new("python3").arg(CHECK).output();
    if !asked.is_ok_and(|output| output.status.success()) {
        println!("cargo::rustc-cfg=no_python");
        println!(
            "cargo::warning=no python3 with venv and libpython: the tests with cocotbext-axi are \
             ignored; to install it: scripts/setup"
        );
    }
}
