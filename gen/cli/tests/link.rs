//! `hwgen board sim` and `hwgen run`: the built command, over a pseudo-terminal, as a board would be.

mod clips;
mod command;
mod simulated;

use command::{hwgen, ok, refused};
use hwgen_network::graph::save;
use hwgen_network::zoo;
use serde_json::Value;
use simulated::Simulated;
use std::path::{Path, PathBuf};

/// Clips that are classified.
const CLIPS: usize = 20;

/// Runs the clips; their scores, and how many questions were sent again.
fn classify(board: &Simulated, network: &[&str], clips: &[PathBuf]) -> (Value, u64) {
    let mut arguments = vec!["run", "--port", board.port(), "--baud", "3000000"];
    arguments.extend(network);
    arguments.extend(["--load", "--check", "--json"]);
    arguments.extend(clips.iter().map(|clip| clip.to_str().unwrap()));
    let run = hwgen(&arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let json = run.json();
    assert_eq!(json["differing"], 0, "golden model");
    let scores = |result: &Value| result["scores"].clone();
    let scores: Vec<_> = json["results"].as_array().unwrap().iter().map(scores).collect();
    assert_eq!(scores.len(), clips.len());
    (scores.into(), json["resent"].as_u64().unwrap())
}

/// The same clips on a sound line and on one that damages a byte in a hundred, both ways.
fn sound_and_damaged(link: &str, network: &[&str], clips: &[PathBuf]) {
    let simulated = [network, &["--link", link]].concat();
    let sound = Simulated::start(&simulated);
    let (expected, resent) = classify(&sound, network, clips);
    let distinct: std::collections::HashSet<_> =
        expected.as_array().unwrap().iter().map(Value::to_string).collect();
    assert!(distinct.len() > clips.len() / 2, "the clips say the same: {distinct:?}");
    drop(sound);
    let corrupt = [&simulated[..], &["--corrupt", "0.01", "--seed", "7"]].concat();
    let damaged = Simulated::start(&corrupt);
    let (scores, again) = classify(&damaged, network, clips);
    assert_eq!(scores, expected);
    assert!(again > 20 + resent, "{again} frames sent again: was the line damaged?");
    println!(
        "{link}, {} clips; sent again: {resent} on a sound line, {again} on a bad one",
        clips.len()
    );
}

fn kws_mini(folder: &Path) -> String {
    let path = folder.join("kws_mini.json");
    save(&zoo::kws_mini(1), &path).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_board_classifies_clips() {
    let folder = tempfile::tempdir().unwrap();
    let network = kws_mini(folder.path());
    let clips = clips::clips(folder.path(), CLIPS);
    for link in ["uart", "spi"] {
        sound_and_damaged(link, &["--network", &network, "--multipliers", "18"], &clips);
    }
}

#[test]
#[ignore = "a minute: cargo xtask bars board"]
fn a_board_classifies_clips_with_the_trained_network() {
    let folder = tempfile::tempdir().unwrap();
    let Some(network) = clips::data("mlperf_tiny/kws_ref_model_int8.tflite") else {
        println!("no trained network: HWGEN_DATA names its folder");
        return;
    };
    let clips = clips::clips(folder.path(), CLIPS);
    let network = network.to_str().unwrap();
    sound_and_damaged("uart", &["--network", network, "--multipliers", "60"], &clips);
    println!("board: {} clips as the golden model, on a sound line and on a bad one", clips.len());
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let network = kws_mini(folder.path());
    let clip = clips::clips(folder.path(), 1)[0].to_str().unwrap().to_owned();
    let board = Simulated::start(&["--network", &network, "--multipliers", "18"]);
    let run = |arguments: &[&str]| {
        refused(1, &[&["run", "--port", board.port(), "--network", &network], arguments].concat())
    };
    let other = run(&["--multipliers", "30", "--load", &clip]);
    assert!(other.starts_with("error: the board has `cnn` of specification "), "{other}");
    let unloaded = run(&["--multipliers", "18", &clip]);
    assert_eq!(unloaded, "error: the board has no network: use --load\n");
    let text = run(&["--multipliers", "18", "--load", &network]);
    assert!(text.contains("are not inputs of 490 bytes"), "{text}");
    let unloaded = run(&["--multipliers", "18", &clip]);
    assert_eq!(unloaded, "error: the board has no network: use --load\n", "the input came first");
    let on = ["run", "--port", board.port(), "--network", &network, "--multipliers", "18"];
    ok(&[&on[..], &["--load", &clip]].concat());
    // the network is there now, whoever loaded it
    let again =
        ok(&["run", "--port", board.port(), "--network", &network, "--multipliers", "18", &clip]);
    assert!(again.contains("score"), "{again}");
    let missing =
        refused(1, &["run", "--port", "/nonexistent", "--wait", "0", "--network", &network]);
    assert!(missing.starts_with("error: cannot open port /nonexistent: "), "{missing}");
    let no_spi = refused(2, &["run", "--port", "spi:ulx3s", "--network", &network]);
    assert_eq!(no_spi, "error: --port spi:ulx3s: board `ulx3s` has no SPI to a host\n");
    let rate = refused(2, &["board", "sim", "--corrupt", "2"]);
    assert!(rate.contains("must be 0 to 1"), "{rate}");
}
