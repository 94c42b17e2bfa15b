//! Random graphs: several inputs and outputs, tensors with several readers, images, sequences and
//! vectors, shapes that suit nobody.

use super::writer::{Act, Id, Writer};
use hwgen_network::import::tflite::schema::BuiltinOperator;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Tensors are kept this small, so that thousands of graphs run in minutes.
const MOST_ELEMENTS: usize = 600;

/// A graph in the making.
struct Graph {
    w: Writer,
    rng: ChaCha8Rng,
    /// What a node may read.
    known: Vec<Id>,
}

/// A random graph.
pub(crate) fn random(seed: u64) -> Vec<u8> {
    let rng = ChaCha8Rng::seed_from_u64(seed ^ 0x6772_6170_6873);
    let mut g = Graph { w: Writer::new(seed), rng, known: vec![] };
    let mut size = |most: usize| g.rng.random_range(1..=most);
    let (height, width, channels) = (size(8), size(8), size(9));
    let shape = match size(10) {
        1..=6 => vec![1, height, width, channels],
        7..=9 => vec![1, 2 * height, channels],
        _ => vec![1, height * channels],
    };
    let input = g.w.input(&shape);
    g.known.push(input);
    if g.rng.random_bool(0.15) {
        let other = g.w.input_like(input, &shape);
        g.known.push(other);
    }
    let inputs = g.known.len();
    let nodes = g.rng.random_range(1..=8);
    for _ in 0..4 * nodes {
        if g.known.len() >= inputs + nodes {
            break;
        }
        let x = match g.rng.random_bool(0.6) {
            true => g.known[g.known.len() - 1],
            false => *g.known.choose(&mut g.rng).unwrap(),
        };
        let before = g.known.len();
        match g.shape(x).len() {
            4 => g.image(x),
            3 => g.sequence(x),
            _ => g.vector(x),
        }
        let made = g.known[before..].iter();
        let small = |&id: &Id| g.w.shape(id).iter().product::<usize>() <= MOST_ELEMENTS;
        let small: Vec<Id> = made.copied().filter(small).collect();
        g.known.truncate(before);
        g.known.extend(small);
    }
    let mut outputs = vec![g.known[g.known.len() - 1]];
    for _ in 0..g.rng.random_range(0..=2) {
        let other = *g.known.choose(&mut g.rng).unwrap();
        if !outputs.contains(&other) && !g.known[..inputs].contains(&other) {
            outputs.push(other);
        }
    }
    if g.known.len() == inputs {
        let x = g.w.relu(outputs[0]);
        outputs = vec![x];
    }
    g.w.finish(&outputs)
}

impl Graph {
    fn shape(&self, x: Id) -> Vec<usize> {
        self.w.shape(x)
    }

    fn made(&mut self, x: Id) -> Id {
        self.known.push(x);
        x
    }

    fn act(&mut self) -> Act {
        *[Act::None, Act::None, Act::Relu, Act::Relu6].choose(&mut self.rng).unwrap()
    }

    fn coin(&mut self) -> bool {
        self.rng.random()
    }

    fn up_to(&mut self, most: usize) -> usize {
        self.rng.random_range(0..=most)
    }

    /// An image's next node, or two.
    fn image(&mut self, x: Id) {
        let [_, height, width, channels] = self.w.image(x);
        match self.rng.random_range(0..25) {
            24 => {
                let twice = self.coin();
                let mut side = |side: usize| if twice { 2 * side } else { 1 + self.up_to(9) };
                let size = [side(height), side(width)];
                let kind =
                    *[[false, false], [true, false], [false, true]].choose(&mut self.rng).unwrap();
                let y = self.w.resize(x, size, kind);
                self.made(y);
            }
            0..=3 => {
                let y = self.convolution(x);
                self.made(y);
            }
            4..=6 => {
                let y = self.depthwise(x);
                self.made(y);
            }
            7..=8 => {
                let y = self.padding(x, &[1, 2]);
                self.made(y);
                let z = self.convolution(y);
                self.made(z);
            }
            9 => {
                let axes = [vec![3], vec![1, 2, 3], vec![1]].choose(&mut self.rng).unwrap().clone();
                let y = self.padding(x, &axes);
                self.made(y);
            }
            10..=11 => {
                let kernel = [1 + self.up_to(height - 1), 1 + self.up_to(width - 1)];
                let stride = [1 + self.up_to(1), 1 + self.up_to(1)];
                let same = self.coin();
                let y = match self.coin() {
                    true => self.w.max_pool(x, kernel, stride, same),
                    false => self.w.average_pool(x, kernel, stride, same),
                };
                self.made(y);
            }
            12..=13 => self.mean(x, &[1, 2, 3]),
            14 => {
                let y = self.w.reshape(x, &[1, height * width, channels]);
                self.made(y);
            }
            15 => {
                let shape = match self.coin() {
                    true => [1, height, width * channels],
                    false => [1, height * channels, width],
                };
                let y = self.w.reshape(x, &shape);
                self.made(y);
            }
            16 => {
                let y = self.w.reshape(x, &[1, height * width * channels]);
                self.made(y);
                let act = self.act();
                let units = 1 + self.up_to(8);
                let z = self.w.fully_connected(y, units, act);
                self.made(z);
            }
            17 => {
                let units = 1 + self.up_to(8);
                let y = self.w.fully_connected(x, units, Act::None);
                self.made(y);
            }
            _ => self.any(x, 4),
        }
    }

