//! Every command that prints a result prints it as JSON, too. Commands are read from the help: a new one
//! that is not known here fails the test.

mod command;
mod simulated;

use command::{command, commands, hwgen, ok};
use hwgen_network::graph::save;
use hwgen_network::zoo;
use serde_json::Value;
use simulated::Simulated;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// All commands, those of `board` one by one.
fn all() -> Vec<String> {
    let mut all = vec![];
    for name in commands(&ok(&["--help"])) {
        match &*name {
            "board" => {
                let inner = commands(&ok(&["board", "--help"]));
                all.extend(inner.into_iter().map(|inner| format!("board {inner}")));
            }
            _ => all.push(name),
        }
    }
    all
}

/// The first JSON value that a command prints which runs on.
fn served(arguments: &[&str]) -> Value {
    let mut process = command(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut text = String::new();
    for line in BufReader::new(process.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        text += &line;
        if line == "}" {
            break;
        }
    }
    process.kill().unwrap();
    process.wait().unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_command_prints_json() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (net, input, out, cache) = (at("net.json"), at("in.bin"), at("out"), at("cache"));
    save(&zoo::kws_mini(1), std::path::Path::new(&net)).unwrap();
    std::fs::write(&input, [7; 490]).unwrap();
    let bitstream = at("a.bin");
    std::fs::write(&bitstream, [0xff, 0, 0, 0xff, 0x7e, 0xaa, 0x99, 0x7e, 0x51, 0]).unwrap();
    let library = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib";
    let small = ["--design", "mac_array", "--set", "rows=1", "--set", "columns=1"];
    let on = ["--network", &net, "--multipliers", "18"];
    let simulated = [&["board", "sim"][..], &on, &["--json"]].concat();
    let board = Simulated::start(&on);
    let port = ["--port", board.port(), "--baud", "9600"];
    let mut seen = 0;
    for name in all() {
        let words: Vec<&str> = name.split(' ').collect();
        let with = |more: &[&[&str]]| {
            let all = words.iter().chain(more.iter().copied().flatten()).chain(&["--json"]);
            all.map(|word| word.to_string()).collect::<Vec<_>>()
        };
        let arguments = match &*name {
            "list" | "doctor" => with(&[]),
            "describe" => with(&[&["mac_array"]]),
            "emit" => with(&[&small, &["-o", &out]]),
            "sim" => with(&[&small, &["--cycles", "50"]]),
            "verify" => with(&[&small, &["--engines", "jit", "--cycles", "20"]]),
            "power" => with(&[&small, &["--lib", library, "--cycles", "20"]]),
            // the library's tests make models, this one needs none
            "import" => with(&[&["--schema"]]),
            "cost" => with(&[&["--network", &net, "--multipliers", "18"]]),
            "infer" => with(&[&["--network", &net, "--inputs", &input]]),
            "board info" => with(&[&port]),
            "build" => {
                let build = ["--board", "hx8k", "--design", "echo", "--synth-only"];
                with(&[&build, &["-o", &at("built"), "--cache", &cache]])
            }
            "program" => with(&[&["--board", "hx8k", "--iceprog", "--dry-run", &bitstream]]),
            "run" => with(&[&port, &on, &["--load", &input]]),
            "board sim" => {
                assert!(served(&simulated)["port"].is_string());
                seen += 1;
                continue;
            }
            "eembc" => {
                let arguments = with(&[&port, &on, &["--load"]]);
                let told = served(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
                assert!(told["port"].is_string(), "{told}");
                seen += 1;
                continue;
            }
            // texts for other programs
            "completions" | "man" => continue,
            // a program of its own, gen/search/tests
            "search" => continue,
            // minutes of Yosys; a model of somebody else's making
            "study" | "check" => {
                assert!(ok(&[&*name, "--help"]).contains("--json"));
                continue;
            }
            other => panic!("command `{other}` is new: how is its JSON had?"),
        };
        let run = hwgen(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let value: Result<Value, _> = serde_json::from_str(&run.stdout);
        let value = value.unwrap_or_else(|error| panic!("{name}: {error}: {}", run.stderr));
        assert!(value.is_object() || value.is_array(), "{name}: {value}");
        assert_ne!(run.code, 2, "{name}: {}", run.stderr);
        seen += 1;
    }
    assert!(seen >= 14, "{seen}");
}
