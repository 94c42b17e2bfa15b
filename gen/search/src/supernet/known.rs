//! What is done to sums as integers will have it, so that whoever is judged is judged by what runs: biases of whole
//! products, multipliers of few bits, terms of additions that are rounded.

use super::forward::list;
use super::{Moments, Run};
use crate::integers::{ADDITION_SHIFT, Between, Channel, cut};
use crate::kernels::activate::Levels;
use crate::kernels::normalize;
use crate::space::{Layer, Node};
use burn::tensor::{Tensor, TensorData};

impl Run<'_> {
    /// Factors and offsets of channels by statistics that are known.
    pub(super) fn folded(
        &self,
        node: &Node,
        bits: u32,
        gamma: &[f32],
        beta: &[f32],
        moments: &Moments,
    ) -> [Vec<f32>; 2] {
        let read = self.subnet.input(node);
        let (kernel, inputs) = match node.layer {
            Layer::Conv { kernel, .. } => (kernel, read.channels),
            Layer::Depthwise { kernel, .. } => (kernel, 1),
            _ => ([1, 1], read.channels),
        };
        let w = list(self.kernel(node, [kernel[0], kernel[1], inputs, node.channels]));
        let affine = |c: usize| {
            let factor = gamma[c] / (moments.variance[c] + normalize::EPSILON).sqrt();
            (factor, beta[c] - moments.mean[c] * factor)
        };
        self.channels(node, bits, &w, self.scale(node).0, (0..node.channels).map(affine))
    }

    /// A graph convolution's sums with their bias.
    pub(super) fn part_folded(
        &self,
        node: &Node,
        part: &str,
        y: Tensor<4>,
        bits: u32,
    ) -> Tensor<4> {
        let name = format!("{}.{part}", node.name);
        let (inputs, outputs) = (self.subnet.input(node).channels, y.dims()[3]);
        let w = list(self.part(&name, [1, 1, inputs, outputs]));
        let bias = list(self.part(&format!("{name}_bias"), [1, 1, 1, outputs]));
        let affine = bias.into_iter().map(|bias| (1.0, bias));
        let rows = self.channels(node, bits, &w, self.inner_scale(node, part), affine);
        let [factors, offsets] = rows.map(|row| Self::row(row, &y));
        y * factors + offsets
    }

    /// Each output's factor and offset, of its weights and what its sums were to be multiplied by and added to.
    fn channels(
        &self,
        node: &Node,
        bits: u32,
        w: &[f32],
        z: f64,
        affine: impl ExactSizeIterator<Item = (f32, f32)>,
    ) -> [Vec<f32>; 2] {
        let (x, reach) = self.scale(self.subnet.input(node));
        let between = Between { x, reach, z };
        let outputs = affine.len();
        let channel = |(c, (factor, offset)): (usize, (f32, f32))| {
            let column = w.iter().skip(c).step_by(outputs);
            let largest = column.fold(0.0f32, |largest, w| largest.max(w.abs()));
            let channel = Channel { largest, taps: w.len() / outputs, factor, offset };
            channel.folded(self.supernet.sharing, bits, &between)
        };
        let (factors, offsets) = affine.enumerate().map(channel).unzip();
        [factors, offsets]
    }

    /// A number a channel, for a tensor like another.
    pub(super) fn row(numbers: Vec<f32>, like: &Tensor<4>) -> Tensor<4> {
        let shape = [1, 1, 1, numbers.len()];
        Tensor::from_data(TensorData::new(numbers, shape), &like.device())
    }

    /// The sum of two tensors whose terms are rounded.
    pub(super) fn added(&self, node: &Node, terms: [Tensor<4>; 2]) -> Tensor<4> {
        let z = self.scale(node).0;
        let scales = [0, 1].map(|n| self.scale(&self.subnet.nodes[node.inputs[n]]).0);
        let twice = 2.0 * scales[0].max(scales[1]);
        let units = f64::from(1 << ADDITION_SHIFT);
        let [x, y] = terms;
        let term =
            |x: Tensor<4>, scale: f64| (x * (cut(scale / twice) * units / scale) + 0.5).floor();
        (term(x, scales[0]) + term(y, scales[1])) * (cut(twice / (units * z)) * z)
    }

    /// What a mean is multiplied by that the cut multiplier makes of 1.
    pub(super) fn mean_factor(&self, node: &Node) -> f64 {
        let read = self.subnet.input(node);
        let exact =
            self.scale(read).0 / self.scale(node).0 / (read.image[0] * read.image[1]) as f64;
        cut(exact) / exact
    }

    /// The same of a graph convolution's two products.
    pub(super) fn product_factors(&self, node: &Node) -> [f64; 2] {
        let [theta, phi, affinity, values] =
            ["theta", "phi", "affinity", "values"].map(|part| self.inner_scale(node, part));
        let exact = [theta * phi / affinity, values / 128.0 / self.scale(node).0];
        exact.map(|exact| cut(exact) / exact)
    }

    /// What a step inside a graph convolution stands for.
    fn inner_scale(&self, node: &Node, part: &str) -> f64 {
        let range = list(self.range(&format!("{}.{part}_range", node.name)));
        f64::from(range.first().copied().unwrap_or(1.0)) / 127.0
    }

    /// What a step of a node stands for, and how many of them its numbers may be away from 0.
    fn scale(&self, node: &Node) -> (f64, i32) {
        if node.layer == Layer::Input {
            let (scale, zero_point) = self.supernet.input_at(node.bits);
            let [least, greatest] = [-(1 << (node.bits - 1)), (1 << (node.bits - 1)) - 1];
            return (scale, (greatest - zero_point).max(zero_point - least));
        }
        let levels = if node.relu { Levels::positive(node.bits) } else { Levels::both(node.bits) };
        let range = list(self.range(&format!("{}.range_{}", node.name, node.bits)));
        let range = range.first().copied().unwrap_or(1.0);
        (f64::from(range) / f64::from(levels.greatest), levels.greatest.max(-levels.least))
    }
}
