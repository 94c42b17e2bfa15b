//! A small network and how it learns: three convolutions and a dense layer, trained by momentum. It is here
//! to tell how hard a set is.

use hwgen_data::{Augment, Batch, Batches, Subset};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CHANNELS: [usize; 3] = [8, 16, 24];
const KERNEL: usize = 3;
const STRIDE: usize = 2;
const MOMENTUM: f32 = 0.9;

/// Numbers that are learned, with what they last moved by.
struct Weights {
    values: Vec<f32>,
    gradient: Vec<f32>,
    speed: Vec<f32>,
}

impl Weights {
    fn new(count: usize, inputs: usize, rng: &mut ChaCha8Rng) -> Weights {
        let most = (6.0 / inputs as f32).sqrt();
        let values = (0..count).map(|_| rng.random_range(-most..most)).collect();
        Weights { values, gradient: vec![0.0; count], speed: vec![0.0; count] }
    }

    fn step(&mut self, rate: f32) {
        let moved = self.values.iter_mut().zip(&mut self.gradient).zip(&mut self.speed);
        for ((value, gradient), speed) in moved {
            *speed = MOMENTUM * *speed - rate * *gradient;
            *value += *speed;
            *gradient = 0.0;
        }
    }
}

/// A convolution with padding, or, with `taps` of one element each, a dense layer: of each output place,
/// which inputs it reads.
struct Layer {
    outputs: usize,
    places: usize,
    taps: Vec<Vec<(usize, usize)>>,
    weights: Weights,
    bias: Weights,
}

impl Layer {
    fn convolution(from: [usize; 3], outputs: usize, rng: &mut ChaCha8Rng) -> (Layer, [usize; 3]) {
        let [channels, height, width] = from;
        let (rows, columns) = (height.div_ceil(STRIDE), width.div_ceil(STRIDE));
        let taps = |place: usize| {
            let (top, left) = (place / columns * STRIDE, place % columns * STRIDE);
            let mut taps = vec![];
            for (at, (c, y, x)) in (0..channels)
                .flat_map(|c| (0..KERNEL).flat_map(move |y| (0..KERNEL).map(move |x| (c, y, x))))
                .enumerate()
            {
                let (y, x) = ((top + y).wrapping_sub(1), (left + x).wrapping_sub(1));
                if y < height && x < width {
                    taps.push((at, (c * height + y) * width + x));
                }
            }
            taps
        };
        let inputs = channels * KERNEL * KERNEL;
        let layer = Layer {
            outputs,
            places: rows * columns,
            taps: (0..rows * columns).map(taps).collect(),
            weights: Weights::new(outputs * inputs, inputs, rng),
            bias: Weights::new(outputs, usize::MAX, rng),
        };
        (layer, [outputs, rows, columns])
    }

    fn dense(inputs: usize, outputs: usize, rng: &mut ChaCha8Rng) -> Layer {
        let taps = vec![(0..inputs).map(|at| (at, at)).collect()];
        let weights = Weights::new(outputs * inputs, inputs, rng);
        Layer { outputs, places: 1, taps, weights, bias: Weights::new(outputs, usize::MAX, rng) }
    }

    fn inputs(&self) -> usize {
        self.weights.values.len() / self.outputs
    }

    fn forward(&self, input: &[f32]) -> Vec<f32> {
        let row = self.inputs();
        let mut output = vec![0.0; self.outputs * self.places];
        for (place, taps) in self.taps.iter().enumerate() {
            for channel in 0..self.outputs {
                let weights = &self.weights.values[channel * row..][..row];
                let sum: f32 = taps.iter().map(|&(at, from)| weights[at] * input[from]).sum();
                output[channel * self.places + place] = self.bias.values[channel] + sum;
            }
        }
        output
    }

