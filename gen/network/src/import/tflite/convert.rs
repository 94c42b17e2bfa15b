//! Nodes become layers.

use super::model::{Model, Tensor};
use super::node::{Node, kind};
use super::schema::{BuiltinOperator as Builtin, Operator as TfOperator, TensorType};
use super::{elementwise, linear, pooling, shaping};
use crate::graph::{Layer, Network, Operator, VERSION};
use crate::import::ImportError;
use crate::import::report::{Problem, UnsupportedNode};
use std::collections::{BTreeMap, BTreeSet};

/// The network, and every node that is not supported.
pub(super) fn convert(
    name: &str,
    model: &Model,
) -> Result<(Network, Vec<UnsupportedNode>), ImportError> {
    let mut conversion = Conversion::new(model);
    for (n, &operator) in model.operators.iter().enumerate() {
        let code = conversion.code(operator)?;
        if let Err(Problem { problem, rewrite }) = conversion.node(n, operator, code) {
            let node = conversion.describe(n, operator);
            let operator = conversion.operator_name(operator, code);
            conversion.unsupported.push(UnsupportedNode { node, operator, problem, rewrite });
        }
    }
    conversion.finish(name)
}

struct Conversion<'a, 'm> {
    model: &'m Model<'a>,
    names: Vec<String>,
    /// Tensors that stand for others: outputs of conversions to and from float at the edges.
    same: BTreeMap<usize, usize>,
    used: BTreeSet<usize>,
    layers: Vec<Layer>,
    unsupported: Vec<UnsupportedNode>,
}

impl<'a, 'm> Conversion<'a, 'm> {
    fn new(model: &'m Model<'a>) -> Self {
        let mut taken = BTreeSet::new();
        let unique = |(n, tensor): (usize, &Tensor)| {
            // the converter joins the names of all that it fused
            let first = tensor.name.split(';').next().unwrap_or_default();
            if !tensor.bytes.is_empty() {
                // a bias often has its layer's name; it is no tensor of the network
                return first.to_owned();
            }
            let mut name = if first.is_empty() { format!("tensor_{n}") } else { first.to_owned() };
            while !taken.insert(name.clone()) {
                name = format!("{name}#{n}");
            }
            name
        };
        let names = model.tensors.iter().enumerate().map(unique);
        Conversion {
            names: names.collect(),
            model,
            same: BTreeMap::new(),
            used: BTreeSet::new(),
            layers: Vec::new(),
            unsupported: Vec::new(),
        }
    }

    fn code(&self, operator: TfOperator<'a>) -> Result<Builtin, ImportError> {
        let n = operator.opcode_index() as usize;
        let damaged = || ImportError::Damaged(format!("operator code {n} does not exist"));
        let code = self.model.codes.get(n).ok_or_else(damaged)?;
        // files of before 2020 have the one-byte field alone; later ones have the larger in either
        let old = i32::from(code.deprecated_builtin_code());
        Ok(Builtin(code.builtin_code().0.max(old)))
    }

    fn node(&mut self, n: usize, operator: TfOperator<'a>, code: Builtin) -> Result<(), Problem> {
        let node = Node::new(self.model, operator)?;
        if self.edge(&node, code)? {
            return Ok(());
        }
        // how many of the inputs are activations
        let (operator, count) = match code {
            Builtin::CONV_2D => (linear::conv(&node)?, 1),
            Builtin::DEPTHWISE_CONV_2D => (linear::depthwise(&node)?, 1),
            Builtin::FULLY_CONNECTED => (linear::fully_connected(&node)?, 1),
            Builtin::BATCH_MATMUL => (linear::mat_mul(&node)?, 2),
            Builtin::AVERAGE_POOL_2D | Builtin::MAX_POOL_2D => {
                (pooling::pool(&node, code == Builtin::MAX_POOL_2D)?, 1)
            }
            Builtin::MEAN => (pooling::mean(&node)?, 1),
            Builtin::ADD => (elementwise::add(&node)?, 2),
            Builtin::RELU | Builtin::RELU6 | Builtin::QUANTIZE => {
                (elementwise::requantise(&node, code)?, 1)
            }
            Builtin::SOFTMAX => (elementwise::softmax(&node)?, 1),
            Builtin::CONCATENATION => (shaping::concat(&node)?, node.inputs.len()),
            Builtin::PAD | Builtin::PADV2 => (shaping::pad(&node)?, 1),
            Builtin::RESHAPE | Builtin::SQUEEZE | Builtin::EXPAND_DIMS => {
                (shaping::reshape(&node)?, 1)
            }
            _ => return Err(Problem::new("there is no such layer", suggestion(code))),
        };
        self.push(n, &node, operator, count)
    }

    fn push(
        &mut self,
        n: usize,
        node: &Node,
        operator: Operator,
        count: usize,
    ) -> Result<(), Problem> {
        let mut inputs = Vec::new();
        for n in 0..count {
            node.activation(n)?.convert("")?;
            inputs.extend(node.inputs[n]);
        }
        node.output()?.convert("")?;
        let output = node.outputs[0];
        for &n in inputs.iter().chain([&output]) {
            self.used.insert(self.stands_for(n));
        }
        self.layers.push(Layer {
            name: format!("{n}_{}", operator.kind()),
            inputs: inputs.into_iter().map(|n| self.name(n)).collect(),
            output: self.name(output),
            operator,
        });
        Ok(())
    }

