//! Which network a board holds: the right one is run, all others are refused.

mod clips;
mod command;
mod simulated;

use command::{Run, hwgen, json_of, ok, refused};
use hwgen_network::graph::{Network, save};
use hwgen_network::interpret::Interpreter;
use hwgen_network::zoo;
use serde_json::{Value, json};
use simulated::Simulated;
use std::path::{Path, PathBuf};

const SIZE: [&str; 2] = ["--multipliers", "18"];

fn saved(folder: &Path, name: &str, network: &Network) -> String {
    let path = folder.join(name);
    save(network, &path).unwrap();
    path.to_str().unwrap().to_owned()
}

fn bytes(folder: &Path, name: &str, count: usize) -> (String, Vec<u8>) {
    let bytes: Vec<u8> = (0..count).map(|at| (at * 37 + at * at / 5) as u8).collect();
    let path = folder.join(name);
    std::fs::write(&path, &bytes).unwrap();
    (path.to_str().unwrap().to_owned(), bytes)
}

fn golden(network: &Network, inputs: &[&[u8]]) -> Vec<Vec<i16>> {
    let element = |byte: &u8| i16::from(*byte as i8);
    let inputs: Vec<Vec<i16>> =
        inputs.iter().map(|input| input.iter().map(element).collect()).collect();
    let mut golden = Interpreter::new(network).unwrap();
    golden.run(&inputs.iter().map(Vec::as_slice).collect::<Vec<_>>());
    golden.outputs().map(<[i16]>::to_vec).collect()
}

/// A board of the first network, and of whatever has its core; `run`, `info` on it.
struct Held<'h> {
    board: Simulated,
    size: [&'h str; 2],
    input: &'h str,
}

impl<'h> Held<'h> {
    fn start(network: &str, size: [&'h str; 2], input: &'h str) -> Held<'h> {
        Held {
            board: Simulated::start(&[&["--network", network], &size[..]].concat()),
            size,
            input,
        }
    }

    fn run(&self, network: &str, more: &[&str]) -> Run {
        let on = ["run", "--port", self.board.port(), "--baud", "3000000", "--network", network];
        hwgen(&[&on[..], &self.size, more, &[self.input]].concat())
    }

    fn info(&self, more: &[&str]) -> String {
        ok(&[&["board", "info", "--port", self.board.port(), "--baud", "9600"], more].concat())
    }
}

/// A network is loaded and runs; another one on its core is refused until it is loaded, and then says
/// something else.
fn another_is_refused(size: [&str; 2], [trained, retrained]: [&str; 2], input: &str) {
    let held = Held::start(trained, size, input);
    let scores = |run: Run| {
        assert_eq!(run.code, 0, "{}", run.stderr);
        let said = run.json();
        assert_eq!(said["differing"], 0);
        said["results"][0]["scores"].clone()
    };
    let right = held.run(trained, &["--load", "--check"]);
    assert!(right.code == 0 && right.stdout.contains("golden: 0 of 1 differ"), "{}", right.stderr);
    assert!(right.stdout.contains(" cycles, ") && right.stdout.contains(" planned"));
    let first = scores(held.run(trained, &["--check", "--json"]));
    let info: Value = serde_json::from_str(&held.info(&["--json"])).unwrap();
    assert_eq!((&info["design"], &info["clock_hz"]), (&json!("cnn"), &json!(12_000_000)));

    let other = held.run(retrained, &[]);
    assert_eq!((other.code, &*other.stdout), (1, ""), "{}", other.stderr);
    let told = "error: the board holds another network than --network names, on the same core: ";
    assert!(other.stderr.starts_with(told), "{}", other.stderr);
    let contents = info["contents"].as_str().unwrap();
    assert!(other.stderr.contains(contents), "{contents}: {}", other.stderr);
    let second = scores(held.run(retrained, &["--load", "--check", "--json"]));
    assert_ne!(first, second);
    let now: Value = serde_json::from_str(&held.info(&["--json"])).unwrap();
    assert_ne!(now["contents"], info["contents"]);
}

/// The same network but for the order of its classes: every shape and scale stays.
fn retrained(network: &Network) -> Network {
    let mut retrained = serde_json::to_value(network).unwrap();
    let last = retrained["layers"].as_array_mut().unwrap().last_mut().unwrap();
    let weights = last["operator"]["linear"]["weights"].as_array_mut().unwrap();
    let row = weights.len() / 12;
    weights.rotate_left(row);
    serde_json::from_value(retrained).unwrap()
}

#[test]
fn a_network_that_was_trained_anew_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let network = zoo::kws_mini(1);
    let first = saved(folder.path(), "a.json", &network);
    let second = saved(folder.path(), "b.json", &retrained(&network));
    let (input, _) = bytes(folder.path(), "in.bin", 490);
    another_is_refused(SIZE, [&first, &second], &input);
}

/// MLPerf's keyword network and one that was made of it, where they are.
#[test]
fn a_trained_network_that_was_trained_anew_is_refused() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/hostile");
    let second = Some(cases.join("retrained.tflite")).filter(|path| path.exists());
    let first = clips::data("mlperf_tiny/kws_ref_model_int8.tflite");
    let Some((first, second)) = first.zip(second) else {
        println!("no trained networks: the project's own stand for them");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (input, _) = bytes(folder.path(), "in.bin", 490);
    let networks = [&first, &second].map(|path: &PathBuf| path.to_str().unwrap());
    another_is_refused(["--multipliers", "60"], networks, &input);
}

