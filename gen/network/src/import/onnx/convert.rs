//! Nodes become layers.

use super::array::{Array, name as kind_name};
use super::form::{Form, Order};
use super::node::broken;
use super::proto::{
    GraphProto, ModelProto, NodeProto, TypeProto, ValueInfoProto, tensor_proto::DataType,
    tensor_shape_proto::dimension, type_proto,
};
use super::suggest::{known, suggestion};
use super::value::{Pending, Value, Weights, What};
use crate::graph::{self, Layer, MOST_LAYERS, Network, VERSION};
use crate::import::ImportError;
use crate::import::report::{Problem, UnsupportedNode};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Most numbers that constants may become, those counted twice that two nodes read.
const MOST_NUMBERS: usize = 1 << 27;

/// The network, the file's nodes, and every node that is not supported.
pub(super) fn convert(
    name: &str,
    model: &ModelProto,
) -> Result<(Network, usize, Vec<UnsupportedNode>), ImportError> {
    let damaged = |what: String| ImportError::Damaged(what);
    let graph = model.graph.as_ref().ok_or_else(|| damaged("it has no graph".to_owned()))?;
    let lists = [
        ("nodes", graph.node.len(), 8 * MOST_LAYERS),
        ("constants", graph.initializer.len(), 8 * MOST_LAYERS),
        ("inputs", graph.input.len(), 8 * MOST_LAYERS),
        ("outputs", graph.output.len(), MOST_LAYERS),
    ];
    for (what, length, most) in lists {
        if length > most {
            return Err(damaged(format!("it has {length} {what}: must have at most {most}")));
        }
    }
    let opset = model.opset_import.iter().find(|set| ["", "ai.onnx"].contains(&set.domain()));
    let mut conversion = Conversion::new(graph, opset.map_or(1, |set| set.version()));
    conversion.constants().map_err(damaged)?;
    conversion.given();
    for (n, node) in graph.node.iter().enumerate() {
        conversion.visit(n, node);
    }
    let network = conversion.finish(name);
    Ok((network, graph.node.len(), conversion.unsupported))
}

pub(super) struct Conversion<'a> {
    graph: &'a GraphProto,
    /// Version of the standard operators.
    pub(super) opset: i64,
    values: BTreeMap<String, Value>,
    pub(super) tensors: Vec<graph::Tensor>,
    /// Those of them that never hold the integer which a narrow range leaves out.
    pub(super) narrow: BTreeSet<usize>,
    pub(super) layers: Vec<Layer>,
    /// The tensor that an input became.
    pub(super) inputs: BTreeMap<String, usize>,
    taken: BTreeSet<String>,
    unsupported: Vec<UnsupportedNode>,
    numbers: usize,
}

impl<'a> Conversion<'a> {
    fn new(graph: &'a GraphProto, opset: i64) -> Self {
        Conversion {
            graph,
            opset,
            values: BTreeMap::new(),
            tensors: Vec::new(),
            narrow: BTreeSet::new(),
            layers: Vec::new(),
            inputs: BTreeMap::new(),
            taken: BTreeSet::new(),
            unsupported: Vec::new(),
            numbers: 0,
        }
    }

    fn constants(&mut self) -> Result<(), String> {
        for tensor in &self.graph.initializer {
            let name = tensor.name();
            let array = Array::new(tensor).map_err(|e| format!("constant `{name}`: {e}"))?;
            self.values.insert(name.to_owned(), Value::Constant(Rc::new(array)));
        }
        Ok(())
    }

    /// The graph's inputs; old files list constants among them.
    fn given(&mut self) {
        for input in &self.graph.input {
            let name = input.name().to_owned();
            if self.values.contains_key(&name) {
                continue;
            }
            let value = self.input_value(input).unwrap_or_else(|Problem { problem, rewrite }| {
                let (node, operator) = (format!("input `{name}`"), "input".to_owned());
                self.unsupported.push(UnsupportedNode { node, operator, problem, rewrite });
                Value::Unknown
            });
            self.values.insert(name, value);
        }
    }

