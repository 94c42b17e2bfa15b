//! Writes models: every result is calibrated on a random sample by the reference.

use super::reference::{Real, run};
use hwgen_network::import::onnx::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, tensor_shape_proto, type_proto,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// How a model says that it is quantized.
#[derive(Debug, Clone, Copy)]
pub enum Style {
    /// `QuantizeLinear` and `DequantizeLinear`, 8 bits.
    Qdq { unsigned: bool, per_channel: bool },
    /// `Quant`, any bits.
    Qonnx { weights: u32, activations: u32 },
    /// As `Qdq`, every scale a power of two.
    QdqPowers,
    /// As `Qonnx`, every scale a power of two.
    QonnxPowers { weights: u32, activations: u32 },
}

impl Style {
    /// Bits of weights and of results, if they are QONNX's.
    fn qonnx(self) -> Option<(u32, u32)> {
        match self {
            Style::Qonnx { weights, activations } | Style::QonnxPowers { weights, activations } => {
                Some((weights, activations))
            }
            Style::Qdq { .. } | Style::QdqPowers => None,
        }
    }

    fn unsigned(self) -> bool {
        matches!(self, Style::Qdq { unsigned: true, .. })
    }

    fn per_channel(self) -> bool {
        !matches!(self, Style::Qdq { per_channel: false, .. })
    }

    /// A scale at least as large as is wished.
    fn scale(self, wished: f64) -> f64 {
        match self {
            Style::QdqPowers | Style::QonnxPowers { .. } => wished.log2().ceil().exp2(),
            _ => wished,
        }
    }
}

pub struct Maker {
    style: Style,
    rng: ChaCha8Rng,
    pub model: ModelProto,
    sample: BTreeMap<String, Real>,
    count: usize,
}

/// Kinds of attributes.
pub type Attributes<'a> = &'a [AttributeProto];

fn attribute(name: &str, kind: i32) -> AttributeProto {
    AttributeProto { name: Some(name.into()), r#type: Some(kind), ..Default::default() }
}

pub fn integers(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, 2) }
}

pub fn list(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { ints: values.to_vec(), ..attribute(name, 7) }
}

pub fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: Some(value.as_bytes().to_vec()), ..attribute(name, 3) }
}

/// A float tensor without a fixed shape, or with one.
fn info(name: &str, shape: Option<&[usize]>) -> ValueInfoProto {
    let dim = |&size: &usize| tensor_shape_proto::Dimension {
        value: Some(tensor_shape_proto::dimension::Value::DimValue(size as i64)),
        ..Default::default()
    };
    let shape = shape.map(|shape| TensorShapeProto { dim: shape.iter().map(dim).collect() });
    let tensor = type_proto::Tensor { elem_type: Some(1), shape };
    let kind =
        TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() };
    ValueInfoProto { name: Some(name.into()), r#type: Some(kind), ..Default::default() }
}

impl Maker {
    pub fn new(style: Style, seed: u64) -> Maker {
        let set = |domain: &str, version| OperatorSetIdProto {
            domain: Some(domain.into()),
            version: Some(version),
        };
        let mut opset_import = vec![set("", 14)];
        if style.qonnx().is_some() {
            opset_import.push(set("qonnx.custom_op.general", 1));
        }
        let graph = GraphProto { name: Some("graph".into()), ..Default::default() };
        let model = ModelProto {
            ir_version: Some(8),
            opset_import,
            graph: Some(graph),
            ..Default::default()
        };
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Maker { style, rng, model, sample: BTreeMap::new(), count: 0 }
    }

    fn graph(&mut self) -> &mut GraphProto {
        self.model.graph.as_mut().unwrap()
    }

    fn name(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{}_{}", what.to_lowercase(), self.count)
    }

    fn random(&mut self, count: usize, size: f32) -> Vec<f32> {
        (0..count).map(|_| self.rng.random_range(-size..size)).collect()
    }

    /// Float constants.
    fn floats(&mut self, shape: &[usize], values: Vec<f32>) -> String {
        let name = self.name("float");
        let dims = shape.iter().map(|&n| n as i64).collect();
        let tensor = TensorProto {
            name: Some(name.clone()),
            dims,
            data_type: Some(1),
            float_data: values,
            ..Default::default()
        };
        self.graph().initializer.push(tensor);
        name
    }

