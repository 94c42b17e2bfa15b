//! Draws weights, folds normalization into them, and calibrates scales on a random sample.

use super::real;
use crate::graph::{
    Add, AveragePool2d, Clamp, Conv2d, FullyConnected, Layer, Linear, MatMul, Mean, Multiplier,
    Multipliers, Network, Operator, Pads, Reshape, Rounding, Softmax, Tensor, VERSION, Window,
    softmax_table,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A network and how many numbers its training would have found.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// The network.
    pub network: Network,
    /// Weights, biases, and two numbers a normalized channel.
    pub parameters: usize,
}

/// A convolution, normalized afterwards.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    /// Rows and columns.
    pub(super) size: usize,
    pub(super) stride: usize,
    pub(super) channels: usize,
    pub(super) relu: bool,
}

/// A tensor and its value on the sample.
pub(super) struct Value {
    tensor: Tensor,
    real: Vec<f32>,
}

impl Value {
    pub(super) fn image(&self) -> [usize; 3] {
        self.tensor.image()
    }
}

pub(super) struct Builder {
    network: Network,
    parameters: usize,
    rng: ChaCha8Rng,
    weight_bits: u32,
    activation_bits: u32,
    input: [usize; 3],
    /// What is made next has zero point 0, as far below as above.
    pub(super) around_0: bool,
}

impl Builder {
    pub(super) fn new(
        name: &str,
        seed: u64,
        input: [usize; 3],
        weight_bits: u32,
        activation_bits: u32,
    ) -> Builder {
        let network = Network {
            version: VERSION,
            name: name.to_owned(),
            binary: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
            tensors: Vec::new(),
            layers: Vec::new(),
            states: Vec::new(),
        };
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Builder {
            network,
            parameters: 0,
            rng,
            weight_bits,
            activation_bits,
            input,
            around_0: false,
        }
    }

    /// The network's input: full-range features, -3 to 3 or so.
    pub(super) fn input(&mut self) -> Value {
        let shape = self.input.to_vec();
        let count: usize = shape.iter().product();
        let real: Vec<f32> = (0..count).map(|_| self.normal()).collect();
        let value = self.calibrate("features", &shape, real, None);
        self.network.inputs.push(value.tensor.name.clone());
        value
    }

    /// A convolution that keeps the image's size but for its stride, and a normalization.
    pub(super) fn conv(&mut self, name: &str, x: &Value, filter: Filter) -> Value {
        let Filter { size, stride, channels, relu } = filter;
        let [height, width, depth] = x.image();
        let rim = |side: usize| ((side.div_ceil(stride) - 1) * stride + size).saturating_sub(side);
        let (rows, columns) = (rim(height), rim(width));
        let pads = Pads {
            top: rows / 2,
            left: columns / 2,
            bottom: rows - rows / 2,
            right: columns - columns / 2,
        };
        let window = Window { kernel: [size; 2], stride: [stride; 2], dilation: [1, 1], pads };
        let taps = size * size * depth;
        let mut weights = self.weights(taps * channels);
        self.parameters += weights.len() + 2 * channels;
        let sums = real::conv(&x.real, x.image(), window, &weights, channels);
        let mut bias = Vec::new();
        for channel in 0..channels {
            let (mean, deviation) =
                real::statistics(sums.iter().skip(channel).step_by(channels).copied());
            let gamma = self.rng.random_range(0.5..1.5) / deviation.max(1e-3);
            let beta = self.rng.random_range(-0.5..0.5f32);
            weights[channel * taps..(channel + 1) * taps].iter_mut().for_each(|w| *w *= gamma);
            bias.push(beta - gamma * mean);
        }
        let sums = real::conv(&x.real, x.image(), window, &weights, channels);
        let image = window.output([height, width]).unwrap_or_default();
        let shape = [image[0], image[1], channels];
        let (value, linear) = self.linear(name, x, &shape, &weights, &bias, sums, relu);
        self.layer(name, &[x], &value, Operator::Conv2d(Conv2d { window, groups: 1, linear }));
        value
    }

    /// Each row against weights with a bias.
    pub(super) fn fully_connected(&mut self, name: &str, x: &Value, units: usize) -> Value {
        let inputs = x.image()[2];
        let mut weights = self.weights(inputs * units);
        let bias: Vec<f32> = (0..units).map(|_| self.rng.random_range(-0.5..0.5)).collect();
        self.parameters += weights.len() + units;
        let sums = real::mat_mul_transposed(&x.real, &weights, inputs);
        let (_, deviation) = real::statistics(sums.into_iter());
        weights.iter_mut().for_each(|w| *w /= deviation.max(1e-3));
        let sums = real::mat_mul_transposed(&x.real, &weights, inputs);
        let mut shape = x.tensor.shape.clone();
        shape.pop();
        shape.push(units);
        let (value, linear) = self.linear(name, x, &shape, &weights, &bias, sums, false);
        self.layer(name, &[x], &value, Operator::FullyConnected(FullyConnected { linear }));
        value
    }