    /// Takes conversions from float to integers and back at the network's edges: the network is
    /// what lies between.
    fn edge(&mut self, node: &Node, code: Builtin) -> Result<bool, Problem> {
        let (&[Some(x)], &[z]) = (&node.inputs[..], &node.outputs[..]) else { return Ok(false) };
        let float = |n: usize| self.model.tensors[n].kind == TensorType::FLOAT32;
        let inside = "keep float at the model's edges only";
        match code {
            Builtin::QUANTIZE if float(x) && self.model.inputs.contains(&x) => {
                self.same.insert(x, z);
                Ok(true)
            }
            Builtin::DEQUANTIZE if float(z) && self.model.outputs.contains(&z) => {
                self.same.insert(z, x);
                Ok(true)
            }
            Builtin::QUANTIZE if float(x) => Err(Problem::new("it reads float", inside)),
            Builtin::DEQUANTIZE => Err(Problem::new("it writes float", inside)),
            _ => Ok(false),
        }
    }

    fn stands_for(&self, n: usize) -> usize {
        self.same.get(&n).copied().unwrap_or(n)
    }

    fn name(&self, n: usize) -> String {
        self.names[self.stands_for(n)].clone()
    }

    fn operator_name(&self, operator: TfOperator<'a>, code: Builtin) -> String {
        let custom = self.model.codes.get(operator.opcode_index() as usize);
        let custom = custom.and_then(|code| code.custom_code()).unwrap_or_default();
        match code.variant_name() {
            Some("CUSTOM") if !custom.is_empty() => format!("CUSTOM {custom}"),
            Some(name) => name.to_owned(),
            None => format!("operator {}", code.0),
        }
    }

    fn describe(&self, n: usize, operator: TfOperator<'a>) -> String {
        let output = operator.outputs().filter(|outputs| !outputs.is_empty());
        let output = output.and_then(|outputs| usize::try_from(outputs.get(0)).ok());
        match output.and_then(|output| self.names.get(output)) {
            Some(output) => format!("node {n} (writes `{output}`)"),
            None => format!("node {n}"),
        }
    }

    fn finish(mut self, name: &str) -> Result<(Network, Vec<UnsupportedNode>), ImportError> {
        let mut edges = |places: &[usize], what: &str| -> Vec<String> {
            let mut names = Vec::new();
            for &n in places {
                let place = self.same.get(&n).copied().unwrap_or(n);
                let tensor = &self.model.tensors[place];
                self.used.insert(place);
                if let Err(Problem { problem, rewrite }) = tensor.convert("") {
                    let node = format!("{what} `{}`", self.names[place]);
                    let operator = kind(tensor.kind);
                    let node = UnsupportedNode { node, operator, problem, rewrite };
                    self.unsupported.push(node);
                }
                names.push(self.names[place].clone());
            }
            names
        };
        let inputs = edges(&self.model.inputs, "input");
        let outputs = edges(&self.model.outputs, "output");
        let tensor = |&n: &usize| self.model.tensors[n].convert(&self.names[n]).ok();
        let network = Network {
            version: VERSION,
            name: name.to_owned(),
            binary: None,
            inputs,
            outputs,
            tensors: self.used.iter().filter_map(tensor).collect(),
            layers: self.layers,
        };
        Ok((network, self.unsupported))
    }
}

/// What to write instead of an operator there is no layer for.
fn suggestion(code: Builtin) -> &'static str {
    match code {
        Builtin::LOGISTIC
        | Builtin::TANH
        | Builtin::HARD_SWISH
        | Builtin::ELU
        | Builtin::LEAKY_RELU
        | Builtin::PRELU
        | Builtin::GELU => "use ReLU or ReLU6 instead",
        Builtin::MUL | Builtin::SUB | Builtin::DIV => "fold it into the convolution before it",
        Builtin::RESIZE_BILINEAR | Builtin::RESIZE_NEAREST_NEIGHBOR => {
            "resize the input before the network"
        }
        Builtin::TRANSPOSE => "keep height, width, channels order throughout",
        Builtin::STRIDED_SLICE | Builtin::SLICE | Builtin::SPLIT | Builtin::GATHER => {
            "give each part its own convolution and concatenate"
        }
        Builtin::TRANSPOSE_CONV => "pad and convolve instead",
        Builtin::LSTM | Builtin::UNIDIRECTIONAL_SEQUENCE_LSTM | Builtin::RNN | Builtin::SVDF => {
            "use temporal convolutions instead"
        }
        Builtin::REDUCE_MAX => "use a max pool over the whole image",
        Builtin::SUM => "use a mean, and scale the layer after it",
        Builtin::ARG_MAX => "leave it out: the largest output is the answer",
        Builtin::SHAPE | Builtin::PACK => "convert with fixed shapes and a batch of 1",
        _ => "leave it out or run it on the host",
    }
}