    /// A sequence's: convolutions in time are those of images one row high.
    fn sequence(&mut self, x: Id) {
        let shape = self.shape(x);
        let (time, channels) = (shape[1], shape[2]);
        match self.rng.random_range(0..16) {
            0..=2 => {
                let axis = 1 + self.up_to(1);
                let image = self.w.expand(x, axis);
                let mut y = image;
                if self.coin() {
                    let [_, height, width, _] = self.w.image(y);
                    let kernel = [height.min(1 + self.up_to(2)), width.min(1 + self.up_to(2))];
                    let same = self.coin();
                    y = self.w.depthwise(y, 1, kernel, [1, 1], same, Act::None);
                }
                let y = self.convolution(y);
                let [_, height, width, depth] = self.w.image(y);
                let y = self.w.reshape(y, &[1, height * width, depth]);
                self.made(y);
            }
            3..=4 => {
                let units = 1 + self.up_to(8);
                let y = self.w.fully_connected_rows(x, units);
                self.made(y);
            }
            5 => {
                let (units, act) = (1 + self.up_to(8), self.act());
                let y = self.w.fully_connected(x, units, act);
                self.made(y);
            }
            6..=7 => self.mean(x, &[1, 2]),
            8 => {
                let axes: &[usize] = if self.coin() { &[1] } else { &[1, 2] };
                let y = self.padding(x, axes);
                self.made(y);
            }
            9 => {
                let shape =
                    [vec![1, channels, time], vec![1, time * channels], vec![1, time, channels, 1]];
                let shape = shape.choose(&mut self.rng).unwrap().clone();
                let y = self.w.reshape(x, &shape);
                self.made(y);
            }
            _ => self.any(x, 3),
        }
    }

    fn vector(&mut self, x: Id) {
        let length = self.shape(x).iter().product::<usize>();
        match self.rng.random_range(0..10) {
            0..=3 => {
                let (units, act) = (1 + self.up_to(10), self.act());
                let y = self.w.fully_connected(x, units, act);
                self.made(y);
            }
            4 if length > 1 => {
                let divides: Vec<_> = (1..=length).filter(|n| length.is_multiple_of(*n)).collect();
                let rows = *divides.choose(&mut self.rng).unwrap();
                let shape = match self.coin() {
                    true => vec![1, rows, length / rows],
                    false => vec![1, rows, 1, length / rows],
                };
                let y = self.w.reshape(x, &shape);
                self.made(y);
            }
            _ if self.shape(x).len() == 2 => self.any(x, 2),
            _ => {}
        }
    }

    /// What any shape may have.
    fn any(&mut self, x: Id, axes: usize) {
        match self.rng.random_range(0..15) {
            14 => {
                let (one, signs) = (self.coin(), self.coin());
                let y = self.w.prelu(x, one, signs);
                self.made(y);
            }
            13 => self.relabeled(x, axes),
            12 => {
                let strides: Vec<i32> = (0..axes).map(|axis| self.stride(axis)).collect();
                let y = self.w.at_strides(x, &strides);
                self.made(y);
            }
            0 => {
                let y = self.w.relu(x);
                self.made(y);
            }
            1 => {
                let y = self.w.relu6(x);
                self.made(y);
            }
            2 => {
                let y = self.w.quantize(x);
                self.made(y);
            }
            3 => {
                let y = self.w.softmax(x);
                self.made(y);
            }
            4..=6 => {
                let shape = self.shape(x);
                let like: Vec<Id> =
                    self.known.iter().copied().filter(|&y| self.shape(y) == shape).collect();
                let y = *like.choose(&mut self.rng).unwrap();
                let act = self.act();
                let y = self.w.add(x, y, act);
                self.made(y);
            }
            7..=8 => {
                let y = match self.rng.random_range(0..5) {
                    0 => self.w.function(BuiltinOperator::LOGISTIC, x, 1.0 / 256.0, -128),
                    1 => self.w.function(BuiltinOperator::TANH, x, 1.0 / 128.0, 0),
                    2 => self.w.function(BuiltinOperator::EXP, x, 0.03, -120),
                    3 => {
                        let alpha = self.rng.random_range(-0.5..1.5);
                        self.w.curve(BuiltinOperator::LEAKY_RELU, x, alpha)
                    }
                    _ => self.w.curve(BuiltinOperator::HARD_SWISH, x, 0.0),
                };
                self.made(y);
            }
            _ => self.concatenation(x, axes),
        }
    }