    /// The mean of square windows side by side.
    pub(super) fn average_pool(&mut self, name: &str, x: &Value, size: usize) -> Value {
        let pads = Pads::default();
        let window = Window { kernel: [size; 2], stride: [size; 2], dilation: [1, 1], pads };
        let [height, width, depth] = x.image();
        let shape = [height / size, width / size, depth];
        // each channel on its own: a diagonal of weights
        let mut weights = vec![0.0; depth * size * size * depth];
        let share = 1.0 / (size * size) as f32;
        for channel in 0..depth {
            for tap in 0..size * size {
                weights[(channel * size * size + tap) * depth + channel] = share;
            }
        }
        let real = real::conv(&x.real, x.image(), window, &weights, depth);
        let value = self.same(name, &shape, real, x);
        let clamp = Clamp::of(&value.tensor);
        self.layer(
            name,
            &[x],
            &value,
            Operator::AveragePool2d(AveragePool2d { window, rounding: Rounding::Twice, clamp }),
        );
        value
    }

    /// The mean of each channel.
    pub(super) fn mean(&mut self, name: &str, x: &Value) -> Value {
        let [height, width, depth] = x.image();
        let count = (height * width) as f32;
        let channel = |c: usize| x.real.iter().skip(c).step_by(depth).sum::<f32>() / count;
        let real = (0..depth).map(channel).collect();
        let value = self.calibrate(name, &[depth], real, None);
        let factor = x.tensor.scale / value.tensor.scale / f64::from(count);
        let (multiplier, clamp) = (nearest(factor), Clamp::of(&value.tensor));
        let axes = vec![0, 1];
        let (keep, rounding) = (false, Rounding::Twice);
        let operator = Operator::Mean(Mean { axes, keep, multiplier, rounding, clamp });
        self.layer(name, &[x], &value, operator);
        value
    }

    /// `x + gamma * y`.
    pub(super) fn add(&mut self, name: &str, inputs: [&Value; 2], gamma: f32, relu: bool) -> Value {
        let [x, y] = inputs;
        let sum = x.real.iter().zip(&y.real).map(|(x, y)| x + gamma * y);
        let sum = sum.map(|sum| if relu { sum.max(0.0) } else { sum }).collect();
        let value = self.calibrate(name, &x.tensor.shape, sum, relu.then_some(0.0));
        let scales = [x.tensor.scale, y.tensor.scale * f64::from(gamma)];
        let twice = 2.0 * scales[0].max(scales[1]);
        let left_shift = 20;
        let operator = Operator::Add(Add {
            left_shift,
            inputs: scales.map(|scale| nearest(scale / twice)),
            multiplier: nearest(twice / (f64::from(1 << left_shift) * value.tensor.scale)),
            rounding: Rounding::Twice,
            clamp: Clamp::of(&value.tensor),
        });
        self.layer(name, &[x, y], &value, operator);
        value
    }

    /// A factor that training would find.
    pub(super) fn draw_gamma(&mut self) -> f32 {
        self.parameters += 1;
        self.rng.random_range(0.5..1.0)
    }

    /// The product of two matrices, the second transposed or not.
    pub(super) fn mat_mul(
        &mut self,
        name: &str,
        inputs: [&Value; 2],
        transpose: bool,
        relu: bool,
    ) -> Value {
        let [x, y] = inputs;
        let ([_, rows, inner], [_, second, columns]) = (x.image(), y.image());
        let (turned, columns) = match transpose {
            true => (y.real.clone(), second),
            false => (real::transposed(&y.real, columns), columns),
        };
        let product = real::mat_mul_transposed(&x.real, &turned, inner);
        let product = product.into_iter().map(|z| if relu { z.max(0.0) } else { z }).collect();
        let value = self.calibrate(name, &[rows, columns], product, relu.then_some(0.0));
        let multiplier = nearest(x.tensor.scale * y.tensor.scale / value.tensor.scale);
        let clamp = Clamp::of(&value.tensor);
        let operator =
            Operator::MatMul(MatMul { transpose, multiplier, rounding: Rounding::Twice, clamp });
        self.layer(name, &[x, y], &value, operator);
        value
    }

    /// Each row's shares; the output's steps are as fine as the largest share allows.
    pub(super) fn softmax(&mut self, name: &str, x: &Value) -> Value {
        let real = real::softmax(&x.real, x.image()[2]);
        let largest = (room(&real) * real.iter().copied().fold(0.0, f32::max)).min(1.0);
        let levels = match self.around_0 {
            false => (1u32 << self.activation_bits) - 1,
            true => (1u32 << (self.activation_bits - 1)) - 1,
        };
        let steps = ((levels as f32 / largest) as u32).min(1 << 16);
        let tensor = self.tensor(name, &x.tensor.shape, 1.0 / f64::from(steps), 0.0);
        let value = self.keep(tensor, real);
        let table = softmax_table(x.tensor.bits, x.tensor.scale as f32).into();
        self.layer(name, &[x], &value, Operator::Softmax(Softmax { table, steps }));
        value
    }

