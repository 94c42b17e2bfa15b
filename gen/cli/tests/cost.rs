//! `hwgen cost`: what it says, its server, and who refuses networks without weights.

mod command;

use command::{command, ok, refused};
use hwgen_network::candidate::Candidate;
use hwgen_network::graph::save;
use hwgen_network::plan::{Budget, size};
use hwgen_network::zoo;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// A chain of convolutions of one kernel, every other one depthwise.
fn chain(layers: usize, channels: usize, bits: u32) -> Value {
    let rim = json!({"top": 1, "left": 1, "bottom": 1, "right": 1});
    let layer = |n: usize| {
        let groups = if n % 2 == 1 { channels } else { 1 };
        let window = json!({"kernel": [3, 3], "pads": rim});
        let operator = json!({"kind": "conv_2d", "window": window, "groups": groups, "linear": {"bits": bits}});
        let (x, z) = (format!("t{n}"), format!("t{}", n + 1));
        json!({"name": format!("conv_{n}"), "inputs": [x], "output": z, "operator": operator})
    };
    let tensor = |n: usize| json!({"name": format!("t{n}"), "shape": [8, 8, channels]});
    json!({
        "candidate": 1,
        "inputs": ["t0"],
        "outputs": [format!("t{layers}")],
        "tensors": (0..=layers).map(tensor).collect::<Vec<_>>(),
        "layers": (0..layers).map(layer).collect::<Vec<_>>(),
    })
}

/// What the server answers to these lines, the last of which need not end.
fn served(arguments: &[&str], input: &[u8]) -> Vec<Value> {
    let mut server = command(&[&["cost", "--serve"], arguments].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut to, input) = (server.stdin.take().unwrap(), input.to_vec());
    let writer = std::thread::spawn(move || to.write_all(&input).unwrap());
    let lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let answers = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    writer.join().unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
    answers
}

#[test]
fn a_cost_is_what_the_planner_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.json");
    let network = zoo::kws_mini(1);
    save(&network, &path).unwrap();
    let path = path.to_str().unwrap();
    let told = ok(&["cost", "--network", path, "--multipliers", "18", "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    let (spec, plan) = size(&network, Budget::of(&network, 18)).unwrap();
    assert_eq!(told["version"], 1);
    assert_eq!(told["cycles"], plan.cycles());
    assert_eq!(told["needs"]["jobs"], plan.image.jobs.len());
    assert_eq!(told["needs"]["activation_bytes"], plan.bank_bytes);
    assert_eq!(told["core"]["multipliers"], spec.all_multipliers());
    assert_eq!(told["layers"].as_array().unwrap().len(), plan.steps.len());
    assert_eq!(told["area"].as_array().unwrap().len(), 2);
    let text = ok(&["cost", "--network", path, "--multipliers", "18"]);
    assert!(text.contains(&format!("{} cycles an inference", plan.cycles())), "{text}");
    // the core that was found is one that is taken
    let core = folder.path().join("core.json");
    std::fs::write(&core, told["core"]["spec"].to_string()).unwrap();
    let core = ["--spec", core.to_str().unwrap(), "--board", "icebreaker"];
    let again = ok(&[&["cost", "--json", "--network", path][..], &core].concat());
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["cycles"], plan.cycles());
    assert!(again["milliseconds"].as_f64().unwrap() > 0.1);
}

/// Weights of four bits and activations of eight: lanes of 25 x 18 bits have one weight, and the cost says why.
#[test]
fn a_cost_says_why_lanes_have_one_weight() {
    let folder = tempfile::tempdir().unwrap();
    let costed = |weight_bits: u32| {
        let path = folder.path().join(format!("w{weight_bits}.json"));
        save(&zoo::kws_mini_at(1, weight_bits, 8), &path).unwrap();
        ok(&["cost", "--network", path.to_str().unwrap(), "--multipliers", "18"])
    };
    let (narrow, wide) = (costed(4), costed(8));
    let line = "  one weight a lane in conv_1, conv_2, conv_3, scores: ";
    assert!(narrow.contains(line), "{narrow}");
    assert!(!wide.contains("one weight"), "{wide}");
}

