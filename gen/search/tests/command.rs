//! The command line: help, schemas, refusals with their exit codes.

use insta::assert_snapshot;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Exit code, stdout, stderr.
fn search(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hwgen-search"));
    let Output { status, stdout, stderr } =
        command.args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn refused(code: i32, arguments: &[&str]) -> String {
    let (got, stdout, stderr) = search(arguments);
    assert_eq!((got, &*stdout), (code, ""), "{arguments:?}: {stderr}");
    let error = stderr.lines().find(|line| line.starts_with("error: "));
    error.unwrap_or_else(|| panic!("{arguments:?}: {stderr}")).to_owned()
}

#[test]
fn help() {
    let (code, text, _) = search(&["--help"]);
    assert_eq!(code, 0);
    assert_snapshot!(text);
}

#[test]
fn schemas_are_of_what_is_read_and_written() {
    for (what, field) in [("space", "blocks"), ("search", "points")] {
        let (code, text, stderr) = search(&["--schema", what]);
        assert_eq!(code, 0, "{stderr}");
        let schema: Value = serde_json::from_str(&text).unwrap();
        assert!(schema["properties"][field].is_object(), "{text}");
    }
}

#[test]
fn refusals() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let out = folder.path().join("out");
    let on = ["--data", "shapes", "--limit", "64", "--out", out.to_str().unwrap()];
    let with = |more: &[&str]| refused(2, &[&on[..], more].concat());
    let other = file("other.json", include_str!("other_space.json"));
    let none = file("none.json", "{\"version\": 1, \"nam\": 2}");
    let cut = file("cut.json", "{\"version\": 1, \"name\": ");
    let said = [
        refused(2, &["--data", "shapes"]),
        with(&["--space", "shape"]),
        with(&["--space", &none]).replace(&none, "none.json"),
        with(&["--space", &cut]).replace(&cut, "cut.json"),
        with(&["--space", &other]).replace(&other, "other.json"),
        with(&["--target", "ulx4s"]),
        with(&["--target", "ulx3s", "--kind", "25x18"]),
        with(&["--kind", "27x18"]),
        with(&["--multipliers", "0"]),
        with(&["--multipliers", "99999999999"]),
        with(&["--latency", "20"]),
        with(&["--latency", "NaNms"]),
        with(&["--epochs", "0"]),
        with(&["--population", "1"]),
        with(&["--rate", "inf"]),
        with(&["--uniform", "8"]),
        with(&["--sharing", "half"]),
        with(&["--noise", "1"]),
        refused(1, &["--data", "/nonexistent", "--out", out.to_str().unwrap()]),
    ];
    assert!(!out.exists(), "a refusal writes nothing");
    assert_snapshot!(said.join("\n"));
}

/// A small search in a folder: what it found, but for its seconds.
fn small(out: &Path, more: &[&str]) -> Value {
    let least = "--data shapes --space shapes --limit 200 --multipliers 12 --tuning 1 --population 4 \
                 --generations 1 --points 1 --seed 5 --out";
    let mut arguments: Vec<&str> = least.split_whitespace().collect();
    arguments.push(out.to_str().unwrap());
    arguments.extend(more);
    let (code, _, stderr) = search(&arguments);
    assert_eq!(code, 0, "{stderr}");
    let text = std::fs::read(out.join("search.json")).unwrap();
    let mut found: Value = serde_json::from_slice(&text).unwrap();
    assert!(found.as_object_mut().unwrap().remove("seconds").is_some());
    found
}

/// A job of a farm reads its items itself: what says which has to go with it.
#[test]
fn a_farm_finds_what_threads_find() {
    let folder = tempfile::tempdir().unwrap();
    let found = |name: &str, more: &[&str]| {
        small(&folder.path().join(name), &[&["--epochs", "1"], more].concat())
    };
    assert_eq!(found("threads", &[]), found("jobs", &["--engine", "local:2"]));
}

#[test]
fn a_search_goes_on_from_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let first = small(&path("first"), &["--epochs", "2"]);
    let before = path("first");
    let before = ["--resume", before.to_str().unwrap()];
    // nothing is learned: the same numbers judge the same subnets alike
    let second = small(&path("second"), &[&before[..], &["--epochs", "0"]].concat());
    assert_eq!(first["judged"][0], second["judged"][0]);
    let farm = ["--epochs", "0", "--engine", "local:2"];
    let on_farm = small(&path("on_farm"), &[&before[..], &farm].concat());
    assert_eq!(second, on_farm);
    small(&path("third"), &[&before[..], &["--epochs", "1"]].concat());
    assert!(path("third").join("supernet_scales.safetensors").exists());
}