    /// The same elements in another shape.
    pub(super) fn reshape(&mut self, name: &str, x: &Value, shape: &[usize]) -> Value {
        let value = self.same(name, shape, x.real.clone(), x);
        self.layer(name, &[x], &value, Operator::Reshape(Reshape {}));
        value
    }

    pub(super) fn finish(mut self, output: &Value) -> Built {
        self.network.outputs.push(output.tensor.name.clone());
        Built { network: self.network, parameters: self.parameters }
    }

    /// Quantizes weights a channel at a time, and the sums with their bias.
    #[allow(clippy::too_many_arguments)]
    fn linear(
        &mut self,
        name: &str,
        x: &Value,
        shape: &[usize],
        weights: &[f32],
        bias: &[f32],
        mut sums: Vec<f32>,
        relu: bool,
    ) -> (Value, Linear) {
        let channels = bias.len();
        for (n, sum) in sums.iter_mut().enumerate() {
            *sum += bias[n % channels];
            *sum = if relu { sum.max(0.0) } else { *sum };
        }
        let value = self.calibrate(name, shape, sums, relu.then_some(0.0));
        let most = (1 << (self.weight_bits - 1)) - 1;
        let (mut quantized, mut biases, mut multipliers) = (Vec::new(), Vec::new(), Vec::new());
        for (weights, &bias) in weights.chunks_exact(weights.len() / channels).zip(bias) {
            let largest = weights.iter().fold(1e-9f32, |largest, w| largest.max(w.abs()));
            let scale = largest / most as f32;
            let weight = |w: &f32| (w / scale).round().clamp(-most as f32, most as f32) as i8;
            quantized.extend(weights.iter().map(weight));
            let step = f64::from(scale) * x.tensor.scale;
            biases.push((f64::from(bias) / step).round() as i32);
            multipliers.push(nearest(step / value.tensor.scale));
        }
        let linear = Linear {
            shared: None,
            bits: self.weight_bits,
            weights: quantized.into(),
            bias: biases.into(),
            multipliers: Multipliers::from_iter(multipliers),
            rounding: Rounding::Twice,
            clamp: Clamp::of(&value.tensor),
        };
        (value, linear)
    }

    /// A tensor that covers a sample, from `lowest` on if that is known.
    fn calibrate(
        &mut self,
        name: &str,
        shape: &[usize],
        real: Vec<f32>,
        lowest: Option<f32>,
    ) -> Value {
        let room = room(&real);
        let least = lowest.unwrap_or(room * real.iter().copied().fold(0.0, f32::min));
        let most = room * real.iter().copied().fold(0.0, f32::max);
        let levels = ((1u32 << self.activation_bits) - 1) as f32;
        let scale = match self.around_0 {
            false => (most - least).max(1e-6) / levels,
            true => 2.0 * most.max(-least).max(1e-6) / (levels - 1.0),
        };
        let tensor = self.tensor(name, shape, scale.into(), least);
        self.keep(tensor, real)
    }

    /// A tensor whose lowest integer stands for `least`.
    fn tensor(&self, name: &str, shape: &[usize], scale: f64, least: f32) -> Tensor {
        let bits = self.activation_bits;
        let lowest = -(1 << (bits - 1));
        let below = (f64::from(-least) / scale).round() as i32;
        let zero_point = match self.around_0 {
            false => lowest + below.clamp(0, (1 << bits) - 1),
            true => 0,
        };
        let (name, shape) = (name.to_owned(), shape.to_vec());
        Tensor { name, shape, bits, signed: true, scale, zero_point, sums: None }
    }

    /// A tensor that means what another does.
    fn same(&mut self, name: &str, shape: &[usize], real: Vec<f32>, x: &Value) -> Value {
        let (name, shape) = (name.to_owned(), shape.to_vec());
        self.keep(Tensor { name, shape, ..x.tensor.clone() }, real)
    }

    /// Adds a tensor; what follows sees its value as its integers tell it.
    fn keep(&mut self, tensor: Tensor, mut real: Vec<f32>) -> Value {
        for value in &mut real {
            *value = tensor.real(tensor.quantize((*value).into())) as f32;
        }
        self.network.tensors.push(tensor.clone());
        Value { tensor, real }
    }

    fn layer(&mut self, name: &str, inputs: &[&Value], output: &Value, operator: Operator) {
        self.network.layers.push(Layer {
            name: name.to_owned(),
            inputs: inputs.iter().map(|value| value.tensor.name.clone()).collect(),
            output: output.tensor.name.clone(),
            operator,
        });
    }

    fn weights(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.normal()).collect()
    }

    /// Nearly normal: twelve uniform numbers.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.rng.random_range(-0.5..0.5f32)).sum()
    }
}

/// How much wider than a sample a range should be: a small sample does not reach far.
fn room(sample: &[f32]) -> f32 {
    1.0 + 8.0 / (sample.len() as f32).sqrt()
}

/// A factor between calibrated scales, which are within 2^30 of each other.
fn nearest(factor: f64) -> Multiplier {
    Multiplier::nearest(factor).unwrap_or(Multiplier { mantissa: i32::MAX, shift: 30 })
}
