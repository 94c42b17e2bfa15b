//! Layers as operators.

use super::linear::{Real, bias_bound};
use super::{ADDITION_SHIFT, IntegerError, MULTIPLIER_BITS, nearest};
use crate::kernels::normalize::EPSILON;
use crate::kernels::{Window, activate::Levels};
use crate::space::{Layer as Part, Node, Subnet, graph_inner};
use crate::supernet::{Sharing, Statistics, Supernet, most};
use hwgen_network::graph::{
    self, Add, Clamp, Conv2d, FullyConnected, Layer, Linear, MatMul, Mean, Multiplier, Multipliers,
    Network, Operator, Pads, Reshape, Rounding, Softmax, Tensor, softmax_table,
};

/// What numbers a network has.
#[derive(Clone, Copy)]
pub enum Figures<'f> {
    /// The largest that there may be: a network that only costs.
    Blank,
    /// Those of the supernet.
    Trained {
        /// What layers are normalized by.
        statistics: &'f Statistics,
        /// The lowest and the highest score that are told apart.
        range: [f32; 2],
    },
}

/// A subnet as a network of integers.
///
/// # Errors
/// Sizes that networks may not have.
pub fn network(
    supernet: &Supernet,
    subnet: &Subnet,
    figures: Figures<'_>,
) -> Result<Network, IntegerError> {
    let network = Network {
        version: graph::VERSION,
        name: supernet.space.name.clone(),
        binary: None,
        inputs: vec![subnet.nodes[0].name.clone()],
        outputs: subnet.nodes.last().map(|node| node.name.clone()).into_iter().collect(),
        tensors: vec![],
        layers: vec![],
        states: vec![],
    };
    let mut builder = Builder { supernet, subnet, figures, network, tensors: vec![] };
    for n in 0..subnet.nodes.len() {
        builder.node(n);
    }
    builder.network.validate()?;
    Ok(builder.network)
}

struct Builder<'b> {
    supernet: &'b Supernet,
    subnet: &'b Subnet,
    figures: Figures<'b>,
    network: Network,
    /// A tensor a node.
    tensors: Vec<Tensor>,
}