#[test]
fn names_that_do_not_fit_are_told_before_anything_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let network = saved(folder.path(), "a.json", &zoo::kws_mini(1));
    let (input, _) = bytes(folder.path(), "in.bin", 490);
    let held = Held::start(&network, SIZE, &input);
    let names = folder.path().join("names");
    std::fs::write(&names, "yes\nno\n").unwrap();
    let few = held.run(&network, &["--load", "--names", names.to_str().unwrap()]);
    assert_eq!((few.code, &*few.stdout), (1, ""), "{}", few.stderr);
    assert!(few.stderr.contains("2 names for 12 classes"), "{}", few.stderr);
    assert!(!few.stderr.contains("loading"), "the names come first: {}", few.stderr);
    let info = held.info(&[]);
    assert!(info.contains("nothing loaded since the reset"), "{info}");
}

#[test]
fn all_outputs_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut network = zoo::kws_mini(3);
    network.outputs.insert(0, network.layers[2].output.clone());
    let path = saved(folder.path(), "two.json", &network);
    let (input, sent) = bytes(folder.path(), "in.bin", 490);
    let on = [&["--network", &path], &SIZE[..]].concat();
    let board = Simulated::start(&on);
    let run = ["run", "--port", board.port(), "--baud", "3000000", "--load", "--check"];
    let said = json_of(&[&run[..], &on, &["--json", &input]].concat());
    assert_eq!(said["differing"], 0);
    let outputs = golden(&network, &[&sent]);
    assert_eq!(said["results"][0]["outputs"][&network.outputs[0]], json!(outputs[0]));
    assert_eq!(said["results"][0]["outputs"][&network.outputs[1]], json!(outputs[1]));
    let (cycles, planned) = (&said["results"][0]["cycles"], &said["planned_cycles"]);
    assert!(cycles.as_u64() >= planned.as_u64(), "{cycles} and {planned}");
    let text = ok(&[&run[..], &on, &[&input]].concat());
    assert!(text.contains(&network.outputs[0]) && text.contains("and 612 more (--json)"), "{text}");
}

/// Two images that are added.
fn sum() -> Network {
    let tensor = |name: &str| json!({"name": name, "shape": [4, 5, 3], "bits": 8, "signed": true, "scale": 0.5, "zero_point": 0});
    let half = json!({"mantissa": 1 << 30, "shift": 0});
    let operator = json!({
        "kind": "add", "left_shift": 20, "inputs": [half, half], "multiplier": {"mantissa": 1 << 30, "shift": -18},
        "clamp": {"min": -128, "max": 127},
    });
    serde_json::from_value(json!({
        "version": 1, "name": "sum", "inputs": ["a", "b"], "outputs": ["c"],
        "tensors": [tensor("a"), tensor("b"), tensor("c")],
        "layers": [{"name": "add", "inputs": ["a", "b"], "output": "c", "operator": operator}],
    }))
    .unwrap()
}

#[test]
fn two_inputs_are_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let network = sum();
    let path = saved(folder.path(), "sum.json", &network);
    let (input, sent) = bytes(folder.path(), "in.bin", 2 * 120);
    let on = [&["--network", &path], &SIZE[..]].concat();
    let board = Simulated::start(&on);
    let run = ["run", "--port", board.port(), "--baud", "3000000", "--load", "--check", "--json"];
    let said = json_of(&[&run[..], &on, &[&input]].concat());
    assert_eq!(said["differing"], 0);
    for (at, run) in sent.chunks(120).enumerate() {
        let expected = golden(&network, &[&run[..60], &run[60..]]);
        assert_eq!(said["results"][at]["outputs"]["c"], json!(expected[0]), "run {at}");
    }
    let (short, _) = bytes(folder.path(), "short.bin", 60);
    let told = refused(1, &[&run[..], &on, &[&short]].concat());
    assert!(
        told.contains("its 60 bytes are not inputs of 60 bytes (`a`) and 60 bytes (`b`)"),
        "{told}"
    );
    let bridge = refused(1, &[&["eembc", "--port", board.port()], &on[..]].concat());
    assert!(bridge.contains("the network has 2 inputs and 1 outputs"), "{bridge}");
}

#[test]
fn a_port_that_is_about_to_appear_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let port = folder.path().join("board");
    let port = port.to_str().unwrap();
    let none = refused(1, &["board", "info", "--port", port, "--wait", "0"]);
    assert!(none.starts_with("error: cannot open port ") && none.contains("plugged in?"), "{none}");
    let asked = std::thread::spawn({
        let port = port.to_owned();
        move || hwgen(&["board", "info", "--port", &port, "--baud", "9600", "--wait", "60"])
    });
    std::thread::sleep(std::time::Duration::from_millis(300));
    let small = ["--design", "lapa_predictor", "--set", "max_keys=8", "--set", "head_dim=4"];
    let _board = Simulated::start(&[&small[..], &["--set", "rows=1", "--path", port]].concat());
    let told = asked.join().unwrap();
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stderr.starts_with("waiting up to 60 s for port "), "{}", told.stderr);
    assert!(told.stdout.contains("lapa_predictor"), "{}", told.stdout);
}