    fn input_value(&self, input: &ValueInfoProto) -> Result<Value, Problem> {
        let (kind, shape) = shape(input.r#type.as_ref())?;
        let mut form = Form::new(shape);
        if self.is_channels_last(input.name()) {
            form.order = Order::Plain;
        }
        let name = input.name().to_owned();
        let written = form.here()?;
        match DataType::try_from(kind) {
            Ok(DataType::Float) => Ok(Value::Pending(Rc::new(Pending {
                node: 0,
                inputs: Vec::new(),
                what: What::Input { name },
                written,
                form,
                bounds: [f64::NEG_INFINITY, f64::INFINITY],
            }))),
            Ok(DataType::Int8 | DataType::Uint8 | DataType::Int4 | DataType::Uint4) => {
                Ok(Value::Raw { name, kind, form })
            }
            other => {
                let kind = other.map_or_else(|_| format!("type {kind}"), kind_name);
                Err(Problem::new(format!("it is {kind}"), "give the network float or int8"))
            }
        }
    }

    /// Whether all that reads an input first brings its channels before height and width.
    fn is_channels_last(&self, input: &str) -> bool {
        let mut names = BTreeSet::from([input]);
        let mut turned = false;
        for node in &self.graph.node {
            if !node.input.first().is_some_and(|x| names.contains(x.as_str())) {
                continue;
            }
            match node.op_type() {
                "QuantizeLinear" | "DequantizeLinear" | "Quant" | "Identity" => {
                    names.extend(node.output.iter().map(String::as_str));
                }
                "Transpose" if node.integers("perm") == Some(&[0, 3, 1, 2]) => turned = true,
                _ => return false,
            }
        }
        turned
    }

    fn visit(&mut self, n: usize, node: &NodeProto) {
        let unknown =
            node.input.iter().any(|name| matches!(self.values.get(name), Some(Value::Unknown)));
        let result = match known(node) {
            false => Err(Problem::new("there is no such layer", suggestion(node.op_type()))),
            true if unknown => Ok(Value::Unknown),
            true => self.node(n, node),
        };
        let value = result.unwrap_or_else(|Problem { problem, rewrite }| {
            let operator = match node.domain() {
                "" => node.op_type().to_owned(),
                domain => format!("{domain}.{}", node.op_type()),
            };
            let node = describe(n, node);
            self.unsupported.push(UnsupportedNode { node, operator, problem, rewrite });
            Value::Unknown
        });
        // there is nothing in a second output: masks, indices, statistics of training
        if let Some(output) = node.output.first() {
            self.values.insert(output.clone(), value);
        }
    }

    fn node(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        if self.layers.len() > MOST_LAYERS {
            return Err(Problem::new(format!("more than {MOST_LAYERS} layers"), "split the model"));
        }
        match node.op_type() {
            "Constant" => self.constant_node(node),
            "Identity" | "Dropout" => self.input(node, 0).cloned(),
            "QuantizeLinear" => self.quantize_linear(n, node),
            "DequantizeLinear" => self.dequantize_linear(node),
            "Quant" | "IntQuant" => self.quant(n, node),
            "Conv" => self.conv(n, node),
            "Gemm" => self.gemm(n, node),
            "MatMul" => self.mat_mul(n, node),
            "BatchNormalization" => self.batch_normalization(node),
            "Add" => self.add(n, node),
            "Mul" => self.mul(node),
            "Relu" => self.bounded(n, node, [0.0, f64::INFINITY]),
            "Clip" => self.clip(n, node),
            "Softmax" => self.softmax(n, node),
            "AveragePool" => self.average_pool(n, node),
            "MaxPool" => self.max_pool(n, node),
            "GlobalAveragePool" | "ReduceMean" => self.mean(n, node),
            "Concat" => self.concat(n, node),
            "Pad" => self.pad(n, node),
            "Transpose" => self.transpose(n, node),
            _ => self.reshape(n, node),
        }
    }

    fn constant_node(&mut self, node: &NodeProto) -> Result<Value, Problem> {
        let scalar = |kind, data| Array { shape: Vec::new(), kind, data };
        let attribute = node.attribute.first().ok_or_else(|| broken("it has no value"))?;
        let saturate = |&n: &i64| n.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
        let array = match attribute.name() {
            "value" => {
                let tensor = attribute.t.as_ref().ok_or_else(|| broken("it has no value"))?;
                Array::new(tensor).map_err(broken)?
            }
            "value_float" => {
                scalar(DataType::Float, super::array::Data::Floats(vec![attribute.f()]))
            }
            "value_int" => {
                let list = vec![saturate(&attribute.i())];
                scalar(DataType::Int64, super::array::Data::Integers(list))
            }
            "value_floats" => Array {
                shape: vec![attribute.floats.len()],
                kind: DataType::Float,
                data: super::array::Data::Floats(attribute.floats.clone()),
            },
            "value_ints" => Array {
                shape: vec![attribute.ints.len()],
                kind: DataType::Int64,
                data: super::array::Data::Integers(attribute.ints.iter().map(saturate).collect()),
            },
            other => {
                return Err(Problem::new(format!("it is a {other}"), "store it as a tensor"));
            }
        };
        Ok(Value::Constant(Rc::new(array)))
    }

    /// Input `n`, if it is there.
    pub(super) fn optional(&self, node: &NodeProto, n: usize) -> Option<&Value> {
        node.input.get(n).filter(|name| !name.is_empty()).and_then(|name| self.values.get(name))
    }

    /// Input `n`.
    pub(super) fn input(&self, node: &NodeProto, n: usize) -> Result<&Value, Problem> {
        let name = node.input.get(n).map(String::as_str).unwrap_or_default();
        if name.is_empty() {
            return Err(broken(format!("input {n} is missing")));
        }
        self.values
            .get(name)
            .ok_or_else(|| broken(format!("input `{name}` is written by no node before it")))
    }

    /// Input `n`, quantised and computed at run time: the tensor, and its form.
    pub(super) fn tensor(&mut self, node: &NodeProto, n: usize) -> Result<(usize, Form), Problem> {
        let name = &node.input.get(n).cloned().unwrap_or_default();
        match self.input(node, n)?.clone() {
            Value::Tensor { number, form, integers: false } => Ok((number, form)),
            Value::Tensor { .. } | Value::Raw { .. } => {
                let problem = format!("it reads the integers of `{name}`");
                Err(Problem::new(problem, "put a DequantizeLinear before it"))
            }
            // an activation of a quantised tensor keeps its scale
            Value::Pending(pending) if matches!(pending.what, What::Same) => {
                let alike = super::value::Quantisation::of(&self.tensors[pending.inputs[0]]);
                let number = self.settle(&pending, alike, name)?;
                let form = pending.form.clone();
                self.values.insert(
                    name.clone(),
                    Value::Tensor { number, form: form.clone(), integers: false },
                );
                Ok((number, form))
            }
            Value::Pending(_) => {
                let rewrite = "put QuantizeLinear and DequantizeLinear, or a Quant, on it";
                Err(Problem::new(format!("`{name}` is not quantised"), rewrite))
            }
            Value::Constant(_) | Value::Weights(_) => {
                let rewrite = "fold the constant into the layer before it";
                Err(Problem::new(format!("`{name}` is a constant"), rewrite))
            }
            Value::Unknown => Err(broken("its input is unknown")),
        }
    }

    /// Input `n`, a constant of integers such as axes.
    pub(super) fn integers(&self, node: &NodeProto, n: usize) -> Result<Option<Vec<i64>>, Problem> {
        let Some(value) = self.optional(node, n) else { return Ok(None) };
        let Value::Constant(array) = value else {
            let rewrite = "export with fixed shapes and fold constants (onnxsim)";
            return Err(Problem::new(format!("input {n} is computed at run time"), rewrite));
        };
        let list = array.integers().ok_or_else(|| broken(format!("input {n} are no integers")))?;
        Ok(Some(list.iter().map(|&n| n.into()).collect()))
    }

    /// Input `n`, a constant of real numbers: its shape and its elements.
    pub(super) fn reals(
        &mut self,
        node: &NodeProto,
        n: usize,
    ) -> Result<(Vec<usize>, Vec<f64>), Problem> {
        let (shape, list) = match self.input(node, n)? {
            Value::Constant(array) => {
                let list = array.floats();
                let list = list.ok_or_else(|| broken(format!("input {n} is not float")))?;
                (array.shape.clone(), list.iter().map(|&n| f64::from(n)).collect::<Vec<_>>())
            }
            Value::Weights(weights) => (weights.shape.clone(), weights.reals()),
            _ => {
                let problem = format!("input {n} is computed at run time");
                return Err(Problem::new(problem, "give it as a constant"));
            }
        };
        if list.iter().any(|number| !number.is_finite()) {
            return Err(broken(format!("input {n} has a number that is not finite")));
        }
        self.count(list.len())?;
        Ok((shape, list))
    }

    /// Input `n`, a quantised constant.
    pub(super) fn weights(&self, node: &NodeProto, n: usize) -> Result<Rc<Weights>, Problem> {
        match self.input(node, n)? {
            Value::Weights(weights) => Ok(weights.clone()),
            Value::Constant(_) => {
                let rewrite = "put a Quant on them, or store integers with a DequantizeLinear";
                Err(Problem::new("its weights are not quantised", rewrite))
            }
            _ => {
                let problem = "its weights are computed at run time";
                Err(Problem::new(problem, "give them as a constant"))
            }
        }
    }

    /// Bounds what all constants together become.
    pub(super) fn count(&mut self, numbers: usize) -> Result<(), Problem> {
        self.numbers = self.numbers.saturating_add(numbers);
        if self.numbers <= MOST_NUMBERS {
            return Ok(());
        }
        let problem = format!("the model's weights are more than {MOST_NUMBERS} numbers");
        Err(Problem::new(problem, "use a smaller model"))
    }

    /// A name of a tensor or a layer that is not taken yet.
    pub(super) fn unique(&mut self, kind: char, name: &str) -> String {
        let mut unique = name.to_owned();
        let mut n = 1;
        while !self.taken.insert(format!("{kind}{unique}")) {
            n += 1;
            unique = format!("{name}#{n}");
        }
        unique
    }

    fn finish(&mut self, name: &str) -> Network {
        let mut outputs = Vec::new();
        for output in &self.graph.output {
            let reader =
                NodeProto { input: vec![output.name().to_owned()], ..NodeProto::default() };
            let tensor = match self.values.get(output.name()) {
                Some(Value::Unknown) => continue,
                Some(Value::Tensor { number, form, .. }) => Ok((*number, form.clone())),
                _ => self.tensor(&reader, 0),
            };
            let tensor = tensor.and_then(|(number, form)| match form.order {
                Order::Flat(_) => {
                    let problem = "its elements lie channels last, but the file flattens them";
                    Err(Problem::new(problem, "leave the last Flatten out"))
                }
                _ => Ok(number),
            });
            match tensor {
                Ok(number) => outputs.push(self.tensors[number].name.clone()),
                Err(Problem { problem, rewrite }) => {
                    let node = format!("output `{}`", output.name());
                    let operator = "output".to_owned();
                    self.unsupported.push(UnsupportedNode { node, operator, problem, rewrite });
                }
            }
        }
        // in the order of the file; one that nothing reads is none
        let given = self.graph.input.iter().filter_map(|input| self.inputs.get(input.name()));
        Network {
            version: VERSION,
            name: name.to_owned(),
            binary: None,
            inputs: given.map(|&number| self.tensors[number].name.clone()).collect(),
            outputs,
            tensors: std::mem::take(&mut self.tensors),
            layers: std::mem::take(&mut self.layers),
        }
    }
}

/// Element type and shape; an unknown batch is 1.
fn shape(kind: Option<&TypeProto>) -> Result<(i32, Vec<usize>), Problem> {
    let value = kind.and_then(|kind| kind.value.as_ref());
    let Some(type_proto::Value::TensorType(tensor)) = value else {
        return Err(Problem::new("it is no tensor", "give the network tensors only"));
    };
    let dims = tensor.shape.as_ref().map(|shape| &shape.dim[..]).unwrap_or_default();
    let size = |(n, dim): (usize, &super::proto::tensor_shape_proto::Dimension)| match dim.value {
        Some(dimension::Value::DimValue(size)) if size > 0 => Some(size),
        _ if n == 0 && dims.len() > 1 => Some(1),
        _ => None,
    };
    let sizes: Option<Vec<i64>> = dims.iter().take(9).enumerate().map(size).collect();
    let Some(sizes) = sizes.filter(|sizes| !sizes.is_empty()) else {
        return Err(Problem::new("its shape is not fixed", "export with fixed shapes"));
    };
    let (shape, _) = super::array::sizes(&sizes).map_err(broken)?;
    Ok((tensor.elem_type(), shape))
}

fn describe(n: usize, node: &NodeProto) -> String {
    let name = Some(node.name()).filter(|name| !name.is_empty());
    let name = name.map(|name| format!(" `{name}`")).unwrap_or_default();
    match node.output.first() {
        Some(output) => format!("node {n}{name} (writes `{output}`)"),
        None => format!("node {n}{name}"),
    }
}
