//! A network whose last layer leaves sums: what all commands tell of it are whole sums and what they stand for.

mod command;
mod simulated;

use command::{ok, refused};
use hwgen_network::graph::{Network, save};
use serde_json::{Value, json};
use simulated::Simulated;
use std::path::Path;

/// Of each of six inputs, six sums; steps differ.
fn network() -> Network {
    let tensor = |name: &str| json!({"name": name, "shape": [6], "bits": 8, "signed": true, "scale": 0.5, "zero_point": 0});
    let mut scores = tensor("scores");
    (scores["bits"], scores["scale"]) = (json!(20), json!(0.5));
    scores["sums"] = json!({"scales": [0.5, 0.25, 0.125, 0.5, 0.5, 0.001], "off_by": 0.0625});
    let weights: Vec<i32> = (0..36).map(weight).collect();
    let operator = json!({
        "kind": "fully_connected",
        "linear": {
            "bits": 8, "weights": weights, "bias": BIAS,
            "multipliers": {"mantissas": [1 << 30], "shifts": [1]},
            "clamp": {"min": -(1 << 19), "max": (1 << 19) - 1},
        },
    });
    serde_json::from_value(json!({
        "version": 1, "name": "sums", "inputs": ["x"], "outputs": ["scores"],
        "tensors": [tensor("x"), scores],
        "layers": [{"name": "dense", "inputs": ["x"], "output": "scores", "operator": operator}],
    }))
    .unwrap()
}

const BIAS: [i32; 6] = [-300_000, 7, 0, 1, -1, 400_000];

fn weight(n: i32) -> i32 {
    if n % 7 == 0 { 100 } else { n % 5 - 2 }
}

fn sums(x: &[u8]) -> Vec<i32> {
    let product = |o: i32| move |(n, &x): (i32, &u8)| weight(6 * o + n) * i32::from(x as i8);
    (0..6).zip(BIAS).map(|(o, bias)| bias + (0..).zip(x).map(product(o)).sum::<i32>()).collect()
}

fn files(folder: &Path) -> (String, String, Vec<u8>) {
    let (model, input) = (folder.join("sums.json"), folder.join("in.bin"));
    save(&network(), &model).unwrap();
    let bytes: Vec<u8> = (0..18).map(|at| (at * 97 + 5) as u8).collect();
    std::fs::write(&input, &bytes).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    (text(&model), text(&input), bytes)
}

#[test]
fn sums_are_told_with_what_they_stand_for() {
    let folder = tempfile::tempdir().unwrap();
    let (model, input, bytes) = files(folder.path());
    let text = ok(&["check", &model]);
    let says = "output `scores`: 6 (elements), 6 classes, int20, sums, 6 scales of 0.001 to 0.5, \
                off by 6.25e-2 at most as biases are rounded\n";
    assert!(text.ends_with(says), "{text}");
    let told: Value = serde_json::from_str(&ok(&["check", &model, "--json"])).unwrap();
    assert_eq!(told["outputs"][0]["sums"]["scales"][2], 0.125);
    let results = folder.path().join("results");
    let output = results.to_str().unwrap();
    let infer = ["infer", "--network", &model, "--inputs", &input];
    let told = ok(&[&infer[..], &["--json", "-o", output]].concat());
    let told: Value = serde_json::from_str(&told).unwrap();
    let array = std::fs::read(results.join("scores.npy")).unwrap();
    let words = array[array.len() - 72..].chunks_exact(4);
    let words: Vec<i32> = words.map(|word| i32::from_le_bytes(word.try_into().unwrap())).collect();
    for (n, x) in bytes.chunks(6).enumerate() {
        assert_eq!(told["results"][n]["outputs"]["scores"], json!(sums(x)));
        assert_eq!(words[6 * n..][..6], sums(x));
    }
    // the largest number is told, which need not be the largest integer
    let scales = [0.5, 0.25, 0.125, 0.5, 0.5, 0.001];
    let reals =
        sums(&bytes[..6]).into_iter().zip(scales).map(|(sum, scale)| f64::from(sum) * scale);
    let largest = format!("({:.4}), the largest", reals.fold(f64::MIN, f64::max));
    let text = ok(&infer);
    assert!(text.lines().next().unwrap().contains(&largest), "{largest}: {text}");
    let verify = ["verify", "--design", "cnn", "--network", &model, "--inputs", &input];
    let verified = ok(&[&verify[..], &["--multipliers", "18", "--json"]].concat());
    let verified: Value = serde_json::from_str(&verified).unwrap();
    assert_eq!(verified["engines"][0]["differing"], 0, "{verified}");
}

#[test]
fn boards_give_sums() {
    let folder = tempfile::tempdir().unwrap();
    let (model, input, bytes) = files(folder.path());
    let on = ["--network", &model, "--multipliers", "18"];
    let board = Simulated::start(&on);
    let run = ["run", "--port", board.port(), "--baud", "3000000", "--load", "--check"];
    let told: Value =
        serde_json::from_str(&ok(&[&run[..], &on, &["--json", &input]].concat())).unwrap();
    assert_eq!(told["differing"], 0);
    for (n, x) in bytes.chunks(6).enumerate() {
        assert_eq!(told["results"][n]["scores"], json!(sums(x)));
        assert_eq!(told["results"][n]["outputs"]["scores"], json!(sums(x)));
    }
    let class = told["results"][0]["class"].as_u64().unwrap() as usize;
    let text = ok(&[&run[..], &on, &[&input]].concat());
    let score = format!("score {} (", sums(&bytes[..6])[class]);
    assert!(text.contains(&score) && text.contains("golden: 0 of 3 differ"), "{text}");
    let words = folder.path().join("words.txt");
    std::fs::write(&words, "a\nb\n").unwrap();
    let named = [&run[..], &on, &["--names", words.to_str().unwrap(), &input]].concat();
    let told = refused(1, &named);
    assert!(told.contains("2 names for 6 classes"), "{told}");
}