    /// An axis of 1 in another place.
    fn relabeled(&mut self, x: Id, axes: usize) {
        let shape = self.shape(x);
        let Some(one) = (1..axes).find(|&axis| shape[axis] == 1) else { return };
        let mut order: Vec<usize> = (0..axes).filter(|&axis| axis != one).collect();
        order.insert(1 + self.up_to(axes - 2), one);
        let y = self.w.transpose(x, &order);
        self.made(y);
    }

    /// What is taken of an axis: all of the batch.
    fn stride(&mut self, axis: usize) -> i32 {
        let strides = if axis == 0 { &[1][..] } else { &[1, 1, 2, 3, -1, -2] };
        *strides.choose(&mut self.rng).unwrap()
    }

    /// Of what agrees off an axis, each brought to the first one's scale.
    fn concatenation(&mut self, x: Id, axes: usize) {
        let axis = self.rng.random_range(1..axes);
        let shape = self.shape(x);
        let agrees = |&y: &Id| {
            let other = self.shape(y);
            other.len() == axes && (1..axes).all(|n| n == axis || other[n] == shape[n])
        };
        let others: Vec<Id> = self.known.iter().copied().filter(agrees).collect();
        let mut parts = vec![x];
        for _ in 0..self.rng.random_range(1..=2) {
            let other = *others.choose(&mut self.rng).unwrap();
            let alike = self.w.alike(x, other);
            parts.push(if alike { other } else { self.w.quantize_as(other, x) });
        }
        let start = self.up_to(parts.len() - 1);
        parts.rotate_left(start);
        let y = self.w.concat(&parts, axis);
        self.made(y);
    }

    fn convolution(&mut self, x: Id) -> Id {
        let [_, height, width, _] = self.w.image(x);
        let same = self.coin();
        let dilation = *[[1, 1], [1, 1], [2, 1], [1, 2]].choose(&mut self.rng).unwrap();
        let mut kernel = [1 + self.up_to(2), 1 + self.up_to(2)];
        for (side, most) in [height, width].into_iter().enumerate() {
            while (kernel[side] - 1) * dilation[side] >= most && kernel[side] > 1 {
                kernel[side] -= 1;
            }
        }
        let stride = match dilation {
            [1, 1] => [1 + self.up_to(1), 1 + self.up_to(1)],
            _ => [1, 1],
        };
        let (channels, act) = (1 + self.up_to(11), self.act());
        self.w.conv(x, channels, kernel, stride, dilation, same, act)
    }

    fn depthwise(&mut self, x: Id) -> Id {
        let [_, height, width, _] = self.w.image(x);
        let kernel = [height.min(1 + self.up_to(2)), width.min(1 + self.up_to(2))];
        // the reference kernel takes one stride
        let stride = [1 + self.up_to(1); 2];
        let (multiplier, same, act) = (1 + self.up_to(1), self.coin(), self.act());
        self.w.depthwise(x, multiplier, kernel, stride, same, act)
    }

    fn padding(&mut self, x: Id, axes: &[usize]) -> Id {
        let mut rims = vec![[0; 2]; self.shape(x).len()];
        axes.iter().for_each(|&axis| rims[axis] = [self.up_to(2), self.up_to(2)]);
        match self.rng.random_bool(0.7) {
            true => self.w.pad(x, &rims),
            false => {
                let value = self.rng.random();
                self.w.pad_with(x, &rims, value)
            }
        }
    }

    fn mean(&mut self, x: Id, axes: &[usize]) {
        let some: Vec<usize> = axes.iter().copied().filter(|_| self.rng.random()).collect();
        let axes = if some.is_empty() {
            vec![1, 2].into_iter().filter(|a| axes.contains(a)).collect()
        } else {
            some
        };
        let every = axes.len() + 1 == self.shape(x).len();
        let keep = every || self.coin();
        let y = self.w.mean(x, &axes, keep);
        self.made(y);
    }
}