    /// The input's gradient, from the output's.
    fn backward(&mut self, input: &[f32], error: &[f32]) -> Vec<f32> {
        let row = self.inputs();
        let mut back = vec![0.0; input.len()];
        for (place, taps) in self.taps.iter().enumerate() {
            for channel in 0..self.outputs {
                let error = error[channel * self.places + place];
                if error == 0.0 {
                    continue;
                }
                self.bias.gradient[channel] += error;
                let weights = &self.weights.values[channel * row..][..row];
                let gradient = &mut self.weights.gradient[channel * row..][..row];
                for &(at, from) in taps {
                    gradient[at] += error * input[from];
                    back[from] += error * weights[at];
                }
            }
        }
        back
    }
}

/// The network.
struct Network {
    layers: Vec<Layer>,
    mean: f32,
    deviation: f32,
}

impl Network {
    fn new(items: &Subset, rng: &mut ChaCha8Rng) -> Network {
        let shape = items.items().shape();
        let mut from = [shape.channels, shape.height, shape.width];
        let mut layers = vec![];
        for channels in CHANNELS {
            let (layer, to) = Layer::convolution(from, channels, rng);
            layers.push(layer);
            from = to;
        }
        let classes = items.items().classes().len();
        layers.push(Layer::dense(from.iter().product(), classes, rng));
        let sample = Batches::in_order(items, 256).unwrap().next().unwrap().inputs;
        let mean = sample.iter().sum::<f32>() / sample.len() as f32;
        let square = sample.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / sample.len() as f32;
        Network { layers, mean, deviation: square.sqrt() }
    }

    /// Values of every layer, the input first; all but the last without what is negative.
    fn forward(&self, input: &[f32]) -> Vec<Vec<f32>> {
        let normal = input.iter().map(|x| (x - self.mean) / self.deviation);
        let mut values: Vec<Vec<f32>> = vec![normal.collect()];
        for (at, layer) in self.layers.iter().enumerate() {
            let mut output = layer.forward(values.last().unwrap());
            if at + 1 < self.layers.len() {
                output.iter_mut().for_each(|x| *x = x.max(0.0));
            }
            values.push(output);
        }
        values
    }

    fn learn(&mut self, batch: &Batch, rate: f32) {
        let share = 1.0 / batch.labels.len() as f32;
        for (input, &label) in batch.inputs.chunks(batch.shape.elements()).zip(&batch.labels) {
            let values = self.forward(input);
            let scores = values.last().unwrap();
            let most = scores.iter().copied().fold(f32::MIN, f32::max);
            let powers: Vec<f32> = scores.iter().map(|x| (x - most).exp()).collect();
            let sum: f32 = powers.iter().sum();
            let mut error: Vec<f32> = powers.iter().map(|power| power / sum * share).collect();
            error[label] -= share;
            for (layer, input) in self.layers.iter_mut().zip(&values).rev() {
                error = layer.backward(input, &error);
                error.iter_mut().zip(input).for_each(|(e, x)| *e *= f32::from(u8::from(*x > 0.0)));
            }
        }
        self.layers.iter_mut().for_each(|layer| {
            layer.weights.step(rate);
            layer.bias.step(rate);
        });
    }

    fn accuracy(&self, items: &Subset) -> f64 {
        let mut right = 0;
        for batch in Batches::in_order(items, 64).unwrap() {
            for (input, &label) in batch.inputs.chunks(batch.shape.elements()).zip(&batch.labels) {
                let values = self.forward(input);
                let scores = values.last().unwrap();
                let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
                right += usize::from(best == label);
            }
        }
        right as f64 / items.len() as f64
    }
}

/// What share of `test` a small network gets right after so many epochs of `train`.
pub(crate) fn learned(train: &Subset, test: &Subset, augment: &Augment, epochs: u32) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut network = Network::new(train, &mut rng);
    for epoch in 0..epochs {
        let rate = 0.02 * (1.0 - epoch as f32 / epochs as f32);
        for batch in Batches::epoch(train, 16, augment, 1, epoch).unwrap() {
            network.learn(&batch, rate);
        }
    }
    network.accuracy(test)
}
