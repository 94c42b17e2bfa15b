//! A step of training against PyTorch's on the same network, both on two cores, in turns.

use crate::common::{items, supernet, trainer};
use hwgen_search::kernels::Window;
use hwgen_search::space::{Layer, Node, Subnet, preset};
use hwgen_search::supernet::Sharing;
use hwgen_search::train::Schedule;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

/// The Python that has PyTorch.
const PYTHON: &str = "HWGEN_TORCH_PYTHON";

const BATCH: usize = 64;

struct Peer {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts PyTorch with a network; what it says of itself.
    fn start(told: &Value) -> (Peer, Value) {
        let python = std::env::var(PYTHON).unwrap_or_else(|_| {
            panic!(
                "{PYTHON} names no Python that has PyTorch: `python3 -m venv torch && torch/bin/pip install torch numpy`, then {PYTHON}=$PWD/torch/bin/python"
            )
        });
        let mut child = Command::new(&python)
            .args(["-c", include_str!("speed.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{PYTHON}={python}: {error}"));
        let from = BufReader::new(child.stdout.take().unwrap());
        let mut peer = Peer { to: child.stdin.take().unwrap(), from, child };
        let says = peer.ask(&told.to_string());
        (peer, serde_json::from_str(&says).unwrap())
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.to, "{line}").unwrap();
        let mut answer = String::new();
        self.from.read_line(&mut answer).unwrap();
        assert!(!answer.is_empty(), "PyTorch ended; its words stand above");
        answer
    }

    fn step(&mut self) -> f64 {
        self.ask("step").trim().parse().unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn described(subnet: &Subnet, node: &Node) -> Value {
    let (kind, kernel, stride) = match node.layer {
        Layer::Input => ("input", [1, 1], [1, 1]),
        Layer::Conv { kernel, stride, .. } => ("conv", kernel, stride),
        Layer::Depthwise { kernel, stride, .. } => ("depthwise", kernel, stride),
        Layer::Add => ("add", [1, 1], [1, 1]),
        Layer::Graph { .. } => ("graph", [1, 1], [1, 1]),
        Layer::Mean => ("mean", [1, 1], [1, 1]),
        Layer::Dense { .. } => ("dense", [1, 1], [1, 1]),
    };
    let read = node.inputs.first().map_or(node, |&n| &subnet.nodes[n]);
    let window = Window { items: 1, input: read.image, kernel, stride, channels: read.channels };
    json!({
        "name": node.name, "kind": kind, "kernel": kernel, "stride": stride, "inputs": node.inputs,
        "channels": node.channels, "bits": node.bits, "relu": node.relu,
        "weight_bits": node.layer.weight_bits(), "before": window.before(), "after": window.after(),
    })
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// How many times as long as PyTorch's a step takes.
fn ratio(name: &str, input: [usize; 3], classes: usize) -> f64 {
    let space = preset(name, input, classes).unwrap();
    let (largest, items) = (space.largest(), items(input, classes, 2 * BATCH, 1));
    let subnet = space.subnet(&largest).unwrap();
    let nodes: Vec<Value> = subnet.nodes.iter().map(|node| described(&subnet, node)).collect();
    let told =
        json!({ "nodes": nodes, "input": input, "classes": classes, "batch": BATCH, "threads": 2 });
    let (mut peer, says) = Peer::start(&told);
    let supernet = supernet(space, Sharing::Free, &items, 1);
    let schedule =
        Schedule { batch: BATCH, only: Some(largest), rate: 0.01, ..Schedule::new(1, 99) };
    let mut trainer = trainer(supernet, &items, schedule);
    let (mut ours, mut theirs) = (vec![], vec![]);
    for n in 0..24 {
        let begin = Instant::now();
        trainer.advance().unwrap();
        let (our, their) = (begin.elapsed().as_secs_f64(), peer.step());
        // the first ones fill caches
        if n >= 4 {
            ours.push(our);
            theirs.push(their);
        }
    }
    let [ours, theirs] = [ours, theirs].map(|mut times| median(&mut times));
    println!(
        "{name}: a step of {BATCH} items {:.1} ms, PyTorch {} {:.1} ms, {:.2} times",
        1e3 * ours,
        says["torch"],
        1e3 * theirs,
        ours / theirs,
    );
    ours / theirs
}

#[test]
#[ignore = "needs PyTorch: a bar"]
fn training_speed() {
    let keywords = ratio("keywords", [49, 10, 1], 12);
    let most = ratio("images", [28, 28, 1], 10).max(keywords);
    println!("training_speed: {most:.2} times as long as PyTorch, the slower of two networks");
    assert!(most <= 3.0);
}