#[test]
fn every_line_is_answered_in_order() {
    let small = chain(2, 4, 8);
    let line = |value: Value| value.to_string();
    let long = "x".repeat(20_000_000);
    let lines = [
        (line(json!({"version": 1, "id": 7, "candidate": small})), ""),
        ("nonsense".into(), "a request is a JSON object"),
        (String::new(), "a request is a JSON object"),
        (format!("{{{long}"), "a line of more than 16777216 bytes: split it"),
        (
            line(json!({"version": 2, "id": "a", "candidate": small})),
            "request of version 2: only 1 is known",
        ),
        (line(json!({"version": 1, "candidate": small, "what": 1})), "unknown field `what`"),
        (
            line(json!({"version": 1, "candidate": small, "spec": {"lanes": 3}})),
            "spec:1: `lanes` = 3",
        ),
        (
            line(json!({"version": 1, "candidate": small, "board": "/dev/zero"})),
            "board `/dev/zero` is not known",
        ),
        (line(json!({"version": 1, "candidate": small, "multipliers": 0})), "`multipliers` = 0"),
        (
            line(json!({"version": 1, "candidate": small, "spec": {"jobs": 2}})),
            "jobs: 4 needed, 2 given",
        ),
        (line(json!({"version": 1, "candidate": chain(1, 1 << 30, 8)})), "tensor `t0`: `shape[2]`"),
        (line(json!({"version": 1})), "no `candidate`"),
        ("[".repeat(100_000), "a request is a JSON object"),
        (format!("{{\"version\": 1, \"candidate\": {}", "[".repeat(100_000)), "EOF while parsing"),
        (
            line(json!({"version": 1, "id": "x".repeat(2000), "candidate": small})),
            "`id` has more than 1024 bytes",
        ),
        (line(json!({"version": 1, "id": [1], "candidates": [small, {"candidate": 1}]})), ""),
    ];
    let input: Vec<&str> = lines.iter().map(|(line, _)| &line[..]).collect();
    let answers = served(&["--multipliers", "18"], input.join("\n").as_bytes());
    assert_eq!(answers.len(), lines.len());
    for (answer, (line, says)) in answers.iter().zip(&lines) {
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(error.contains(says) && (error.is_empty() == says.is_empty()), "{error}: {says}");
        assert!(answer["version"] == 1 && answer.get("id").is_some(), "{}", &line[..50]);
    }
    assert_eq!([&answers[0]["id"], &answers[4]["id"]], [&json!(7), &json!("a")]);
    let list = answers.last().unwrap();
    assert_eq!(list["id"], json!([1]));
    assert_eq!(list["costs"][0]["cycles"], answers[0]["cost"]["cycles"]);
    assert!(list["costs"][1]["error"].as_str().unwrap().contains("missing field"));
}

/// A network is named once; lines narrow it.
#[test]
fn a_network_that_is_named_once_is_narrowed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.json");
    std::fs::write(&path, chain(3, 8, 8).to_string()).unwrap();
    let policy = |bits: u32| json!({"version": 1, "weight_bits": {"conv_0": bits}});
    let lines = [
        json!({"version": 1, "layers": true}),
        json!({"version": 1, "policy": policy(4)}),
        json!({"version": 1, "policy": policy(9)}),
        json!({"version": 1, "area": true}),
    ];
    let input: Vec<String> = lines.iter().map(Value::to_string).collect();
    let arguments = ["--network", path.to_str().unwrap(), "--multipliers", "18"];
    let answers = served(&arguments, (input.join("\n") + "\n").as_bytes());
    let bytes = |answer: &Value| answer["cost"]["needs"]["weight_bytes"].as_u64().unwrap();
    assert_eq!(answers[0]["cost"]["layers"].as_array().unwrap().len(), 5);
    assert!(bytes(&answers[1]) < bytes(&answers[0]));
    assert!(answers[2]["error"].as_str().unwrap().contains("gives layer `conv_0` 9 bits"));
    assert!(answers[3]["cost"]["area"][0]["lut"].as_u64().unwrap() > 100);
}