    /// Integer constants: 2 uint8, 3 int8, 6 int32, 7 int64.
    fn integers(&mut self, kind: i32, shape: &[usize], values: &[i64]) -> String {
        let name = self.name("integer");
        let dims = shape.iter().map(|&n| n as i64).collect();
        let mut tensor = TensorProto {
            name: Some(name.clone()),
            dims,
            data_type: Some(kind),
            ..Default::default()
        };
        match kind {
            7 => tensor.int64_data = values.to_vec(),
            _ => tensor.int32_data = values.iter().map(|&n| n as i32).collect(),
        }
        self.graph().initializer.push(tensor);
        name
    }

    pub fn node(&mut self, kind: &str, inputs: &[&str], attributes: Attributes) -> String {
        let output = self.name(kind);
        let quant = kind == "Quant";
        let node = NodeProto {
            op_type: Some(kind.into()),
            domain: quant.then(|| "qonnx.custom_op.general".into()),
            input: inputs.iter().map(|&name| name.into()).collect(),
            output: vec![output.clone()],
            attribute: attributes.to_vec(),
            ..Default::default()
        };
        self.graph().node.push(node);
        output
    }

    /// A quantized input.
    pub fn input(&mut self, shape: &[usize]) -> String {
        let values = self.random(shape.iter().product(), 1.0);
        let real = Real::new(shape, values.into_iter().map(f64::from).collect());
        self.sample.insert("input".into(), real);
        self.graph().input.push(info("input", Some(shape)));
        self.quantize("input")
    }

    /// A result as integers that cover what it is on the sample.
    pub fn quantize(&mut self, x: &str) -> String {
        let values = run(&self.model, &self.sample, |_, _| {});
        let data = &values[x].data;
        let least = data.iter().copied().fold(0.0, f64::min);
        let most = data.iter().copied().fold(0.0, f64::max);
        let spread = (most - least).max(1e-3);
        let (levels, signed) = match self.style.qonnx() {
            None => (255.0, !self.style.unsigned()),
            Some((_, activations)) => {
                let levels = f64::from((1u32 << activations) - 1);
                // symmetric, and unsigned where nothing is below 0
                if least < 0.0 {
                    return self.quantize_to(x, 2.0 * most.max(-least) / (levels - 1.0), false);
                }
                (levels, false)
            }
        };
        let scale = self.style.scale(spread / levels);
        self.at(x, scale, (-least / scale).round() as i64 - if signed { 128 } else { 0 }, !signed)
    }

    /// A result as integers of a given scale, with zero at the bottom if `bottom`.
    pub fn quantize_to(&mut self, x: &str, scale: f64, bottom: bool) -> String {
        match self.style {
            Style::Qdq { unsigned: false, .. } | Style::QdqPowers if bottom => {
                self.at(x, scale, -128, false)
            }
            style => self.at(x, style.scale(scale), 0, bottom),
        }
    }

    fn at(&mut self, x: &str, scale: f64, zero: i64, unsigned: bool) -> String {
        let scale = self.floats(&[], vec![scale as f32]);
        match self.style.qonnx() {
            None => {
                let kind = if self.style.unsigned() { 2 } else { 3 };
                let zero = self.integers(kind, &[], &[zero]);
                let q = self.node("QuantizeLinear", &[x, &scale, &zero], &[]);
                self.node("DequantizeLinear", &[&q, &scale, &zero], &[])
            }
            Some((_, activations)) => {
                let zero = self.floats(&[], vec![zero as f32]);
                let bits = self.floats(&[], vec![activations as f32]);
                let attributes = [
                    integers("signed", i64::from(!unsigned)),
                    integers("narrow", i64::from(!unsigned)),
                    text("rounding_mode", "ROUND"),
                ];
                self.node("Quant", &[x, &scale, &zero, &bits], &attributes)
            }
        }
    }

