//! `hwgen eembc`: sessions as the MLPerf Tiny runner holds them, with a simulated board behind the bridge.

mod command;
mod simulated;

use hwgen_network::graph::{Network, save};
use hwgen_network::interpret::Interpreter;
use hwgen_network::zoo;
use simulated::Simulated;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};

/// The runner's end of the line.
struct Runner(File);

impl Runner {
    fn open(port: &str) -> Runner {
        let mut runner = Runner(OpenOptions::new().read(true).write(true).open(port).unwrap());
        let greeting = runner.answer();
        assert_eq!(greeting[0], "m-timestamp-mode-performance");
        assert_eq!(greeting[2], "m-init-done");
        runner
    }

    /// Lines up to `m-ready`.
    fn answer(&mut self) -> Vec<String> {
        let (mut text, mut byte) = (String::new(), [0]);
        while !text.ends_with("m-ready\r\n") {
            self.0.read_exact(&mut byte).unwrap();
            text.push(byte[0].into());
        }
        let mut lines: Vec<_> = text.split("\r\n").map(str::to_owned).collect();
        lines.truncate(lines.len() - 2);
        lines
    }

    fn ask(&mut self, command: &str) -> Vec<String> {
        write!(self.0, "{command}%").unwrap();
        self.answer()
    }

    /// As the runner loads a stimulus: 31 bytes a command.
    fn load(&mut self, input: &[i8]) {
        let expected = format!("m-[Expecting {} bytes]", input.len());
        assert_eq!(self.ask(&format!("db load {}", input.len())), [expected]);
        let mut said = vec![];
        for part in input.chunks(31) {
            let digits: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
            said = self.ask(&format!("db {digits}"));
        }
        assert_eq!(said, ["m-load-done"]);
    }
}

/// What `m-results` must say.
fn expected(network: &Network, golden: &mut Interpreter, input: &[i8]) -> String {
    let wide: Vec<i16> = input.iter().map(|&byte| byte.into()).collect();
    golden.run(&[&wide]);
    let output = network.tensor(&network.outputs[0]).unwrap();
    let real = |&score: &i16| output.scale * f64::from(i32::from(score) - output.zero_point);
    let digits = |score: &i16| format!("{:.3}", (real(score) * 1000.0).trunc() / 1000.0);
    let scores: Vec<_> = golden.outputs().next().unwrap().iter().map(digits).collect();
    format!("m-results-[{}]", scores.join(","))
}

fn micros(line: &str) -> u64 {
    line.strip_prefix("m-lap-us-").unwrap_or_else(|| panic!("{line}")).parse().unwrap()
}

#[test]
fn accuracy_and_performance_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kws_mini.json");
    let network = zoo::kws_mini(1);
    save(&network, &path).unwrap();
    let path = path.to_str().unwrap();
    let arguments = ["--network", path, "--multipliers", "18"];
    let board = Simulated::start(&arguments);
    let bridge = ["eembc", "--port", board.port(), "--baud", "3000000", "--load"];
    let bridge = Simulated::serve(&[&bridge[..], &arguments].concat());
    let mut runner = Runner::open(bridge.port());
    assert_eq!(runner.ask("name"), ["m-name-dut-[hwgen]"]);
    assert_eq!(runner.ask("profile")[1], "m-model-[kws01]");

    // accuracy mode: one inference a stimulus, no warm-up
    let mut golden = Interpreter::new(&network).unwrap();
    let mut answers = std::collections::HashSet::new();
    for stimulus in 0..4i32 {
        let element =
            |at: i32| ((at * (7 + 2 * stimulus) + at * at / 9 * stimulus) % 256) as u8 as i8;
        let input: Vec<i8> = (0..490).map(element).collect();
        runner.load(&input);
        let said = runner.ask("infer 1 0");
        assert_eq!(said[..3], ["m-warmup-start-0", "m-warmup-done", "m-infer-start-1"]);
        assert_eq!(said[5..], ["m-infer-done".to_owned(), expected(&network, &mut golden, &input)]);
        assert_eq!(runner.ask("results"), [said[6].clone()]);
        answers.insert(said[6].clone());
    }
    assert_eq!(answers.len(), 4, "{answers:?}");

    // performance mode: timestamps around so many inferences
    let said = runner.ask("infer 3 1");
    let lap = micros(&said[4]) - micros(&said[3]);
    // an inference takes more than 9,000 cycles of 12 MHz
    assert!(lap > 3 * 9_000 / 12, "{said:?}");
    let again = micros(&runner.ask("timestamp")[0]);
    assert!(again >= micros(&said[4]));
    assert_eq!(runner.ask("infer 0"), ["e-[Inference iterations must be >0]"]);
    assert_eq!(runner.ask("nonsense"), ["e-[Unknown command: nonsense]"]);
}
