//! Nodes become layers.

use super::folding::fold;
use super::model::{Model, Tensor, shown};
use super::node::{Known, Node, beyond, kind};
use super::schema::{BuiltinOperator as Builtin, Operator as TfOperator, TensorType};
use super::states::{Kept, Variables};
use super::{elementwise, linear, pooling, shaping, table};
use crate::graph::{
    Layer, MOST_BIASES, MOST_LAYERS, MOST_WEIGHTS, Network, Operator, State, VERSION,
};
use crate::import::ImportError;
use crate::import::report::{Problem, UnsupportedNode};
use std::collections::{BTreeMap, BTreeSet};

/// The network, and every node that is not supported.
pub(super) fn convert(
    name: &str,
    model: &Model<'_>,
) -> Result<(Network, Vec<UnsupportedNode>), ImportError> {
    let mut conversion = Conversion::new(model);
    for (n, &operator) in model.operators.iter().enumerate() {
        let code = model.code(operator)?;
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
    /// Tensors that stand for others: outputs of conversions to and from float at the edges,
    /// variables that were written.
    same: BTreeMap<usize, usize>,
    /// Integers computed of shapes.
    known: Known,
    variables: Variables<'a>,
    /// Weights and biases so far.
    amounts: [usize; 2],
    used: BTreeSet<usize>,
    layers: Vec<Layer>,
    unsupported: Vec<UnsupportedNode>,
}

impl<'a, 'm> Conversion<'a, 'm> {
    fn new(model: &'m Model<'a>) -> Self {
        let mut taken = BTreeSet::new();
        let unique = |(n, tensor): (usize, &Tensor)| {
            let first = shown(tensor.name);
            if !tensor.bytes.is_empty() {
                // a bias often has its layer's name; it is no tensor of the network
                return first;
            }
            let mut name = if first.is_empty() { format!("tensor_{n}") } else { first };
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
            known: Known::new(),
            variables: Variables::default(),
            amounts: [0; 2],
            used: BTreeSet::new(),
            layers: Vec::new(),
            unsupported: Vec::new(),
        }
    }

    fn node(&mut self, n: usize, operator: TfOperator<'a>, code: Builtin) -> Result<(), Problem> {
        let known = std::mem::take(&mut self.known);
        let folded = self.layer(n, operator, code, &known);
        self.known = known;
        self.known.extend(folded?);
        Ok(())
    }

    /// Makes a layer of a node, or the integers that it computes of shapes.
    fn layer(
        &mut self,
        n: usize,
        operator: TfOperator<'a>,
        code: Builtin,
        known: &Known,
    ) -> Result<Option<(usize, Vec<i64>)>, Problem> {
        let node = Node::new(self.model, known, operator)?;
        if let Builtin::CALL_ONCE
        | Builtin::VAR_HANDLE
        | Builtin::READ_VARIABLE
        | Builtin::ASSIGN_VARIABLE = code
        {
            if let Some((output, known)) = self.variables.node(&node, code)? {
                self.same.insert(output, self.stands_for(known));
            }
            return Ok(None);
        }
        if let (Some(list), &[output]) = (fold(&node, code)?, &node.outputs[..]) {
            return Ok(Some((output, list)));
        }
        if self.edge(&node, code)? {
            return Ok(None);
        }
        self.room(&node, code)?;
        // first of its inputs that are activations, and how many are
        let (operators, inputs) = match code {
            Builtin::CONV_2D => (vec![linear::conv(&node)?], 0..1),
            Builtin::DEPTHWISE_CONV_2D => (vec![linear::depthwise(&node)?], 0..1),
            Builtin::FULLY_CONNECTED => (vec![linear::fully_connected(&node)?], 0..1),
            Builtin::BATCH_MATMUL => (vec![linear::mat_mul(&node)?], 0..2),
            Builtin::AVERAGE_POOL_2D | Builtin::MAX_POOL_2D => {
                (vec![pooling::pool(&node, code == Builtin::MAX_POOL_2D)?], 0..1)
            }
            Builtin::MEAN => (vec![pooling::mean(&node)?], 0..1),
            Builtin::ADD => (vec![elementwise::add(&node)?], 0..2),
            Builtin::RELU | Builtin::RELU6 | Builtin::RELU_N1_TO_1 | Builtin::QUANTIZE => {
                (vec![elementwise::requantize(&node, code)?], 0..1)
            }
            Builtin::LOGISTIC | Builtin::TANH | Builtin::EXP => {
                (vec![table::real(&node, code)?], 0..1)
            }
            Builtin::PRELU => (vec![elementwise::prelu(&node)?], 0..1),
            Builtin::LEAKY_RELU => (vec![table::leaky_relu(&node)?], 0..1),
            Builtin::HARD_SWISH => (vec![table::hard_swish(&node)?], 0..1),
            Builtin::SOFTMAX => (vec![elementwise::softmax(&node)?], 0..1),
            Builtin::CONCATENATION => (vec![shaping::concat(&node)?], 0..node.inputs.len()),
            Builtin::PAD | Builtin::PADV2 => (vec![shaping::pad(&node)?], 0..1),
            Builtin::RESHAPE => (vec![shaping::reshape(&node)?], 0..1),
            Builtin::SQUEEZE | Builtin::EXPAND_DIMS => (vec![shaping::axes_of_one(&node)?], 0..1),
            Builtin::TRANSPOSE => (vec![shaping::transpose(&node)?], 0..1),
            Builtin::SLICE => (vec![shaping::slice(&node)?], 0..1),
            Builtin::STRIDED_SLICE => (vec![shaping::strided_slice(&node)?], 0..1),
            Builtin::RESIZE_NEAREST_NEIGHBOR => (vec![shaping::nearest(&node)?], 0..1),
            Builtin::SPLIT => (shaping::split(&node, false)?, 1..2),
            Builtin::SPLIT_V => (shaping::split(&node, true)?, 0..1),
            _ => return Err(Problem::new("there is no such layer", suggestion(code))),
        };
        let mut places = Vec::new();
        for n in inputs {
            node.activation(n)?.convert("")?;
            places.extend(node.inputs[n]);
        }
        if operators.len() != node.outputs.len() {
            node.output()?;
        }
        let outputs = node.outputs.clone();
        for (part, (operator, output)) in operators.into_iter().zip(outputs).enumerate() {
            self.push((n, part), operator, &places, output)?;
        }
        Ok(None)
    }

    /// Counts a node's weights before they are read: many nodes may share one list of the file.
    fn room(&mut self, node: &Node, code: Builtin) -> Result<(), Problem> {
        if self.layers.len() >= MOST_LAYERS {
            return Err(beyond(format!("{MOST_LAYERS} layers are before it, the most")));
        }
        let linear = [Builtin::CONV_2D, Builtin::DEPTHWISE_CONV_2D, Builtin::FULLY_CONNECTED];
        let Some(weights) = node.optional(1).filter(|_| linear.contains(&code)) else {
            return Ok(());
        };
        let outputs = match code {
            Builtin::DEPTHWISE_CONV_2D => weights.shape.last(),
            _ => weights.shape.first(),
        };
        let own = [weights.elements(), outputs.copied().unwrap_or(0)];
        for (sum, (own, most)) in
            self.amounts.iter_mut().zip(own.into_iter().zip([MOST_WEIGHTS, MOST_BIASES]))
        {
            *sum = sum.saturating_add(own);
            if *sum > most {
                let problem = format!("with it the model has {sum} weights or biases");
                return Err(beyond(format!("{problem}, of which {most} are taken")));
            }
        }
        Ok(())
    }

    fn push(
        &mut self,
        (n, part): (usize, usize),
        operator: Operator,
        inputs: &[usize],
        output: usize,
    ) -> Result<(), Problem> {
        self.model.tensors[output].convert("")?;
        for &n in inputs.iter().chain([&output]) {
            self.used.insert(self.stands_for(n));
        }
        let kind = operator.kind();
        let part = if part > 0 { format!("_{part}") } else { String::new() };
        self.layers.push(Layer {
            name: format!("{n}_{kind}{part}"),
            inputs: inputs.iter().map(|&n| self.name(n)).collect(),
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
        // what nodes say of their operands need not be said again of the network's
        let nodes = self.unsupported.len();
        let mut inputs = self.edges(&self.model.inputs, "input");
        let own = self.edges(&self.model.outputs, "output");
        let (mut states, mut outputs) = (Vec::new(), Vec::new());
        for (read, kept) in self.variables.kept() {
            match kept {
                Ok(Kept { read, written, initial }) => {
                    let input = self.edges(&[read], "variable");
                    let output = self.edges(&[written], "variable");
                    inputs.extend(input.iter().cloned());
                    outputs.extend(output.iter().filter(|name| !own.contains(name)).cloned());
                    let pairs = input.into_iter().zip(output);
                    states.extend(pairs.map(|(input, output)| State { input, output, initial }));
                }
                Err(Problem { problem, rewrite }) => {
                    let node = format!("variable `{}`", self.names[read]);
                    let operator = "VAR_HANDLE".to_owned();
                    self.unsupported.push(UnsupportedNode { node, operator, problem, rewrite });
                }
            }
        }
        // two variables may keep one tensor
        outputs.sort();
        outputs.dedup();
        outputs.extend(own);
        if nodes > 0 {
            self.unsupported.truncate(nodes);
        }
        let tensor = |&n: &usize| self.model.tensors[n].convert(&self.names[n]).ok();
        let network = Network {
            version: VERSION,
            name: shown(name),
            binary: None,
            inputs,
            outputs,
            tensors: self.used.iter().filter_map(tensor).collect(),
            layers: self.layers,
            states,
        };
        Ok((network, self.unsupported))
    }

    /// Names of tensors at the network's edges.
    fn edges(&mut self, places: &[usize], what: &str) -> Vec<String> {
        let mut names = Vec::new();
        for &n in places {
            let place = self.stands_for(n);
            let tensor = &self.model.tensors[place];
            self.used.insert(place);
            if let Err(Problem { problem, rewrite }) = tensor.convert("") {
                let node = format!("{what} `{}`", self.names[place]);
                let operator = kind(tensor.kind);
                self.unsupported.push(UnsupportedNode { node, operator, problem, rewrite });
            }
            names.push(self.names[place].clone());
        }
        names
    }
}

/// What to write instead of an operator there is no layer for.
fn suggestion(code: Builtin) -> &'static str {
    match code {
        Builtin::ELU | Builtin::GELU => "use ReLU, LeakyReLU or hard swish instead",
        Builtin::MUL | Builtin::SUB | Builtin::DIV => "fold it into the convolution before it",
        Builtin::RESIZE_BILINEAR => "resize to the nearest, or before the network",
        Builtin::GATHER => "give each part its own convolution and concatenate",
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
