//! A point's core against its network's integer model, by the command.

use std::path::Path;
use std::process::Command;

/// What `hwgen verify` says of a point on some engines; it must not find a difference.
pub(crate) fn verified(out: &Path, n: usize, inputs: &Path, engines: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).args(["run", "--quiet", "-p", "hwgen"]);
    // as this test was built
    cargo.args((!cfg!(debug_assertions)).then_some("--release"));
    cargo.args(["--", "verify", "--design", "cnn", "--engines", engines, "--network"]);
    cargo.arg(out.join(format!("point_{n}.network.json")));
    cargo.arg("--spec").arg(out.join(format!("point_{n}.core.json")));
    let output = cargo.arg("--inputs").arg(inputs).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "point {n} on its core: {text}{error}");
    text
}
