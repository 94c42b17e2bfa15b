//! The interpreter beside LiteRT's reference kernels, all graphs in one process of Python.

use hwgen_network::graph::{Network, Operator};
use std::path::Path;
use std::process::Command;

/// What a network was given, and what came out.
pub(super) struct Runs {
    pub(super) network: Network,
    pub(super) inputs: Vec<Vec<i16>>,
    pub(super) outputs: Vec<Vec<Vec<i16>>>,
}

/// LiteRT, and what it is to be compared on.
pub(super) struct Litert {
    python: String,
    folder: tempfile::TempDir,
    graphs: Vec<(String, Runs)>,
}

impl Litert {
    /// If a Python is named.
    pub(super) fn find() -> Option<Litert> {
        let python = std::env::var("HWGEN_LITERT_PYTHON").ok();
        if python.is_none() {
            println!("no HWGEN_LITERT_PYTHON: nothing is compared with LiteRT");
        }
        let folder = tempfile::tempdir().unwrap();
        Some(Litert { python: python?, folder, graphs: vec![] })
    }

    pub(super) fn add(&mut self, name: String, file: Vec<u8>, runs: Runs) {
        let at = self.graphs.len();
        let path = |end: &str| self.folder.path().join(format!("{at}.{end}"));
        std::fs::write(path("tflite"), file).unwrap();
        let bytes = runs.inputs.iter().flatten().map(|&element| element as u8);
        std::fs::write(path("in"), bytes.collect::<Vec<_>>()).unwrap();
        self.graphs.push((name, runs));
    }

    /// Every byte is the same; where a softmax is in the graph a step may differ, seldom.
    pub(super) fn compare(&self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/random_graphs/litert.py");
        let count = self.graphs.len().to_string();
        let run =
            Command::new(&self.python).arg(script).arg(self.folder.path()).arg(count).output();
        let run = run.unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let (mut compared, mut excused) = (0, 0);
        for (at, (name, runs)) in self.graphs.iter().enumerate() {
            let theirs = std::fs::read(self.folder.path().join(format!("{at}.out"))).unwrap();
            let ours = runs.outputs.iter().flatten().flatten().map(|&element| element as u8);
            let ours: Vec<u8> = ours.collect();
            assert_eq!(ours.len(), theirs.len(), "{name}");
            let differ = ours.iter().zip(&theirs).filter(|(a, b)| a != b).count();
            let softmax = |layer: &hwgen_network::graph::Layer| {
                matches!(layer.operator, Operator::Softmax { .. })
            };
            compared += ours.len();
            match runs.network.layers.iter().any(softmax) {
                true => excused += differ,
                false => {
                    assert_eq!(differ, 0, "{name}: of {} bytes: {:?}", ours.len(), runs.network)
                }
            }
        }
        println!("{compared} bytes beside LiteRT, {excused} differ behind a softmax");
        assert!(excused * 2_000 <= compared);
    }
}
