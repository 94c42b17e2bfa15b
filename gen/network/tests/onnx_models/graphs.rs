//! Random graphs: several outputs, results with several readers, images, rows and vectors.

use super::{Maker, Style, integers, list, text};
use hwgen_network::import::onnx::proto::ModelProto;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Results are kept this small, so that many graphs run in seconds.
const MOST_ELEMENTS: usize = 500;

/// A quantized result.
#[derive(Clone)]
struct Known {
    name: String,
    shape: Vec<usize>,
}

struct Graph {
    m: Maker,
    rng: ChaCha8Rng,
    known: Vec<Known>,
}

/// A random graph.
pub fn random(seed: u64) -> ModelProto {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x6f6e_6e78);
    let style = match rng.random_range(0..3) {
        0 => Style::Qdq { unsigned: rng.random(), per_channel: rng.random() },
        1 => Style::Qdq { unsigned: false, per_channel: true },
        _ => {
            Style::Qonnx { weights: rng.random_range(2..=8), activations: rng.random_range(3..=8) }
        }
    };
    let mut g = Graph { m: Maker::new(style, seed), rng, known: vec![] };
    let mut size = |most: usize| g.rng.random_range(1..=most);
    let (height, width, channels) = (size(7), size(7), size(6));
    let shape = match size(10) {
        1..=6 => vec![1, channels, height, width],
        7..=8 => vec![1, height, channels],
        _ => vec![1, height * channels],
    };
    let input = g.m.input(&shape);
    g.known.push(Known { name: input, shape });
    let nodes = g.rng.random_range(2..=7);
    for _ in 0..4 * nodes {
        if g.known.len() > nodes {
            break;
        }
        let x = match g.rng.random_bool(0.6) {
            true => g.known[g.known.len() - 1].clone(),
            false => g.known.choose(&mut g.rng).unwrap().clone(),
        };
        match x.shape.len() {
            4 => g.image(&x),
            3 => g.rows(&x),
            _ => g.vector(&x),
        }
    }
    if g.known.len() == 1 {
        let input = g.known[0].name.clone();
        let y = g.m.relu(&input);
        g.made(&y);
    }
    let last = g.known[g.known.len() - 1].clone();
    let mut outputs = vec![if g.rng.random_bool(0.4) { g.unquantized(&last) } else { last.name }];
    for _ in 0..g.rng.random_range(0..=2) {
        let other = &g.known[1..].choose(&mut g.rng).unwrap().name;
        if !outputs.contains(other) {
            outputs.push(other.clone());
        }
    }
    g.m.finish_all(&outputs.iter().map(String::as_str).collect::<Vec<_>>())
}

impl Graph {
    fn up_to(&mut self, most: usize) -> usize {
        self.rng.random_range(0..=most)
    }

    fn coin(&mut self) -> bool {
        self.rng.random()
    }

    /// A result, as integers.
    fn made(&mut self, x: &str) {
        let name = self.m.quantize(x);
        self.keep(name);
    }

    fn keep(&mut self, name: String) {
        let shape = self.m.shape(&name);
        if shape.iter().product::<usize>() <= MOST_ELEMENTS {
            self.known.push(Known { name, shape });
        }
    }

    /// What of a shape is known, some of it.
    fn like(&mut self, fits: impl Fn(&[usize]) -> bool) -> String {
        let like: Vec<_> = self.known.iter().filter(|known| fits(&known.shape)).collect();
        like.choose(&mut self.rng).unwrap().name.clone()
    }

    fn image(&mut self, x: &Known) {
        let [channels, height, width] = [x.shape[1], x.shape[2], x.shape[3]];
        match self.rng.random_range(0..16) {
            0..=4 => {
                let y = self.convolution(&x.name, channels, [height, width]);
                self.made(&y);
            }
            5..=6 => {
                let rim = [0; 4].map(|_: i64| self.rng.random_range(0..=2));
                let padded = self.m.pad(&x.name, rim);
                self.keep(padded.clone());
                let sides =
                    [height + (rim[0] + rim[2]) as usize, width + (rim[1] + rim[3]) as usize];
                let y = self.convolution(&padded, channels, sides);
                self.made(&y);
            }
            7..=8 => {
                let kernel = [height, width].map(|side| self.rng.random_range(1..=side) as i64);
                let strides = [0; 2].map(|_: i64| self.rng.random_range(1..=2));
                let attributes = [list("kernel_shape", &kernel), list("strides", &strides)];
                if self.coin() {
                    let y = self.m.node("MaxPool", &[&x.name], &attributes);
                    self.keep(y);
                } else {
                    let y = self.m.node("AveragePool", &[&x.name], &attributes);
                    self.made(&y);
                }
            }
            9 => {
                let y = self.m.node("GlobalAveragePool", &[&x.name], &[]);
                self.made(&y);
            }
            10 => self.mean(&x.name, &[1, 2, 3]),
            11..=12 => {
                let y = self.m.flatten(&x.name);
                let units = 1 + self.up_to(8);
                let z = self.m.gemm(&y, units);
                self.made(&z);
            }
            _ => self.any(x),
        }
    }

    fn rows(&mut self, x: &Known) {
        let (rows, row) = (x.shape[1], x.shape[2]);
        match self.rng.random_range(0..10) {
            0..=3 => {
                let (units, bias) = (1 + self.up_to(8), self.coin());
                let y = self.m.mat_mul(&x.name, units, bias);
                self.made(&y);
            }
            4 => self.mean(&x.name, &[1, 2]),
            5 => {
                let shape = match self.coin() {
                    true => vec![1, row as i64, rows as i64],
                    false => vec![1, (rows * row) as i64],
                };
                let y = self.m.reshape(&x.name, &shape);
                self.keep(y);
            }
            _ => self.any(x),
        }
    }