    /// Quantized weights, `outputs` along `axis`.
    fn weights(&mut self, shape: &[usize], axis: usize, fan: usize) -> String {
        let count = shape.iter().product();
        let size = 1.7 / (fan as f32).sqrt();
        let outputs = shape[axis];
        let style = self.style;
        let per_channel = style.per_channel();
        match style.qonnx() {
            None => {
                let scales: Vec<f32> = (0..if per_channel { outputs } else { 1 })
                    .map(|_| size / 127.0 * self.rng.random_range(0.5..1.5))
                    .map(|scale| style.scale(scale.into()) as f32)
                    .collect();
                let values: Vec<i64> =
                    (0..count).map(|_| self.rng.random_range(-127..=127)).collect();
                let values = self.integers(3, shape, &values);
                let zeros = vec![0; scales.len()];
                let spread: &[usize] = if per_channel { &[outputs] } else { &[] };
                let zero = self.integers(3, spread, &zeros);
                let scale = self.floats(spread, scales);
                let axis = integers("axis", axis as i64);
                self.node("DequantizeLinear", &[&values, &scale, &zero], &[axis])
            }
            Some((weights, _)) => {
                let most = f64::from((1u32 << (weights - 1)) - 1);
                let values = self.random(count, size);
                let values = self.floats(shape, values);
                let channels = shape.len() > 2;
                let scales: Vec<f32> = (0..if channels { outputs } else { 1 })
                    .map(|_| f64::from(size) / most * self.rng.random_range(0.8..1.2))
                    .map(|scale| style.scale(scale) as f32)
                    .collect();
                let mut spread = vec![1; if channels { shape.len() } else { 0 }];
                spread.iter_mut().take(1).for_each(|size| *size = outputs);
                let scale = self.floats(&spread, scales);
                let zero = self.floats(&[], vec![0.0]);
                let bits = self.floats(&[], vec![weights as f32]);
                let attributes =
                    [integers("signed", 1), integers("narrow", 1), text("rounding_mode", "ROUND")];
                self.node("Quant", &[&values, &scale, &zero, &bits], &attributes)
            }
        }
    }

    fn bias(&mut self, outputs: usize) -> String {
        let values = self.random(outputs, 0.3);
        self.floats(&[outputs], values)
    }

    pub fn shape(&mut self, x: &str) -> Vec<usize> {
        run(&self.model, &self.sample, |_, _| {})[x].shape.clone()
    }

    pub fn conv(
        &mut self,
        x: &str,
        outputs: usize,
        kernel: impl AsRef<[usize]>,
        groups: usize,
        bias: bool,
        attributes: Attributes,
    ) -> String {
        let depth = self.shape(x)[1] / groups;
        // two sides of an image, or one of a line
        let shape = [&[outputs, depth], kernel.as_ref()].concat();
        let w = self.weights(&shape, 0, shape[1..].iter().product());
        let mut attributes = attributes.to_vec();
        if groups > 1 {
            attributes.push(integers("group", groups as i64));
        }
        match bias {
            true => {
                let bias = self.bias(outputs);
                self.node("Conv", &[x, &w, &bias], &attributes)
            }
            false => self.node("Conv", &[x, &w], &attributes),
        }
    }

    pub fn gemm(&mut self, x: &str, outputs: usize) -> String {
        let inputs = self.shape(x)[1];
        let (w, bias) = (self.weights(&[outputs, inputs], 0, inputs), self.bias(outputs));
        self.node("Gemm", &[x, &w, &bias], &[integers("transB", 1)])
    }

    /// A product with constant weights, and a bias of its own.
    pub fn mat_mul(&mut self, x: &str, outputs: usize, bias: bool) -> String {
        let inputs = *self.shape(x).last().unwrap();
        let w = self.weights(&[inputs, outputs], 1, inputs);
        let z = self.node("MatMul", &[x, &w], &[]);
        if !bias {
            return z;
        }
        let bias = self.bias(outputs);
        self.node("Add", &[&z, &bias], &[])
    }

    /// A normalization, some of whose factors are below 0.
    pub fn normalize(&mut self, x: &str) -> String {
        let channels = self.shape(x)[1];
        let mut list = |low: f32, high: f32| -> Vec<f32> {
            (0..channels).map(|_| self.rng.random_range(low..high)).collect()
        };
        let lists = [list(-1.0, 1.5), list(-0.5, 0.5), list(-0.2, 0.2), list(0.1, 1.0)];
        let names = lists.map(|list| self.floats(&[channels], list));
        let [gamma, beta, mean, variance] = &names;
        self.node("BatchNormalization", &[x, gamma, beta, mean, variance], &[])
    }

