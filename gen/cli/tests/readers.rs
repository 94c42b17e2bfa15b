//! Files that are no files, or damaged: a line, exit code 1, in little memory and time.

mod command;

use command::{hwgen, ok};
use hwgen_network::{graph, zoo};
use std::path::Path;

/// Runs it; what it says last, without a panic.
fn said(code: i32, arguments: &[&str]) -> String {
    let run = hwgen(arguments);
    assert_eq!(run.code, code, "{arguments:?}: {}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{arguments:?}: {}", run.stderr);
    let plain = run.stderr.lines().all(|line| !line.chars().any(char::is_control));
    assert!(plain, "{arguments:?}: {:?}", run.stderr);
    run.stderr.lines().last().unwrap_or_default().to_owned()
}

/// Wherever a file is asked for.
#[test]
fn what_never_ends_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (network, zero, board) = (path("network.json"), "/dev/zero", path("zero.toml"));
    graph::save(&zoo::kws_mini(1), Path::new(&network)).unwrap();
    std::os::unix::fs::symlink(zero, &board).unwrap();
    let cnn = ["--design", "cnn", "--network", &network, "--multipliers", "60"];
    let run = ["run", "--port", "none", "--network", &network, "--multipliers", "60"];
    let power = ["power", "--design", "mac_array", "--set", "rows=1", "--set", "columns=1"];
    for arguments in [
        &["describe", "mac_array", "--spec", zero][..],
        &["import", zero],
        &["check", zero],
        &["verify", "--design", "cnn", "--network", zero, "--inputs", zero],
        &[&["verify"][..], &cnn, &["--policy", zero, "--inputs", zero]].concat(),
        &[&["verify"][..], &cnn, &["--inputs", zero]].concat(),
        &[&["build", "--board", "hx8k"][..], &cnn, &["--live", zero]].concat(),
        &["build", "--design", "echo", "--board", &board],
        &[&power[..], &["--lib", zero]].concat(),
        &[&power[..], &["--lib", zero, "--vectors", zero]].concat(),
        &[&run[..], &["--names", zero, "none.wav"]].concat(),
    ] {
        let said = said(1, arguments);
        assert!(said.ends_with(": it is a device, not a file"), "{arguments:?}: {said}");
    }
}

/// Reads waves as vectors; the library is not there, which is found out after the waves are read.
fn vectors(path: &Path) -> String {
    let power = ["power", "--design", "mac_array", "--set", "rows=1", "--set", "columns=1"];
    let path = path.to_str().unwrap();
    said(1, &[&power[..], &["--lib", "/nonexistent.lib", "--vectors", path]].concat())
}

#[test]
fn damaged_waves_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.fst");
    let sim = ["sim", "--design", "mac_array", "--set", "rows=1", "--set", "columns=1"];
    ok(&[&sim[..], &["--cycles", "40", "--fst", path.to_str().unwrap()]].concat());
    let whole = std::fs::read(&path).unwrap();
    assert!(vectors(&path).contains("/nonexistent.lib"));
    // 147 TB, wherever a length may be
    let claim = 0x8600_0000_0000u64.to_be_bytes();
    let mut refused = 0;
    for at in (1..whole.len() - 8).step_by(61) {
        let mut damaged = whole.clone();
        damaged[at..at + 8].copy_from_slice(&claim);
        std::fs::write(&path, damaged).unwrap();
        refused += usize::from(vectors(&path).contains("cannot take vectors"));
    }
    assert!(refused > 5, "{refused}");
    // the kind of file that once ended the process, where there are some
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/hostile");
    for case in std::fs::read_dir(cases).into_iter().flatten() {
        let path = case.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "fst" || kind == "vcd") {
            vectors(&path);
        }
    }
}
