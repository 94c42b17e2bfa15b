//! The interpreter beside LiteRT's reference kernels and beside ONNX Runtime and qonnx, all graphs in one process
//! of Python.

use hwgen_network::graph::{Network, Operator, Tensor};
use hwgen_network::import::onnx::proto::tensor_shape_proto::dimension::Value::DimValue;
use hwgen_network::import::onnx::proto::type_proto::Value::TensorType;
use hwgen_network::import::onnx::proto::{ModelProto, ValueInfoProto};
use prost::Message;
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
        call(&self.python, "litert.py", self.folder.path(), self.graphs.len());
        let (mut compared, mut excused) = (0, 0);
        for (at, (name, runs)) in self.graphs.iter().enumerate() {
            let theirs = std::fs::read(self.folder.path().join(format!("{at}.out"))).unwrap();
            let ours = runs.outputs.iter().flatten().flatten().map(|&element| element as u8);
            let ours: Vec<u8> = ours.collect();
            assert_eq!(ours.len(), theirs.len(), "{name}");
            let differ = ours.iter().zip(&theirs).filter(|(a, b)| a != b).count();
            let softmax = |layer: &hwgen_network::graph::Layer| {
                matches!(layer.operator, Operator::Softmax(_))
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

/// Runs a script on the graphs of a folder.
fn call(python: &str, script: &str, folder: &Path, count: usize) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/random_graphs").join(script);
    let run = Command::new(python).arg(script).arg(folder).arg(count.to_string()).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// ONNX Runtime and qonnx, and what they are to be compared on.
pub(super) struct Runtime {
    python: String,
    folder: tempfile::TempDir,
    graphs: Vec<(ModelProto, Runs)>,
}

impl Runtime {
    /// If a Python is named.
    pub(super) fn find() -> Option<Runtime> {
        let python = std::env::var("HWGEN_ONNX_PYTHON").ok();
        if python.is_none() {
            println!("no HWGEN_ONNX_PYTHON: nothing is compared with ONNX Runtime and qonnx");
        }
        let folder = tempfile::tempdir().unwrap();
        Some(Runtime { python: python?, folder, graphs: vec![] })
    }

    pub(super) fn add(&mut self, model: ModelProto, runs: Runs) {
        let at = self.graphs.len();
        let path = |end: &str| self.folder.path().join(format!("{at}.{end}"));
        std::fs::write(path("onnx"), model.encode_to_vec()).unwrap();
        let tensor = runs.network.tensor(&runs.network.inputs[0]).unwrap();
        let places = places(&shape(&model.graph.as_ref().unwrap().input[0]), tensor);
        let mut bytes = vec![];
        for input in &runs.inputs {
            let mut real = vec![0.0; input.len()];
            for (&q, &place) in input.iter().zip(&places) {
                real[place] = tensor.real(q.into()) as f32;
            }
            bytes.extend(real.into_iter().flat_map(f32::to_le_bytes));
        }
        std::fs::write(path("in"), bytes).unwrap();
        self.graphs.push((model, runs));
    }

    /// A step that one layer differs by goes on through the layers after it, so that here only the count of
    /// outputs that differ is bounded, as of `network_onnx`.
    pub(super) fn compare(&self) {
        call(&self.python, "runtime.py", self.folder.path(), self.graphs.len());
        let (mut compared, mut differ) = (0, 0);
        for (at, (model, runs)) in self.graphs.iter().enumerate() {
            let bytes = std::fs::read(self.folder.path().join(format!("{at}.out"))).unwrap();
            let word = |word: &[u8]| f32::from_le_bytes(word.try_into().unwrap());
            let mut theirs = bytes.chunks_exact(4).map(word);
            let results = &model.graph.as_ref().unwrap().output;
            for outputs in &runs.outputs {
                for (ours, (result, name)) in
                    outputs.iter().zip(results.iter().zip(&runs.network.outputs))
                {
                    let tensor = runs.network.tensor(name).unwrap();
                    let ours = tensor.integers(ours);
                    let theirs: Vec<f32> = theirs.by_ref().take(ours.len()).collect();
                    let places = places(&shape(result), tensor).into_iter();
                    let steps = |n: usize, real: f64| match tensor.sums {
                        Some(_) => (real / tensor.real_of(n, 1)).round() as i32,
                        None => tensor.quantize(real),
                    };
                    let apart = ours.iter().zip(places).enumerate();
                    let apart = apart
                        .filter(|(n, (ours, place))| steps(*n, theirs[*place].into()) != **ours);
                    (compared, differ) = (compared + ours.len(), differ + apart.count());
                }
            }
            assert_eq!(theirs.next(), None, "graph {at}");
        }
        println!("{differ} of {compared} outputs differ from ONNX Runtime and qonnx");
        assert!(differ * 20 < compared);
    }
}

fn shape(info: &ValueInfoProto) -> Vec<usize> {
    let Some(TensorType(tensor)) = info.r#type.as_ref().and_then(|kind| kind.value.as_ref()) else {
        panic!("no tensor");
    };
    let sizes = tensor.shape.as_ref().unwrap().dim.iter();
    sizes.map(|dim| if let Some(DimValue(size)) = dim.value { size as usize } else { 0 }).collect()
}

/// Where the elements of a tensor lie in the file's, whose images have channels first.
fn places(shape: &[usize], tensor: &Tensor) -> Vec<usize> {
    let count = tensor.elements();
    match *shape {
        [1, channels, height, width] if tensor.shape == [height, width, channels] => {
            (0..count).map(|n| n % channels * height * width + n / channels).collect()
        }
        // a line
        [1, channels, length] if tensor.shape == [1, length, channels] => {
            (0..count).map(|n| n % channels * length + n / channels).collect()
        }
        _ => (0..count).collect(),
    }
}