    /// A factor a channel.
    pub fn scale(&mut self, x: &str) -> String {
        let channels = self.shape(x)[1];
        let values = self.random(channels, 2.0);
        let spread = self.channels(x);
        let factor = self.floats(&spread, values);
        self.node("Mul", &[x, &factor], &[])
    }

    /// A constant a channel, or an entry a column, added.
    pub fn offset(&mut self, x: &str) -> String {
        let spread = self.channels(x);
        let values = self.random(spread.iter().product(), 0.5);
        let offset = self.floats(&spread, values);
        self.node("Add", &[x, &offset], &[])
    }

    /// The shape of a constant with an entry a channel.
    fn channels(&mut self, x: &str) -> Vec<usize> {
        let shape = self.shape(x);
        match shape.len() {
            rank @ (3 | 4) => (0..rank).map(|n| if n == 1 { shape[1] } else { 1 }).collect(),
            _ => vec![shape[shape.len() - 1]],
        }
    }

    /// A batch that is left open: the shape is computed.
    pub fn flatten_open(&mut self, x: &str) -> String {
        let shape = self.node("Shape", &[x], &[]);
        let (first, axis) = (self.integers(7, &[], &[0]), self.integers(7, &[1], &[0]));
        let batch = self.node("Gather", &[&shape, &first], &[integers("axis", 0)]);
        let batch = self.node("Unsqueeze", &[&batch, &axis], &[]);
        let rest = self.integers(7, &[1], &[-1]);
        let shape = self.node("Concat", &[&batch, &rest], &[integers("axis", 0)]);
        self.node("Reshape", &[x, &shape], &[])
    }

    pub fn unsqueeze(&mut self, x: &str, axis: i64) -> String {
        let axes = self.integers(7, &[1], &[axis]);
        self.node("Unsqueeze", &[x, &axes], &[])
    }

    pub fn squeeze(&mut self, x: &str, axis: i64) -> String {
        let axes = self.integers(7, &[1], &[axis]);
        self.node("Squeeze", &[x, &axes], &[])
    }

    pub fn relu(&mut self, x: &str) -> String {
        self.node("Relu", &[x], &[])
    }

    pub fn clip(&mut self, x: &str, low: f32, high: f32) -> String {
        let (low, high) = (self.floats(&[], vec![low]), self.floats(&[], vec![high]));
        self.node("Clip", &[x, &low, &high], &[])
    }

    pub fn add(&mut self, x: &str, y: &str) -> String {
        self.node("Add", &[x, y], &[])
    }

    /// Rows above, columns before, rows below, columns after.
    pub fn pad(&mut self, x: &str, [top, left, bottom, right]: [i64; 4]) -> String {
        let pads = self.integers(7, &[8], &[0, 0, top, left, 0, 0, bottom, right]);
        self.node("Pad", &[x, &pads], &[])
    }

    /// From a start on to the end of each axis, or at steps below 0 to its start.
    pub fn slice(&mut self, x: &str, starts: &[i64], axes: &[i64], steps: &[i64]) -> String {
        let ends = steps.iter().map(|&step| if step < 0 { i64::MIN } else { i64::MAX });
        let lists = [starts.to_vec(), ends.collect(), axes.to_vec(), steps.to_vec()];
        let lists = lists.map(|list| self.integers(7, &[list.len()], &list));
        let [starts, ends, axes, steps] = lists.each_ref().map(String::as_str);
        self.node("Slice", &[x, starts, ends, axes, steps], &[])
    }

    pub fn flatten(&mut self, x: &str) -> String {
        self.node("Flatten", &[x], &[])
    }

    pub fn reshape(&mut self, x: &str, shape: &[i64]) -> String {
        let shape = self.integers(7, &[shape.len()], shape);
        self.node("Reshape", &[x, &shape], &[])
    }

    pub fn finish(self, x: &str) -> ModelProto {
        self.finish_all(&[x])
    }

    pub fn finish_all(mut self, outputs: &[&str]) -> ModelProto {
        for x in outputs {
            let shape = self.shape(x);
            self.graph().output.push(info(x, Some(&shape)));
        }
        self.model
    }
}
