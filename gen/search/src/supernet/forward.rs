//! A subnet on a batch.

use super::gates::Relu;
use super::quantize::quantize;
use super::{Gates, Moments, Numbers, Statistics, Supernet};
use crate::kernels::activate::Levels;
use crate::kernels::{Window, normalize};
use crate::ops;
use crate::space::{Layer, Node, Pick, Subnet};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};

/// What activations are normalized by.
pub enum Normal<'s> {
    /// The batch itself; gradients pass through its statistics.
    Batch,
    /// The batch itself, whose statistics are noted.
    Noted(&'s mut Statistics),
    /// What was noted.
    Known(&'s Statistics),
}

/// A forward run: whose numbers, as leaves of a graph of gradients or without one.
pub struct Run<'r> {
    /// The supernet.
    pub supernet: &'r Supernet,
    /// Its parameters' values.
    pub leaves: &'r [Tensor<4>],
    /// The subnet.
    pub subnet: &'r Subnet,
    /// What of it is there, where that is trained.
    pub gates: Option<&'r Gates<'r>>,
}

impl Run<'_> {
    /// Scores of a batch: items x classes.
    pub fn scores(&self, batch: Tensor<4>, normal: Normal<'_>) -> Tensor<2> {
        self.watched(batch, normal, |_, _| {})
    }

    /// Scores of a batch; what each node puts out is shown on the way.
    pub fn watched(
        &self,
        batch: Tensor<4>,
        mut normal: Normal<'_>,
        mut show: impl FnMut(&Node, &Tensor<4>),
    ) -> Tensor<2> {
        let mut values: Vec<Tensor<4>> = Vec::new();
        let last_use = self.last_uses();
        for (n, node) in self.subnet.nodes.iter().enumerate() {
            let value = match node.layer {
                Layer::Input => self.input(&batch, node),
                _ => self.node(n, node, &values, &mut normal),
            };
            show(node, &value);
            values.push(value);
            for &input in node.inputs.iter().filter(|&&input| last_use[input] == n) {
                values[input] = Tensor::zeros([1, 1, 1, 1], &values[input].device());
            }
        }
        let scores = values.swap_remove(values.len() - 1);
        let [items, .., classes] = scores.dims();
        scores.reshape([items, classes])
    }

    /// The last node that reads each.
    fn last_uses(&self) -> Vec<usize> {
        let mut last = vec![usize::MAX; self.subnet.nodes.len()];
        for (n, node) in self.subnet.nodes.iter().enumerate() {
            node.inputs.iter().for_each(|&input| last[input] = n);
        }
        last
    }

    /// What goes in, in steps of its bits: rounded as whoever feeds a network does it, halves away from 0.
    fn input(&self, batch: &Tensor<4>, node: &Node) -> Tensor<4> {
        let (shape, device) = (batch.dims(), batch.device());
        let numbers: Vec<f32> = batch.clone().inner().into_data().try_to_vec().unwrap_or_default();
        let at = |bits: u32| {
            let (scale, zero_point) = self.supernet.input_at(bits);
            let [least, greatest] = [-(1 << (bits - 1)), (1 << (bits - 1)) - 1];
            let [least, greatest] = [least, greatest].map(|end| f64::from(end - zero_point));
            let round =
                |&x: &f32| ((f64::from(x) / scale).round().clamp(least, greatest) * scale) as f32;
            let data: Vec<f32> = numbers.iter().map(round).collect();
            Tensor::<4>::from_data(TensorData::new(data, shape), &device)
        };
        let widths = self.supernet.space.activation_bits.iter().map(|&bits| at(bits));
        let mixed =
            self.gates.and_then(|gates| gates.mix(&node.name, Pick::ActivationBits, widths));
        mixed.unwrap_or_else(|| at(node.bits))
    }

    fn node(
        &self,
        n: usize,
        node: &Node,
        values: &[Tensor<4>],
        normal: &mut Normal<'_>,
    ) -> Tensor<4> {
        let x = values[node.inputs[0]].clone();
        match node.layer {
            Layer::Conv { kernel, stride, weight_bits } => {
                let y = self.conv(node, x, kernel, stride, weight_bits);
                self.finish(n, node, y, weight_bits, normal)
            }
            Layer::Depthwise { kernel, stride, weight_bits } => {
                let y = self.depthwise(node, x, kernel, stride, weight_bits);
                self.finish(n, node, y, weight_bits, normal)
            }
            Layer::Add => {
                let y = values[node.inputs[1]].clone();
                let sum = match normal {
                    Normal::Known(_) => self.added(node, [x.clone(), y]),
                    _ => x.clone() + y,
                };
                let sum = self.activate(node, sum);
                match self.gates.and_then(|gates| gates.present(node)) {
                    Some(there) => x * (-there.clone() + 1.0) + sum * there,
                    None => sum,
                }
            }
            Layer::Graph { weight_bits } => {
                self.graph(node, x, weight_bits, matches!(normal, Normal::Known(_)))
            }
            Layer::Mean => {
                let mean = x.mean_dim(1).mean_dim(2);
                self.activate(
                    node,
                    match normal {
                        Normal::Known(_) => mean * self.mean_factor(node),
                        _ => mean,
                    },
                )
            }
            Layer::Dense { weight_bits } => {
                self.dense(x, &format!("{}.weights", node.name), node, node.channels, weight_bits)
                    + self.part(&format!("{}.bias", node.name), [1, 1, 1, node.channels])
            }
            Layer::Input => x,
        }
    }

    fn conv(
        &self,
        node: &Node,
        x: Tensor<4>,
        kernel: [usize; 2],
        stride: [usize; 2],
        bits: u32,
    ) -> Tensor<4> {
        let [items, height, width, channels] = x.dims();
        let window = Window { items, input: [height, width], kernel, stride, channels };
        let w = self.kernel(node, [kernel[0], kernel[1], channels, node.channels]);
        let w = self.filter(node, w, bits).reshape([window.taps() * channels, node.channels]);
        let rows = match (kernel, stride) {
            ([1, 1], [1, 1]) => x.reshape([window.positions(), channels]),
            _ => ops::unfold(x, window),
        };
        let [height, width] = window.output();
        rows.matmul(w).reshape([items, height, width, node.channels])
    }

    fn depthwise(
        &self,
        node: &Node,
        x: Tensor<4>,
        kernel: [usize; 2],
        stride: [usize; 2],
        bits: u32,
    ) -> Tensor<4> {
        let [items, height, width, channels] = x.dims();
        let window = Window { items, input: [height, width], kernel, stride, channels };
        let w = self.kernel(node, [kernel[0], kernel[1], 1, channels]);
        ops::depthwise(x, self.filter(node, w, bits).reshape([window.taps(), channels]), window)
    }

    /// All against all of the last axis, without a bias.
    fn dense(&self, x: Tensor<4>, name: &str, node: &Node, outputs: usize, bits: u32) -> Tensor<4> {
        let [items, height, width, channels] = x.dims();
        let w = self.filter(node, self.part(name, [1, 1, channels, outputs]), bits);
        let rows = x.reshape([items * height * width, channels]);
        rows.matmul(w.reshape([channels, outputs])).reshape([items, height, width, outputs])
    }

    /// `relu(softmax(theta phi^T) values)` over all pixels; all but the softmax of eight bits.
    fn graph(&self, node: &Node, x: Tensor<4>, bits: u32, known: bool) -> Tensor<4> {
        let [items, height, width, channels] = x.dims();
        let pixels = height * width;
        let part = |part: &str, outputs: usize| {
            let name = format!("{}.{part}", node.name);
            let y = self.dense(x.clone(), &name, node, outputs, bits);
            let y = match known {
                true => self.part_folded(node, part, y, bits),
                false => y + self.part(&format!("{name}_bias"), [1, 1, 1, outputs]),
            };
            let y = ops::activate(y, self.range(&format!("{name}_range")), Levels::both(8));
            let y = match self.gates.and_then(|gates| gates.inner(node)) {
                // one factor of a product is enough
                Some(mask) if part == "theta" => y * mask,
                _ => y,
            };
            y.reshape([items, pixels, outputs])
        };
        let inner = crate::space::graph_inner(channels);
        let (theta, phi, values) =
            (part("theta", inner), part("phi", inner), part("values", channels));
        let affinity = theta.matmul(phi.swap_dims(1, 2)).reshape([items, pixels, 1, pixels]);
        let [affinity_factor, mixed_factor] =
            if known { self.product_factors(node) } else { [1.0; 2] };
        let affinity = affinity * affinity_factor;
        let range = self.range(&format!("{}.affinity_range", node.name));
        let affinity = ops::activate(affinity, range, Levels::both(8));
        let shares = softmax(affinity.reshape([items, pixels, pixels]), 2);
        let shares = shares.reshape([items, pixels, 1, pixels]);
        let one = Tensor::from_data(TensorData::from([127.0f32 / 128.0]), &shares.device());
        let shares = ops::activate(shares, one, Levels::both(8)).reshape([items, pixels, pixels]);
        let mixed = shares.matmul(values).reshape([items, height, width, channels]);
        let mixed = mixed * mixed_factor;
        self.masked(node, self.activate(node, mixed))
    }

    /// Normalized, clipped and rounded.
    fn finish(
        &self,
        n: usize,
        node: &Node,
        y: Tensor<4>,
        bits: u32,
        normal: &mut Normal<'_>,
    ) -> Tensor<4> {
        let (gamma, beta) = (self.affine(node, "gamma", bits), self.affine(node, "beta", bits));
        let y = match normal {
            Normal::Batch => ops::normalize(y, gamma, beta),
            Normal::Noted(statistics) => {
                statistics.nodes.resize(self.subnet.nodes.len(), Moments::default());
                statistics.nodes[n] = moments(&y);
                ops::normalize(y, gamma, beta)
            }
            Normal::Known(statistics) => {
                let [factors, offsets] =
                    self.folded(node, bits, &list(gamma), &list(beta), &statistics.nodes[n]);
                let [factors, offsets] = [factors, offsets].map(|row| Self::row(row, &y));
                y * factors + offsets
            }
        };
        self.masked(node, self.activate(node, y))
    }

    /// Nothing in channels that are not reached.
    fn masked(&self, node: &Node, y: Tensor<4>) -> Tensor<4> {
        match self.gates.and_then(|gates| gates.channels(node)) {
            Some(mask) => y * mask,
            None => y,
        }
    }

    /// A normalization's factors or offsets, for weights of so many bits.
    fn affine(&self, node: &Node, what: &str, bits: u32) -> Tensor<1> {
        let of = |bits: u32| {
            let part = self.part(&format!("{}.{what}_{bits}", node.name), [1, 1, 1, node.channels]);
            part.reshape([node.channels])
        };
        let widths = self.supernet.space.weight_bits.iter().map(|&bits| of(bits));
        let mixed = self.gates.and_then(|gates| gates.mix(&node.name, Pick::WeightBits, widths));
        mixed.unwrap_or_else(|| of(bits))
    }

    fn activate(&self, node: &Node, y: Tensor<4>) -> Tensor<4> {
        let relu = self.gates.map_or(Relu::fixed(node.relu), |gates| gates.relu(node));
        let at = |bits: u32| {
            let range = self.range(&format!("{}.range_{bits}", node.name));
            let to = |levels: Levels| ops::activate(y.clone(), range.clone(), levels);
            match &relu {
                Relu::Always => to(Levels::positive(bits)),
                Relu::Never => to(Levels::both(bits)),
                Relu::Where(there) => {
                    let there = there.clone().reshape([1; 4]);
                    to(Levels::both(bits)) * (-there.clone() + 1.0)
                        + to(Levels::positive(bits)) * there
                }
            }
        };
        let widths = self.supernet.space.activation_bits.iter().map(|&bits| at(bits));
        let mixed =
            self.gates.and_then(|gates| gates.mix(&node.name, Pick::ActivationBits, widths));
        mixed.unwrap_or_else(|| at(node.bits))
    }

    /// A range, which is never 0.
    pub(super) fn range(&self, name: &str) -> Tensor<1> {
        self.part(name, [1, 1, 1, 1]).reshape([1]).clamp_min(1e-2)
    }

    /// Weights as far as gates let them be, by integers whose steps see only those: a subnet has no others.
    fn filter(&self, node: &Node, w: Tensor<4>, bits: u32) -> Tensor<4> {
        let Some(gates) = self.gates else { return self.quantized(&node.name, w.clone(), w, bits) };
        let [rows, columns, inputs, _] = w.dims();
        let taps = gates.kernel(node, [rows, columns]);
        let read = gates.channels(self.subnet.input(node)).filter(|mask| mask.dims()[3] == inputs);
        let masks = [taps.clone(), read.map(|mask| mask.reshape([1, 1, inputs, 1]))];
        let seen = masks.into_iter().flatten().fold(w.clone(), |w, mask| w * mask);
        let w = self.quantized(&node.name, w, seen, bits);
        match taps {
            // behind the quantizer: half a step below nothing is something
            Some(mask) => w * mask,
            None => w,
        }
    }

    /// Weights by integers of so many bits, a step a column, which what is seen of it decides; gradients pass as if
    /// nothing had happened.
    fn quantized(&self, layer: &str, w: Tensor<4>, seen: Tensor<4>, bits: u32) -> Tensor<4> {
        let (shape, columns) = (w.dims(), w.dims()[3]);
        let numbers: Vec<f32> = w.clone().inner().into_data().try_to_vec().unwrap_or_default();
        let seen: Vec<f32> = seen.inner().into_data().try_to_vec().unwrap_or_default();
        let mut largest = vec![0.0f32; columns];
        for row in seen.chunks_exact(columns) {
            for (largest, w) in largest.iter_mut().zip(row) {
                *largest = largest.max(w.abs());
            }
        }
        let sharing = self.supernet.sharing;
        let difference = |bits: u32| {
            let rows_of = numbers.chunks_exact(columns).flat_map(|row| row.iter().zip(&largest));
            let difference = rows_of.map(|(&w, &largest)| {
                let (integer, step) = quantize(sharing, bits, largest, w);
                integer * step - w
            });
            let data = TensorData::new(difference.collect::<Vec<f32>>(), shape);
            Tensor::<4>::from_data(data, &Device::default())
        };
        let widths = self.supernet.space.weight_bits.iter().map(|&bits| difference(bits));
        let mixed = self.gates.and_then(|gates| gates.mix(layer, Pick::WeightBits, widths));
        w + mixed.unwrap_or_else(|| difference(bits))
    }

    /// The inner part of a layer's weights.
    pub(super) fn kernel(
        &self,
        node: &Node,
        [rows, columns, inputs, outputs]: [usize; 4],
    ) -> Tensor<4> {
        let w = self.leaf(&format!("{}.weights", node.name));
        let [all_rows, all_columns, ..] = w.dims();
        let (top, left) = ((all_rows - rows) / 2, (all_columns - columns) / 2);
        w.slice([top..top + rows, left..left + columns, 0..inputs, 0..outputs])
    }

    /// The first of a parameter's numbers.
    pub(super) fn part(&self, name: &str, [_, _, inputs, outputs]: [usize; 4]) -> Tensor<4> {
        self.leaf(name).slice([0..1, 0..1, 0..inputs, 0..outputs])
    }

    fn leaf(&self, name: &str) -> Tensor<4> {
        let numbers: &Numbers = &self.supernet.numbers;
        match numbers.place(name) {
            Some(place) => self.leaves[place].clone(),
            None => unreachable!("a layer `{name}` without numbers"),
        }
    }
}

impl Supernet {
    /// What a step of an input of so many bits stands for, and the integer that stands for 0.
    pub fn input_at(&self, bits: u32) -> (f64, i32) {
        let fewer = 8 - bits.min(8);
        (self.input.scale * f64::from(1 << fewer), self.input.zero_point >> fewer)
    }
}

fn moments(y: &Tensor<4>) -> Moments {
    let channels = y.dims()[3];
    let numbers: Vec<f32> = y.clone().inner().into_data().try_to_vec().unwrap_or_default();
    let (mean, variance) = normalize::statistics(&numbers, channels);
    Moments { mean, variance }
}

pub(super) fn list<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.inner().into_data().try_to_vec().unwrap_or_default()
}