impl Builder<'_> {
    fn node(&mut self, n: usize) {
        let node = &self.subnet.nodes[n];
        let tensor = self.tensor(node);
        let inputs: Vec<Tensor> = node.inputs.iter().map(|&i| self.tensors[i].clone()).collect();
        self.tensors.push(tensor.clone());
        self.network.tensors.push(tensor.clone());
        let operator = match node.layer {
            Part::Input => return,
            Part::Conv { kernel, stride, weight_bits } => Operator::Conv2d(Conv2d {
                window: self.window(node, kernel, stride),
                groups: 1,
                linear: self.normalized(n, weight_bits, &inputs[0], &tensor),
            }),
            Part::Depthwise { kernel, stride, weight_bits } => Operator::Conv2d(Conv2d {
                window: self.window(node, kernel, stride),
                groups: node.channels,
                linear: self.normalized(n, weight_bits, &inputs[0], &tensor),
            }),
            Part::Add => Operator::Add(add(&inputs, &tensor)),
            Part::Mean => Operator::Mean(mean(self.subnet.input(node), &inputs[0], &tensor)),
            Part::Dense { weight_bits } => {
                let linear = self.biased(node, "", node.channels, weight_bits, &inputs[0], &tensor);
                Operator::FullyConnected(FullyConnected { linear })
            }
            Part::Graph { weight_bits } => {
                return self.graph(node, weight_bits, &inputs[0], &tensor);
            }
        };
        self.layer(&node.name, &inputs, &tensor, operator);
    }

    fn tensor(&self, node: &Node) -> Tensor {
        let shape = match node.layer {
            Part::Mean | Part::Dense { .. } => vec![node.channels],
            _ => vec![node.image[0], node.image[1], node.channels],
        };
        let (scale, zero_point) = match node.layer {
            Part::Input => self.supernet.input_at(node.bits),
            _ => self.scale(node),
        };
        let (name, bits) = (node.name.clone(), node.bits);
        Tensor { name, shape, bits, signed: true, scale, zero_point, sums: None }
    }

    fn scale(&self, node: &Node) -> (f64, i32) {
        let levels = if node.relu { Levels::positive(node.bits) } else { Levels::both(node.bits) };
        let range = match (self.figures, node.layer) {
            (Figures::Blank, _) => levels.greatest as f32,
            (Figures::Trained { range: [lowest, highest], .. }, Part::Dense { .. }) => {
                let scale = f64::from(highest - lowest) / 255.0;
                return (scale, -128 - (f64::from(lowest) / scale).round() as i32);
            }
            _ => self.range(&format!("{}.range_{}", node.name, node.bits)),
        };
        let zero_point = if node.relu { -(1 << (node.bits - 1)) } else { 0 };
        (f64::from(range) / f64::from(levels.greatest), zero_point)
    }

    fn range(&self, name: &str) -> f32 {
        self.numbers(name).first().copied().unwrap_or(1.0).max(1e-2)
    }

    fn numbers(&self, name: &str) -> Vec<f32> {
        let value = self.supernet.numbers.value(name);
        value
            .map(|value| value.clone().into_data().try_to_vec().unwrap_or_default())
            .unwrap_or_default()
    }

    /// Weights of outputs, an output's taps and inputs beside each other.
    fn rows(&self, name: &str, [rows, columns, inputs, outputs]: [usize; 4]) -> Vec<Vec<f32>> {
        let Some(value) = self.supernet.numbers.value(name) else { return vec![] };
        let [all_rows, all_columns, all_inputs, all_outputs] = value.dims();
        let (top, left) = ((all_rows - rows) / 2, (all_columns - columns) / 2);
        let numbers = self.numbers(name);
        let row = |output: usize| {
            let taps =
                (0..rows * columns).map(move |tap| [tap / columns + top, tap % columns + left]);
            let places = taps.flat_map(|[y, x]| {
                (0..inputs)
                    .map(move |i| ((y * all_columns + x) * all_inputs + i) * all_outputs + output)
            });
            places.map(|place| numbers[place]).collect()
        };
        (0..outputs).map(row).collect()
    }

    /// A convolution with its normalization folded in.
    fn normalized(&self, n: usize, bits: u32, x: &Tensor, z: &Tensor) -> Linear {
        let node = &self.subnet.nodes[n];
        let (kernel, inputs) = match node.layer {
            Part::Depthwise { kernel, .. } => (kernel, 1),
            Part::Conv { kernel, .. } => (kernel, self.subnet.input(node).channels),
            _ => ([1, 1], 1),
        };
        let Figures::Trained { statistics, .. } = self.figures else {
            return self.blank(kernel[0] * kernel[1] * inputs, node.channels, bits, x, z);
        };
        let moments = &statistics.nodes[n];
        let gamma = self.numbers(&format!("{}.gamma_{bits}", node.name));
        let beta = self.numbers(&format!("{}.beta_{bits}", node.name));
        let factor = |c: usize| gamma[c] / (moments.variance[c] + EPSILON).sqrt();
        let shape = [kernel[0], kernel[1], inputs, node.channels];
        let factors: Vec<f32> = (0..node.channels).map(factor).collect();
        let real = Real {
            bits,
            sharing: self.supernet.sharing,
            weights: self.rows(&format!("{}.weights", node.name), shape),
            offsets: (0..node.channels).map(|c| beta[c] - moments.mean[c] * factors[c]).collect(),
            factors,
        };
        real.linear(x, z, clamp(node, z))
    }

    /// All against all with a bias.
    fn biased(
        &self,
        node: &Node,
        part: &str,
        outputs: usize,
        bits: u32,
        x: &Tensor,
        z: &Tensor,
    ) -> Linear {
        let inputs = x.image()[2];
        if matches!(self.figures, Figures::Blank) {
            return self.blank(inputs, outputs, bits, x, z);
        }
        let (weights, bias) = match part {
            "" => ("weights".to_owned(), "bias".to_owned()),
            part => (part.to_owned(), format!("{part}_bias")),
        };
        let mut offsets = self.numbers(&format!("{}.{bias}", node.name));
        offsets.truncate(outputs);
        let real = Real {
            bits,
            sharing: self.supernet.sharing,
            weights: self.rows(&format!("{}.{weights}", node.name), [1, 1, inputs, outputs]),
            factors: vec![1.0; outputs],
            offsets,
        };
        real.linear(x, z, Clamp::of(z))
    }

    /// The largest numbers that there may be.
    fn blank(&self, taps: usize, outputs: usize, bits: u32, x: &Tensor, z: &Tensor) -> Linear {
        let shared = (self.supernet.sharing == Sharing::TopBits && bits < 8).then_some(bits);
        let bits = if shared.is_some() { 8 } else { bits };
        let below = 31 - MULTIPLIER_BITS;
        let multiplier = Multiplier { mantissa: i32::MAX >> below << below, shift: 0 };
        Linear {
            shared,
            bits,
            weights: vec![-most(bits) as i8; taps * outputs].into(),
            bias: vec![bias_bound(taps, bits, x); outputs].into(),
            multipliers: Multipliers::from_iter([multiplier]),
            rounding: Rounding::Once,
            clamp: Clamp::of(z),
        }
    }

    /// `relu(softmax(theta phi^T) values)` over all pixels.
    fn graph(&mut self, node: &Node, bits: u32, x: &Tensor, z: &Tensor) {
        let [pixels, channels] = [node.image[0] * node.image[1], node.channels];
        let name = |part: &str| format!("{}_{part}", node.name);
        let inner = graph_inner(channels);
        let flat = Tensor { name: name("flat"), shape: vec![pixels, channels], ..x.clone() };
        self.add_layer(&flat, std::slice::from_ref(x), Operator::Reshape(Reshape {}));
        let mut dense = |part: &str, outputs: usize| {
            let z = self.signed(node, part, vec![pixels, outputs]);
            let linear = self.biased(node, part, outputs, bits, &flat, &z);
            self.add_layer(
                &z,
                std::slice::from_ref(&flat),
                Operator::FullyConnected(FullyConnected { linear }),
            );
            z
        };
        let (theta, phi, values) =
            (dense("theta", inner), dense("phi", inner), dense("values", channels));
        let affinity = self.signed(node, "affinity", vec![pixels, pixels]);
        let operator = product(true, [&theta, &phi], &affinity);
        self.add_layer(&affinity, &[theta, phi], operator);
        let shares = Tensor { name: name("shares"), scale: 1.0 / 128.0, ..affinity.clone() };
        let table = softmax_table(8, affinity.scale as f32).into();
        let operator = Operator::Softmax(Softmax { table, steps: 128 });
        self.add_layer(&shares, &[affinity], operator);
        let mixed = Tensor { name: name("mixed"), shape: vec![pixels, channels], ..z.clone() };
        let operator = product(false, [&shares, &values], &mixed);
        self.add_layer(&mixed, &[shares, values], operator);
        self.layer(&node.name, &[mixed], z, Operator::Reshape(Reshape {}));
    }

    /// A tensor of eight bits inside a graph convolution.
    fn signed(&self, node: &Node, part: &str, shape: Vec<usize>) -> Tensor {
        let range = match self.figures {
            // each softmax has a table of its own, as trained ones have: so a core holds as many
            Figures::Blank if part == "affinity" => {
                let softmax = |layer: &&Layer| matches!(layer.operator, Operator::Softmax(_));
                127.0 / (2 + self.network.layers.iter().filter(softmax).count()) as f32
            }
            Figures::Blank => 127.0,
            Figures::Trained { .. } => self.range(&format!("{}.{part}_range", node.name)),
        };
        let (name, scale) = (format!("{}_{part}", node.name), f64::from(range) / 127.0);
        Tensor { name, shape, bits: 8, signed: true, scale, zero_point: 0, sums: None }
    }

    fn window(&self, node: &Node, kernel: [usize; 2], stride: [usize; 2]) -> graph::Window {
        let x = self.subnet.input(node);
        let place = Window { items: 1, input: x.image, kernel, stride, channels: x.channels };
        let ([top, left], [bottom, right]) = (place.before(), place.after());
        let pads = Pads { top, left, bottom, right };
        graph::Window { kernel, stride, dilation: [1, 1], pads }
    }

    fn add_layer(&mut self, z: &Tensor, inputs: &[Tensor], operator: Operator) {
        self.network.tensors.push(z.clone());
        self.layer(&z.name, inputs, z, operator);
    }

    fn layer(&mut self, name: &str, inputs: &[Tensor], z: &Tensor, operator: Operator) {
        let inputs = inputs.iter().map(|tensor| tensor.name.clone()).collect();
        self.network.layers.push(Layer {
            name: name.to_owned(),
            inputs,
            output: z.name.clone(),
            operator,
        });
    }
}

