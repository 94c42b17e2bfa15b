//! `examples/board.py`: another program, in another language, talks to the board.

mod command;
mod simulated;

use hwgen_network::graph::save;
use hwgen_network::interpret::Interpreter;
use hwgen_network::zoo;
use simulated::Simulated;
use std::process::Command;

#[test]
fn a_network_runs_from_python() {
    // Debian's own, for which scripts/setup installs the module, may not be the first
    let has_serial = |python: &&str| {
        let run = Command::new(python).args(["-c", "import serial"]).output();
        run.is_ok_and(|run| run.status.success())
    };
    let python = ["python3", "/usr/bin/python3"].into_iter().find(has_serial);
    let python = python.expect("no python3 has the module `serial`: run scripts/setup");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let network = zoo::kws_mini(2);
    save(&network, &folder.path().join("net.json")).unwrap();
    let (json, words, verilog) = (path("net.json"), path("net.words"), path("net.v"));
    let arguments = ["--network", &json, "--multipliers", "18"];
    let emit = ["emit", "--design", "cnn", "--load", &words, "-o", &verilog];
    command::ok(&[&emit[..], &arguments].concat());

    let mut golden = Interpreter::new(&network).unwrap();
    let (mut inputs, mut expected) = (vec![], vec![]);
    for seed in 0..3usize {
        let bytes: Vec<u8> = (0..490).map(|at| (at * (11 + seed) + at * at / 7) as u8).collect();
        let input: Vec<i16> = bytes.iter().map(|&byte| i16::from(byte as i8)).collect();
        golden.run(&[&input]);
        let scores = golden.outputs().next().unwrap().iter().map(i16::to_string);
        expected.push(scores.collect::<Vec<_>>().join(" "));
        inputs.push(path(&format!("{seed}.bin")));
        std::fs::write(&inputs[seed], bytes).unwrap();
    }
    // a line that damages a byte in two thousand: the example asks again, too
    let faults = ["--corrupt", "0.0005", "--seed", "3"];
    let board = Simulated::start(&[&arguments[..], &faults].concat());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/board.py");
    let mut python = Command::new(python);
    let run = python.args([script, board.port(), &words]).args(&inputs).output().unwrap();
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    let lines: Vec<_> = said.lines().collect();
    assert!(lines[0].starts_with("cnn of specification "), "{said}");
    assert_eq!(lines[1..], expected);
}
