//! Parameters: each a list of numbers with a name and a shape of four sizes.

use crate::space::{Shape, Slot, Slots, Space};
use burn::tensor::{Device, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// What a parameter is: how it begins and how it learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Weights: decay.
    Weights,
    /// A normalization's factor.
    Gamma,
    /// A normalization's or a dense layer's offset.
    Beta,
    /// What an activation's greatest level stands for.
    Range,
    /// What decides whether a part is there.
    Threshold,
}

/// A parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// What it is called: the layer's name, a dot, and what it is.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Its numbers, without gradients.
    pub value: Tensor<4>,
}

/// All of a supernet.
#[derive(Debug, Clone)]
pub struct Numbers {
    /// Each, in the layers' order.
    pub parameters: Vec<Parameter>,
    places: BTreeMap<String, usize>,
}

impl Numbers {
    /// Drawn by a seed.
    pub(super) fn new(space: &Space, slots: &Slots, seed: u64) -> Numbers {
        let mut drawn = Drawn { parameters: Vec::new(), rng: ChaCha8Rng::seed_from_u64(seed) };
        for slot in &slots.slots {
            drawn.slot(space, slot);
        }
        Numbers::of(drawn.parameters)
    }

    fn of(parameters: Vec<Parameter>) -> Numbers {
        let places = parameters.iter().enumerate().map(|(n, p)| (p.name.clone(), n)).collect();
        Numbers { parameters, places }
    }

    /// Where a parameter is.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// A parameter's value.
    pub fn value(&self, name: &str) -> Option<&Tensor<4>> {
        self.place(name).map(|place| &self.parameters[place].value)
    }

    /// Adds those of another list: of thresholds, say.
    pub fn add(&mut self, parameter: Parameter) {
        self.places.insert(parameter.name.clone(), self.parameters.len());
        self.parameters.push(parameter);
    }

    /// How many numbers there are.
    pub fn count(&self) -> usize {
        self.parameters.iter().map(|parameter| parameter.value.shape().num_elements()).sum()
    }
}

struct Drawn {
    parameters: Vec<Parameter>,
    rng: ChaCha8Rng,
}

impl Drawn {
    fn slot(&mut self, space: &Space, slot: &Slot) {
        let name = &slot.name;
        match slot.shape {
            Shape::Conv([rows, columns, inputs, outputs]) => {
                self.weights(
                    name,
                    "weights",
                    [rows, columns, inputs, outputs],
                    rows * columns * inputs,
                );
                self.normalization(space, name, outputs);
            }
            Shape::Depthwise([rows, columns, channels]) => {
                self.weights(name, "weights", [rows, columns, 1, channels], rows * columns);
                self.normalization(space, name, channels);
            }
            Shape::Dense([inputs, outputs]) => {
                self.weights(name, "weights", [1, 1, inputs, outputs], 2 * inputs);
                self.constant(name, "bias", Role::Beta, outputs, 0.0);
            }
            Shape::Graph(channels) => self.graph(name, channels),
            Shape::Range => {}
        }
        for &bits in &space.activation_bits {
            // about as many deviations as lose least of a normal distribution
            let range = match bits {
                0..=2 => 1.7,
                3 => 2.2,
                4 => 2.8,
                _ => 4.0,
            };
            self.constant(name, &format!("range_{bits}"), Role::Range, 1, range);
        }
    }

    fn graph(&mut self, name: &str, channels: usize) {
        let inner = crate::space::graph_inner(channels);
        for (part, outputs) in [("theta", inner), ("phi", inner), ("values", channels)] {
            self.weights(name, part, [1, 1, channels, outputs], 2 * channels);
            self.constant(name, &format!("{part}_bias"), Role::Beta, outputs, 0.0);
        }
        for (part, range) in [("theta", 4.0), ("phi", 4.0), ("affinity", 8.0), ("values", 4.0)] {
            self.constant(name, &format!("{part}_range"), Role::Range, 1, range);
        }
    }

    /// A factor and an offset for each width of weights: sums of few bits are distributed otherwise.
    fn normalization(&mut self, space: &Space, name: &str, channels: usize) {
        for &bits in &space.weight_bits {
            self.constant(name, &format!("gamma_{bits}"), Role::Gamma, channels, 1.0);
            self.constant(name, &format!("beta_{bits}"), Role::Beta, channels, 0.0);
        }
    }

    /// Normal numbers whose sums have the variance that a ReLU halves.
    fn weights(&mut self, layer: &str, part: &str, shape: [usize; 4], inputs: usize) {
        let deviation = (2.0 / inputs as f32).sqrt();
        let count = shape.iter().product();
        let numbers = (0..count).map(|_| self.normal() * deviation).collect();
        self.keep(layer, part, Role::Weights, numbers, shape);
    }

    fn constant(&mut self, layer: &str, part: &str, role: Role, count: usize, number: f32) {
        self.keep(layer, part, role, vec![number; count], [1, 1, 1, count]);
    }

    fn keep(&mut self, layer: &str, part: &str, role: Role, numbers: Vec<f32>, shape: [usize; 4]) {
        let value = Tensor::from_data(TensorData::new(numbers, shape), &Device::default());
        self.parameters.push(Parameter { name: format!("{layer}.{part}"), role, value });
    }

    /// Nearly normal: twelve uniform numbers.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.rng.random_range(-0.5..0.5f32)).sum()
    }
}