    fn vector(&mut self, x: &Known) {
        match self.rng.random_range(0..6) {
            0..=3 if x.shape.len() == 2 => {
                let units = 1 + self.up_to(10);
                let y = self.m.gemm(&x.name, units);
                self.made(&y);
            }
            _ if x.shape.len() == 2 => self.any(x),
            _ => {}
        }
    }

    /// What any shape may have.
    fn any(&mut self, x: &Known) {
        match self.rng.random_range(0..11) {
            10 => {
                let y = self.slice(x);
                self.keep(y);
            }
            0 => {
                let y = self.m.relu(&x.name);
                self.made(&y);
            }
            1 => {
                let axis = integers("axis", x.shape.len() as i64 - 1);
                // the last axis of an image is not that of its channels
                if x.shape.len() < 4 {
                    let y = self.m.node("Softmax", &[&x.name], &[axis]);
                    let y = self.m.quantize_to(&y, 1.0 / 256.0, true);
                    self.keep(y);
                }
            }
            2..=3 => {
                let functions = [
                    "Sigmoid",
                    "Tanh",
                    "Elu",
                    "HardSigmoid",
                    "HardSwish",
                    "LeakyRelu",
                    "Softplus",
                    "Softsign",
                ];
                let function = functions[self.rng.random_range(0..functions.len())];
                let y = self.m.node(function, &[&x.name], &[]);
                self.made(&y);
            }
            4..=6 => {
                let shape = x.shape.clone();
                let other = self.like(|other| other == shape);
                let y = self.m.add(&x.name, &other);
                let y = if self.coin() { self.m.relu(&y) } else { y };
                self.made(&y);
            }
            _ => {
                let axis = self.rng.random_range(1..x.shape.len());
                let shape = x.shape.clone();
                let other = self.like(|other| {
                    let agrees = |n: usize| n == axis || other[n] == shape[n];
                    other.len() == shape.len() && (0..shape.len()).all(agrees)
                });
                let y = self.m.node("Concat", &[&x.name, &other], &[integers("axis", axis as i64)]);
                self.made(&y);
            }
        }
    }

    /// Some axes but the batch, from any index on at any distance.
    fn slice(&mut self, x: &Known) -> String {
        let (mut starts, mut axes, mut steps) = (vec![], vec![], vec![]);
        for axis in 1..x.shape.len() {
            if axes.is_empty() || self.coin() {
                starts.push(self.up_to(x.shape[axis] - 1) as i64);
                axes.push(axis as i64);
                steps.push(*[1, 1, 2, -1, -2].choose(&mut self.rng).unwrap());
            }
        }
        self.m.slice(&x.name, &starts, &axes, &steps)
    }

    fn convolution(&mut self, x: &str, channels: usize, sides: [usize; 2]) -> String {
        let kernel = sides.map(|side| self.rng.random_range(1..=side.min(3)));
        let divides: Vec<_> = (1..=channels).filter(|n| channels.is_multiple_of(*n)).collect();
        let groups = *[1, 1, channels, *divides.choose(&mut self.rng).unwrap()]
            .choose(&mut self.rng)
            .unwrap();
        let outputs = match groups {
            1 => 1 + self.up_to(9),
            groups => groups * (1 + self.up_to(1)),
        };
        let strides = list("strides", &[0; 2].map(|_: i64| self.rng.random_range(1..=2)));
        let attributes = match self.rng.random_range(0..3) {
            0 => vec![strides, text("auto_pad", "SAME_UPPER")],
            1 => {
                let mut rim = |side: usize| self.rng.random_range(0..kernel[side % 2]) as i64;
                vec![strides, list("pads", &[rim(0), rim(1), rim(2), rim(3)])]
            }
            _ => vec![],
        };
        let bias = self.coin();
        let y = self.m.conv(x, outputs, kernel, groups, bias, &attributes);
        match self.rng.random_range(0..4) {
            0 => self.m.relu(&y),
            1 => self.m.normalize(&y),
            2 => self.m.clip(&y, -0.5, 1.0),
            _ => y,
        }
    }

    /// A layer with weights whose result stays real.
    fn unquantized(&mut self, x: &Known) -> String {
        let units = 1 + self.up_to(8);
        match x.shape[..] {
            [_, _, height, width] => {
                let kernel = [height, width].map(|side| self.rng.random_range(1..=side.min(3)));
                let bias = self.coin();
                let y = self.m.conv(&x.name, units, kernel, 1, bias, &[]);
                if self.coin() { self.m.normalize(&y) } else { y }
            }
            [_, _] if self.coin() => self.m.gemm(&x.name, units),
            _ => {
                let bias = self.coin();
                self.m.mat_mul(&x.name, units, bias)
            }
        }
    }

    fn mean(&mut self, x: &str, axes: &[i64]) {
        let mut some: Vec<i64> = axes.iter().copied().filter(|_| self.rng.random()).collect();
        if some.is_empty() {
            some = vec![axes[axes.len() - 1]];
        }
        let every = some.len() == axes.len();
        let keep = integers("keepdims", i64::from(every || self.rng.random()));
        let y = self.m.node("ReduceMean", &[x], &[list("axes", &some), keep]);
        self.made(&y);
    }
}