fn clamp(node: &Node, z: &Tensor) -> Clamp {
    if node.relu { Clamp::relu(z) } else { Clamp::of(z) }
}

fn product(transpose: bool, [x, y]: [&Tensor; 2], z: &Tensor) -> Operator {
    let multiplier = nearest(x.scale * y.scale / z.scale);
    let rounding = Rounding::Once;
    Operator::MatMul(MatMul { transpose, multiplier, rounding, clamp: Clamp::of(z) })
}

fn add(inputs: &[Tensor], z: &Tensor) -> Add {
    let scales = [inputs[0].scale, inputs[1].scale];
    let twice = 2.0 * scales[0].max(scales[1]);
    Add {
        left_shift: ADDITION_SHIFT,
        inputs: scales.map(|scale| nearest(scale / twice)),
        multiplier: nearest(twice / (f64::from(1 << ADDITION_SHIFT) * z.scale)),
        rounding: Rounding::Once,
        clamp: Clamp::of(z),
    }
}

fn mean(node: &Node, x: &Tensor, z: &Tensor) -> Mean {
    let count = (node.image[0] * node.image[1]) as f64;
    let multiplier = nearest(x.scale / z.scale / count);
    let clamp = Clamp::of(z);
    Mean { axes: vec![0, 1], keep: false, multiplier, rounding: Rounding::Once, clamp }
}
