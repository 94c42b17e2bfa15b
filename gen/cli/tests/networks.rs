//! `hwgen import`, `hwgen check`, `hwgen infer`, and `hwgen verify` of networks.

mod command;
#[path = "../../network/tests/models/mod.rs"]
mod models;

use command::{hwgen, json_of, ok, refused};
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
    let text = ok(&["check", &model]);
    assert!(text.starts_with("every node is supported: 6 layers, "), "{text}");
    assert!(
        text.contains("input  `t0`: 6 x 5 x 2 (height, width, channels), int8, scale 0.0"),
        "{text}"
    );
    assert!(
        text.contains(": 3 (elements), 3 classes, int8, scale 0.00390625, zero point -128"),
        "{text}"
    );
    // a network of our own is told the same
    assert_eq!(ok(&["check", output.to_str().unwrap()]), text);
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
    let json = json.json();
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

/// What the core has no job for is read, and said to be so.
#[test]
fn no_core_is_no_support() {
    let folder = tempfile::tempdir().unwrap();
    let model = write(folder.path(), "operators.tflite", &models::operators(2));
    let run = hwgen(&["check", &model]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{}", run.stdout);
    assert!(run.stdout.starts_with("every node is read: "), "{}", run.stdout);
    let refused = "layer `24_mat_mul`: its factors' zero points are";
    assert!(run.stdout.contains(refused), "{}", run.stdout);
    let json = hwgen(&["check", &model, "--json"]).json();
    assert_eq!(json["supported"], false);
}

/// A stream has a core, and what it keeps is told.
#[test]
fn what_a_stream_keeps_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let model = write(folder.path(), "kept.tflite", &models::kept(11));
    let run = hwgen(&["check", &model]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    assert!(run.stdout.starts_with("every node is supported: "), "{}", run.stdout);
    assert!(run.stdout.contains("; kept: "), "{}", run.stdout);
    let json = hwgen(&["check", &model, "--json"]).json();
    assert_eq!((&json["supported"], &json["states"][0]["initial"]), (&true.into(), &5.into()));
}

/// Results of the integer model, from bytes and from arrays, and what a stream keeps.
#[test]
fn inferences_of_the_integer_model() {
    let folder = tempfile::tempdir().unwrap();
    let model = write(folder.path(), "kept.tflite", &models::kept(11));
    let runs: Vec<u8> = (0..60).map(|n| (n * 37 % 251) as u8).collect();
    let bytes = write(folder.path(), "a.bin", &runs);
    let results = folder.path().join("results");
    let output = results.to_str().unwrap();
    let json = json_of(&["infer", "--network", &model, "--inputs", &bytes, "-o", output, "--json"]);
    let values = json["results"].as_array().unwrap();
    assert_eq!(values.len(), 3);
    let name = json["outputs"][0]["name"].as_str().unwrap().to_owned();
    let last = values[2]["outputs"][&name][0].as_i64().unwrap();
    let array = std::fs::read(results.join(format!("{name}.npy"))).unwrap();
    assert_eq!(array[array.len() - 1] as i8, last as i8);
    // the same runs as an array of integers
    let header = "{'descr': '|i1', 'fortran_order': False, 'shape': (3, 2, 10), }          \n";
    let mut array = b"\x93NUMPY\x01\x00".to_vec();
    array.extend((header.len() as u16).to_le_bytes());
    array.extend(header.as_bytes());
    array.extend(&runs);
    let array = write(folder.path(), "b.npy", &array);
    let again = json_of(&["infer", "--network", &model, "--inputs", &array, "--json"]);
    for (a, b) in values.iter().zip(again["results"].as_array().unwrap()) {
        assert_eq!(a["outputs"], b["outputs"]);
    }
    // the third run alone has another past
    let third = write(folder.path(), "c.bin", &runs[40..]);
    let alone = json_of(&["infer", "--network", &model, "--inputs", &third, "--json", "--taps"]);
    assert!(alone["outputs"].as_array().unwrap().len() > 5);
    let short = write(folder.path(), "d.bin", &runs[..7]);
    let said = refused(1, &["infer", "--network", &model, "--inputs", &short]);
    assert!(said.contains("its 7 bytes are not inputs of 20 bytes (`t0`)"), "{said}");
}

/// A run has all inputs, one after the other.
#[test]
fn two_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let model = write(folder.path(), "two.tflite", &models::streaming(5));
    let runs: Vec<u8> = (0..2 * 440).map(|n| (n * 91 % 253) as u8).collect();
    let inputs = write(folder.path(), "in.bin", &runs);
    let network = ["--network", &model, "--inputs", &inputs];
    let verify = ["verify", "--design", "cnn", "--multipliers", "60", "--engines", "jit", "--taps"];
    let said = ok(&[&verify[..], &network].concat());
    assert!(said.contains("golden: 2 inputs") && said.contains("jit: 0 differ"), "{said}");
}

/// Small files whose parts are shared, and files that never end: a line each, little memory.
#[test]
#[cfg(unix)]
fn hostile_files_take_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut files: Vec<String> = vec!["/dev/zero".into()];
    for (name, model) in models::shared() {
        files.push(write(folder.path(), &format!("{name}.tflite"), &model));
    }
    for file in files {
        let limited =
            format!("ulimit -v 600000; exec {} check {file}", env!("CARGO_BIN_EXE_hwgen"));
        let run = command::run(std::process::Command::new("sh").args(["-c", &limited]));
        assert!(run.code <= 1, "{file}: {} {}", run.code, run.stderr);
        assert!(!run.stderr.contains("panic") && !run.stderr.contains("memory"), "{}", run.stderr);
    }
}

/// The first command that a user types; --set and --spec size the core themselves.
#[test]
fn a_network_has_a_core_that_nobody_sized() {
    let folder = tempfile::tempdir().unwrap();
    let model = write(folder.path(), "variants.tflite", &models::variants(6));
    let emit = ["emit", "--design", "cnn", "--network", &model];
    let run = hwgen(&emit);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let says = " multipliers (--multipliers N changes that)\n";
    assert!(run.stderr.starts_with("the core: ") && run.stderr.contains(says), "{}", run.stderr);
    let small = hwgen(&[&emit[..], &["--multipliers", "9"]].concat());
    assert!(small.code == 0 && !small.stderr.contains("the core: "), "{}", small.stderr);
    let set = hwgen(&[&emit[..], &["--set", "weight_rows=8"]].concat());
    assert!(set.code == 1 && set.stderr.contains("raise `weight_rows`"), "{}", set.stderr);
    let few = hwgen(&[&emit[..], &["--multipliers", "1"]].concat());
    assert!(few.code == 1 && few.stderr.contains("raise --multipliers"), "{}", few.stderr);
}
