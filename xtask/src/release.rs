//! The command as it is given away: it says nothing of the machine that built it.

use crate::run::{cargo, succeed, workspace};
use std::path::PathBuf;

/// Builds `target/release-files/release/hwgen`, whose texts name no folder of ours.
///
/// Cargo's `trim-paths` would do this, but is not stable; panics in libraries tell where these lay.
pub(crate) fn run() -> Result<(), String> {
    let home = std::env::var_os("HOME").map(PathBuf::from).ok_or("no HOME")?;
    let libraries = std::env::var_os("CARGO_HOME").map_or(home.join(".cargo"), PathBuf::from);
    let named = [(libraries, "cargo"), (workspace().to_path_buf(), "hwgen")];
    let flags = named
        .each_ref()
        .map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display()));
    // a folder of its own: other flags would have everything else built anew
    let target = workspace().join("target/release-files");
    let mut build = cargo(&["build", "--release", "-p", "hwgen", "--bin", "hwgen"]);
    succeed(
        build.env("CARGO_TARGET_DIR", &target).env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f")),
    )?;
    let program = target.join("release/hwgen");
    let bytes =
        std::fs::read(&program).map_err(|error| format!("{}: {error}", program.display()))?;
    for (path, _) in &named {
        let path = path.to_string_lossy();
        if bytes.windows(path.len()).any(|window| window == path.as_bytes()) {
            return Err(format!("{} names {path}", program.display()));
        }
    }
    println!("{}", program.display());
    Ok(())
}
