//! What is kept is believed only as it was made, and simulators may die.

mod command;

use command::{Run, command, run};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Verifies a small design in a simulator, with this cache.
fn verify(cache: &Path, tools: Option<&Path>) -> Run {
    let arguments =
        "verify --design mac_array --set rows=1 --set columns=1 --cycles 50 --engines icarus";
    let mut command = command(&arguments.split(' ').collect::<Vec<_>>());
    command.env("HWGEN_CACHE", cache);
    if let Some(tools) = tools {
        command.env("HWGEN_TOOLS", tools);
    }
    run(&mut command)
}

/// Files of results: those that are run or read.
fn files(cache: &Path) -> Vec<PathBuf> {
    let results = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    let inside = results.flat_map(|result| fs::read_dir(result).unwrap());
    inside.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_damaged_simulation_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let first = verify(&cache, None);
    assert_eq!(first.code, 0, "{}{}", first.stdout, first.stderr);
    let mode = fs::metadata(&cache).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "nobody else may put anything there");
    let kept = files(&cache);
    for file in &kept {
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(file, bytes).unwrap();
    }
    let damaged = verify(&cache, None);
    assert_eq!((damaged.code, &damaged.stdout), (0, &first.stdout), "{}", damaged.stderr);
    assert_eq!(files(&cache).len(), kept.len());
    // a cache of somebody else's, which only root can make
    if std::os::unix::fs::chown(&cache, Some(12_345), None).is_ok() {
        let others = verify(&cache, None);
        assert_eq!(others.code, 1);
        assert!(others.stderr.contains("it belongs to user 12345"), "{}", others.stderr);
    }
}

#[test]
fn a_simulator_that_dies_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let vvp = folder.path().join("vvp");
    // it tells its version, and dies
    let script = "#!/bin/sh\n[ \"$1\" = -V ] && echo 'Icarus Verilog runtime version 11.0' && exit 0\necho out of memory >&2\nkill -9 $$\n";
    fs::write(&vvp, script).unwrap();
    fs::set_permissions(&vvp, fs::Permissions::from_mode(0o755)).unwrap();
    let died = verify(&folder.path().join("cache"), Some(folder.path()));
    assert_eq!(died.code, 1);
    let said = &died.stderr;
    assert!(said.contains("gave no answer") && said.contains("out of memory"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}
