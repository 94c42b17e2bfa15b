//! Nodes become layers.

use super::array::{Array, name as kind_name, sizes};
use super::form::{Form, Order};
use super::function::FUNCTIONS;
use super::node::{broken, describe};
use super::proto::{
    GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, ValueInfoProto,
    tensor_proto::DataType, tensor_shape_proto::dimension, type_proto,
};
use super::suggest::{known, suggestion};
use super::value::{Pending, Value, What};
use crate::graph::{self, Layer, MOST_LAYERS, Network, VERSION};
use crate::import::ImportError;
use crate::import::report::{Problem, UnsupportedNode, printable};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Most inputs of a network.
const MOST_INPUTS: usize = 64;

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
    super::check::check(graph).map_err(damaged)?;
    let opset = model.opset_import.iter().find(|set| ["", "ai.onnx"].contains(&set.domain()));
    let mut conversion = Conversion::new(graph, opset.map_or(1, |set| set.version()));
    conversion.constants().map_err(damaged)?;
    conversion.given().map_err(damaged)?;
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
    pub(super) values: BTreeMap<String, Value>,
    pub(super) tensors: Vec<graph::Tensor>,
    /// Those of them that never hold the integer which a narrow range leaves out.
    pub(super) narrow: BTreeSet<usize>,
    pub(super) layers: Vec<Layer>,
    /// The tensor that an input became.
    pub(super) inputs: BTreeMap<String, usize>,
    taken: BTreeSet<String>,
    unsupported: Vec<UnsupportedNode>,
    /// Bytes that constants have become so far.
    pub(super) bytes: usize,
    /// Weights of the layers so far.
    pub(super) weights: usize,
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
            bytes: 0,
            weights: 0,
        }
    }

    fn constants(&mut self) -> Result<(), String> {
        for tensor in &self.graph.initializer {
            let name = tensor.name();
            let array = self.array(tensor).map_err(|e| format!("constant `{name}`: {e}"))?;
            self.values.insert(name.to_owned(), Value::Constant(Rc::new(array)));
        }
        Ok(())
    }

    fn array(&mut self, tensor: &TensorProto) -> Result<Array, String> {
        let (_, elements) = sizes(&tensor.dims)?;
        self.count(4 * elements).map_err(|problem| problem.problem)?;
        Array::new(tensor)
    }

    /// The graph's inputs; old files list constants among them.
    fn given(&mut self) -> Result<(), String> {
        let mut given = 0;
        for input in &self.graph.input {
            let name = input.name().to_owned();
            if self.values.contains_key(&name) {
                continue;
            }
            given += 1;
            if given > MOST_INPUTS {
                return Err(format!("it has more than {MOST_INPUTS} inputs"));
            }
            let value = self.input_value(input).unwrap_or_else(|Problem { problem, rewrite }| {
                let (node, operator) = (format!("input `{name}`"), "input".to_owned());
                self.unsupported.push(UnsupportedNode { node, operator, problem, rewrite });
                Value::Unknown
            });
            self.values.insert(name, value);
        }
        Ok(())
    }

    fn input_value(&self, input: &ValueInfoProto) -> Result<Value, Problem> {
        let (kind, shape) = shape(input.r#type.as_ref())?;
        let order = match shape.len() {
            4 if !self.is_channels_last(input.name()) => Order::Image,
            3 if self.feeds_windows(input.name()) => Order::Image,
            _ => Order::Plain,
        };
        let form = Form { shape, order };
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

    /// Whether an input of three axes is a line: windows go along it before its axes are moved.
    fn feeds_windows(&self, input: &str) -> bool {
        const WINDOWS: [&str; 4] = ["Conv", "MaxPool", "AveragePool", "GlobalAveragePool"];
        const SAME: [&str; 13] = [
            "Add",
            "BatchNormalization",
            "Clip",
            "Concat",
            "DequantizeLinear",
            "Dropout",
            "Identity",
            "Mul",
            "Pad",
            "Quant",
            "IntQuant",
            "QuantizeLinear",
            "Relu",
        ];
        let mut names = BTreeSet::from([input]);
        let mut lists = BTreeMap::new();
        for node in &self.graph.node {
            if let Some((name, list)) = Array::short_list(node) {
                lists.insert(name, list);
            }
            if !node.input.iter().any(|x| names.contains(x.as_str())) {
                continue;
            }
            if WINDOWS.contains(&node.op_type()) {
                return true;
            }
            let line = node.op_type() == "Unsqueeze" && self.makes_line_an_image(node, &lists);
            let same = SAME.contains(&node.op_type()) || FUNCTIONS.contains(&node.op_type());
            if same || line {
                names.extend(node.output.iter().map(String::as_str));
            }
        }
        false
    }

    /// Whether an `Unsqueeze` of three axes leaves the channels in their place; `lists` are those of
    /// nodes, which have not been visited yet.
    fn makes_line_an_image(&self, node: &NodeProto, lists: &BTreeMap<&str, Vec<i64>>) -> bool {
        let listed = match (node.integers("axes"), lists.get(node.reads(1))) {
            (Some(axes), _) => Some(axes.to_vec()),
            (None, Some(axes)) => Some(axes.clone()),
            (None, None) => self.integers(node, 1).ok().flatten(),
        };
        matches!(listed.as_deref(), Some([2 | 3 | -1 | -2]))
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
        if let Some(value) = self.folded(node)? {
            return Ok(value);
        }
        match node.op_type() {
            "Constant" => {
                if let Some(tensor) = node.attribute.first().and_then(|value| value.t.as_ref()) {
                    return Ok(Value::Constant(Rc::new(self.array(tensor).map_err(broken)?)));
                }
                Ok(Value::Constant(Rc::new(Array::of_node(node).map_err(broken)?)))
            }
            "Identity" | "Dropout" => self.input(node, 0).cloned(),
            "QuantizeLinear" => self.quantize_linear(n, node),
            "DequantizeLinear" => self.dequantize_linear(node),
            "Quant" | "IntQuant" => self.quant(n, node),
            "Conv" => self.conv(n, node),
            "Gemm" => self.gemm(n, node),
            "MatMul" => self.mat_mul(n, node),
            "BatchNormalization" => self.batch_normalization(n, node),
            "Add" => self.add(n, node),
            "Mul" => self.mul(n, node),
            "Relu" => self.bounded(n, node, [0.0, f64::INFINITY]),
            "Clip" => self.clip(n, node),
            "Softmax" => self.softmax(n, node),
            operator if FUNCTIONS.contains(&operator) => self.lookup(n, node),
            "AveragePool" => self.average_pool(n, node),
            "MaxPool" => self.max_pool(n, node),
            "GlobalAveragePool" | "ReduceMean" => self.mean(n, node),
            "Concat" => self.concat(n, node),
            "Pad" => self.pad(n, node),
            "Slice" => self.slice(n, node),
            "Transpose" => self.transpose(n, node),
            "Shape" => self.shape_of(node),
            "Cast" | "Div" | "Gather" | "Sub" => self.on_shapes(node),
            _ => self.reshape(n, node),
        }
    }

    /// A name of a tensor or a layer that is not taken yet.
    pub(super) fn unique(&mut self, kind: char, name: &str) -> String {
        // names go into messages, files and the circuit's text
        let name = printable(name);
        let mut unique = name.clone();
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
            let tensor = match self.values.get(output.name()).cloned() {
                Some(Value::Unknown) => continue,
                Some(Value::Tensor { number, form, .. }) => Ok((number, form)),
                Some(Value::Pending(pending)) if pending.has_weights() => {
                    let number = self.settle_sums(&pending, output.name());
                    let form = pending.form.clone();
                    number
                        .inspect(|&number| {
                            let value =
                                Value::Tensor { number, form: form.clone(), integers: false };
                            self.values.insert(output.name().to_owned(), value);
                        })
                        .map(|number| (number, form))
                }
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
            states: Vec::new(),
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
    let fixed: Option<Vec<i64>> = dims.iter().take(9).enumerate().map(size).collect();
    let Some(fixed) = fixed.filter(|sizes| !sizes.is_empty()) else {
        return Err(Problem::new("its shape is not fixed", "export with fixed shapes"));
    };
    let (shape, _) = sizes(&fixed).map_err(broken)?;
    Ok((tensor.elem_type(), shape))
}
