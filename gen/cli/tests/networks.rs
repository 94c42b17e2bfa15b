//! `hwgen import` and `hwgen check`.

mod command;
#[path = "../../network/tests/models/mod.rs"]
mod models;

use command::{hwgen, ok, refused};
use hwgen_network::graph::load;
use insta::assert_snapshot;
use std::path::Path;

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_model_becomes_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let model = write(folder.path(), "small.tflite", &models::small(1));
    let output = folder.path().join("small.json");
    let run = hwgen(&["import", &model, "-o", output.to_str().unwrap()]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    assert!(
        run.stderr.ends_with("small.json: 6 layers, 120 weights, 1632 multiplications a run\n"),
        "{}",
        run.stderr
    );
    let inline = load(&output).unwrap();
    assert_eq!(inline.name, "small");
    ok(&["import", &model, "-b", "-o", output.to_str().unwrap()]);
    assert!(folder.path().join("small.bin").exists());
    assert!(load(&output).unwrap() == inline);
    let names = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 3, "a temporary file is left");
    assert_eq!(ok(&["check", &model]), "every node is supported: 6 layers\n");
    assert!(ok(&["check", &model, "--json"]).contains("\"supported\": true"));
    assert_eq!(ok(&["import", "--schema"]), hwgen_network::graph::schema());
}

#[test]
fn every_unsupported_node_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let model = write(folder.path(), "odd.tflite", &models::unsupported(1));
    let run = hwgen(&["check", &model]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    let json = hwgen(&["check", &model, "--json"]);
    assert_eq!(json.code, 1);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["unsupported"].as_array().unwrap().len(), run.stdout.lines().count() - 1);
    let output = folder.path().join("odd.json");
    let import = refused(1, &["import", &model, "-o", output.to_str().unwrap()]);
    assert!(import.ends_with(&run.stdout), "{import}");
    assert!(!output.exists());
    assert_snapshot!(run.stdout);
}

#[test]
fn files_that_are_no_models() {
    let folder = tempfile::tempdir().unwrap();
    let text = write(folder.path(), "text.tflite", b"not a model at all");
    let mut cut = models::small(1);
    cut.truncate(cut.len() / 2);
    let cut = write(folder.path(), "cut.tflite", &cut);
    let said = [
        refused(1, &["import", &text]),
        refused(1, &["check", &text]),
        refused(1, &["import", &cut]),
        refused(1, &["check", "/nonexistent.tflite"]),
        refused(2, &["import"]),
    ];
    let folder = format!("{}/", folder.path().display());
    assert_snapshot!(said.join("\n").replace(&folder, ""));
}