/// Damaged lines are answered, too, and none ends the server.
#[test]
fn damaged_lines_end_nobody() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let sound = json!({"version": 1, "id": "a", "candidate": chain(4, 6, 4)}).to_string();
    let numbers =
        ["0", "-1", "1e99", "18446744073709551615", "4294967296", "16777216", "4096", "7", "null"];
    let damaged = |rng: &mut ChaCha8Rng| {
        let mut line = sound.clone();
        for _ in 0..rng.random_range(1..4) {
            let digits: Vec<usize> =
                line.match_indices(|c: char| c.is_ascii_digit()).map(|m| m.0).collect();
            let at = digits[rng.random_range(0..digits.len())];
            line.replace_range(at..=at, numbers[rng.random_range(0..numbers.len())]);
        }
        if rng.random_range(0..8) == 0 {
            line.truncate(rng.random_range(0..line.len()));
        }
        line
    };
    let lines: Vec<String> = (0..1000).map(|_| damaged(&mut rng)).collect();
    let input = lines.join("\n") + "\n" + &sound + "\n";
    let answers = served(&["--set", "lanes=16", "--set", "weight_rows=4096"], input.as_bytes());
    assert_eq!(answers.len(), lines.len() + 1);
    assert!(answers.last().unwrap()["cost"]["cycles"].is_number());
    let refused = answers.iter().filter(|answer| answer["error"].is_string()).count();
    assert!((500..1000).contains(&refused), "{refused}");
}

#[test]
fn nobody_else_takes_a_network_without_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("candidate.json");
    std::fs::write(&path, chain(2, 4, 8).to_string()).unwrap();
    let (path, out) = (path.to_str().unwrap(), folder.path().join("out"));
    let out = out.to_str().unwrap();
    let on = ["--network", path];
    for arguments in [
        &["check", path][..],
        &["import", path],
        &["infer", "--network", path, "--inputs", path],
        &["emit", "--design", "cnn", "--network", path, "--baked"],
        &["verify", "--design", "cnn", "--network", path, "--inputs", path],
        &["build", "--board", "hx8k", "--design", "cnn", "--network", path, "-o", out],
        &[&["run", "--port", "none"][..], &on, &[path]].concat(),
        &[&["eembc", "--port", "none"][..], &on].concat(),
        &[&["board", "sim"][..], &on].concat(),
    ] {
        let said = refused(1, arguments);
        let why = "is a candidate, which has no weights: `hwgen cost` alone takes it";
        let other = arguments[0] == "import";
        assert!(said.contains(why) || other, "{arguments:?}: {said}");
    }
}

#[test]
fn schemas_are_printed() {
    for what in ["candidate", "request", "answer", "cost"] {
        let schema: Value = serde_json::from_str(&ok(&["cost", "--schema", what])).unwrap();
        assert!(schema["properties"].is_object() || schema["$defs"].is_object(), "{what}");
    }
}

/// The program of `docs/cost.md` is `examples/cost.py`, and prints what the page says.
#[test]
fn the_page_s_program_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/cost.md")).unwrap();
    let block = |mark: &str| {
        let behind = page.split(&format!("```{mark}\n")).nth(1).unwrap_or_else(|| panic!("{mark}"));
        behind.split("```").next().unwrap().to_owned()
    };
    let program = std::fs::read_to_string(root.join("examples/cost.py")).unwrap();
    assert_eq!(block("python"), program, "docs/cost.md: copy examples/cost.py there");
    let candidate: Value = serde_json::from_str(&block("json")).unwrap();
    Candidate::from_json(&candidate).unwrap();
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("NOT RUN: there is no python3 to run examples/cost.py with");
        return;
    }
    let here = Path::new(env!("CARGO_BIN_EXE_hwgen")).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(here.to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let run = Command::new("python3")
        .arg(root.join("examples/cost.py"))
        .env("PATH", path.unwrap())
        .output();
    let run = run.unwrap();
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(said, block("text"), "docs/cost.md: it prints this");
}

#[test]
#[ignore = "a figure of an idle machine: cargo xtask bars cost"]
fn ten_thousand_candidates_take_seconds() {
    let line = |n: usize| {
        let candidate = chain(20, 4 + n % 13, 2 + (n % 7) as u32);
        json!({"version": 1, "id": n, "candidate": candidate}).to_string() + "\n"
    };
    let input: String = (0..10_000).map(line).collect();
    let core = ["lanes=32", "weight_rows=16384", "scale_rows=4096", "activation_words=4096"];
    let core: Vec<&str> = core.iter().flat_map(|set| ["--set", set]).collect();
    let start = Instant::now();
    let answers = served(&core, input.as_bytes());
    let seconds = start.elapsed().as_secs_f64();
    assert!(answers.len() == 10_000 && answers.iter().all(|answer| answer["cost"].is_object()));
    println!(
        "cost: {seconds:.2} seconds for 10,000 candidates of 20 layers, {:.1} MB",
        input.len() as f64 / 1e6
    );
}
