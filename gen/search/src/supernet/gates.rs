//! Choices that are trained (HQNAS's thresholds): an option is there while the energy of what it adds lies above a
//! threshold. What is computed is a choice; gradients see how far each gate is from its threshold.
//!
//! **Our definition**: gate = 1 where `ln(energy) > threshold`, its slope that of a sigmoid there. The energy is the
//! mean square of what the option adds (the ring of a kernel, the last channels, the residual of a width), as a share
//! of that of all; bits of activations and blocks have an energy of 1. Energies are taken as they stand: gradients
//! pass to thresholds, and to weights through what is computed.

use super::numbers::{Numbers, Parameter, Role};
use super::quantize::quantize;
use super::{Sharing, Supernet};
use crate::space::{Choice, Gene, Layer, Node, Pick, Space, Subnet, Width, graph_inner};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};

/// How far above its threshold each gate begins: nearly all are open.
const HEAD_START: f32 = 2.0;

/// Gates of one forward run.
pub struct Gates<'g> {
    space: &'g Space,
    subnet: &'g Subnet,
    genes: Vec<Gene>,
    /// For each gene, for each option but the first: whether it is reached.
    reached: Vec<Vec<Tensor<1>>>,
}

/// What a threshold is called.
fn name(gene: &Gene, option: usize) -> String {
    let pick = match gene.pick {
        Pick::Present => "present",
        Pick::Kernel => "kernel",
        Pick::Channels => "channels",
        Pick::Expansion => "expansion",
        Pick::WeightBits => "weight_bits",
        Pick::ActivationBits => "activation_bits",
    };
    format!("{}.threshold_{pick}_{option}", gene.place)
}

impl Supernet {
    /// Gives each option a threshold, if it has none.
    pub fn add_thresholds(&mut self) {
        let energies = Energies::of(self);
        let mut new = Vec::new();
        for gene in self.space.genes() {
            for option in 1..gene.options {
                let below = energies.logarithm(&gene, option) - HEAD_START;
                let data = TensorData::new(vec![below], [1, 1, 1, 1]);
                let value = Tensor::from_data(data, &Device::default());
                new.push(Parameter { name: name(&gene, option), role: Role::Threshold, value });
            }
        }
        new.retain(|threshold| self.numbers.place(&threshold.name).is_none());
        new.into_iter().for_each(|threshold| self.numbers.add(threshold));
    }

    /// The choice that the thresholds make.
    pub fn gated(&self) -> Choice {
        let energies = Energies::of(self);
        let open = |gene: &Gene, option: usize| {
            let threshold = self.numbers.value(&name(gene, option));
            let threshold = threshold.map_or(f32::MIN, first);
            energies.logarithm(gene, option) > threshold
        };
        let option =
            |gene: &Gene| (1..gene.options).take_while(|&option| open(gene, option)).count();
        Choice(self.space.genes().iter().map(|gene| option(gene) as u8).collect())
    }
}

impl<'g> Gates<'g> {
    /// The gates of a supernet's largest subnet.
    pub fn new(supernet: &'g Supernet, leaves: &[Tensor<4>], subnet: &'g Subnet) -> Gates<'g> {
        let energies = Energies::of(supernet);
        let genes = supernet.space.genes();
        let reached = genes.iter().map(|gene| {
            let mut before: Option<Tensor<1>> = None;
            let gate = |option: usize| {
                let place = supernet.numbers.place(&name(gene, option));
                let threshold = place.map(|place| leaves[place].clone().reshape([1]));
                let gate = step(energies.logarithm(gene, option), threshold);
                let gate = before.take().map_or(gate.clone(), |before| before * gate);
                before = Some(gate.clone());
                gate
            };
            (1..gene.options).map(gate).collect()
        });
        let reached = reached.collect();
        Gates { space: &supernet.space, subnet, genes, reached }
    }

    /// Whether options are reached: one less than there are; none where there is no choice.
    fn of(&self, place: &str, pick: Pick) -> &[Tensor<1>] {
        let found = self.genes.iter().position(|gene| gene.place == place && gene.pick == pick);
        found.map_or(&[], |n| &self.reached[n])
    }

    /// Each gene and its gates, for a cost of them.
    pub fn all(&self) -> impl Iterator<Item = (&Gene, &[Tensor<1>])> {
        self.genes.iter().zip(self.reached.iter().map(Vec::as_slice))
    }

    /// The one of some tensors that is chosen: nothing is rounded, as in a sum of what each adds.
    pub(super) fn mix<const D: usize>(
        &self,
        place: &str,
        pick: Pick,
        tensors: impl ExactSizeIterator<Item = Tensor<D>>,
    ) -> Option<Tensor<D>> {
        let shares = only(tensors.len(), self.of(place, pick));
        let parts = tensors.zip(shares).map(|(tensor, share)| tensor * share.reshape([1; D]));
        parts.reduce(|sum, part| sum + part)
    }

    /// Whether the block is there that a sum ends, if that may be otherwise.
    pub(super) fn present(&self, node: &Node) -> Option<Tensor<4>> {
        let there = self.of(node.by.block.as_deref()?, Pick::Present).first()?;
        Some(there.clone().reshape([1; 4]))
    }

    /// Whether nothing of a node lies below 0, which blocks before it may decide.
    pub(super) fn relu(&self, node: &Node) -> Relu {
        self.relus(node).0
    }

    /// Of a node, and of what stands in its place when its block is not there.
    fn relus(&self, node: &Node) -> (Relu, Relu) {
        let before = || self.relus(self.subnet.input(node)).1;
        match node.layer {
            Layer::Add => {
                let before = before();
                let branch = self.subnet.nodes[node.inputs[1]].relu;
                let sum = match (node.relu, branch) {
                    // it has a ReLU of its own
                    (true, false) => Relu::Always,
                    (_, true) => before.clone(),
                    (false, false) => Relu::Never,
                };
                let either = match self.present(node) {
                    Some(there) => sum.clone().or(before, &there.reshape([1])),
                    None => sum.clone(),
                };
                (sum, either)
            }
            Layer::Mean => (before(), before()),
            _ => (Relu::fixed(node.relu), Relu::fixed(node.relu)),
        }
    }

    /// Inner channels of a graph convolution: 1 where they are reached.
    pub(super) fn inner(&self, node: &Node) -> Option<Tensor<4>> {
        mask(self.shares(node), graph_inner(node.channels), graph_inner)
    }

    /// Taps of a node's kernel: 1 where they are reached.
    pub(super) fn kernel(&self, node: &Node, [rows, columns]: [usize; 2]) -> Option<Tensor<4>> {
        let name = node.by.block.as_deref()?;
        let block = self.space.blocks.iter().find(|block| block.name == name)?;
        if [rows, columns] == [1, 1] || block.kernels.len() == 1 {
            return None;
        }
        let mask = |kernel: &[usize; 2]| {
            let inside = |n: usize, all: usize, part: usize| {
                ((all - part) / 2..(all - part) / 2 + part).contains(&n)
            };
            let tap = |tap: usize| {
                let within = inside(tap / columns, rows, kernel[0])
                    && inside(tap % columns, columns, kernel[1]);
                f32::from(u8::from(within))
            };
            let data =
                TensorData::new((0..rows * columns).map(tap).collect(), [rows, columns, 1, 1]);
            Tensor::<4>::from_data(data, &Device::default())
        };
        self.mix(name, Pick::Kernel, block.kernels.iter().map(mask))
    }

    /// Channels of a node: 1 where they are reached.
    pub(super) fn channels(&self, node: &Node) -> Option<Tensor<4>> {
        mask(self.shares(node), node.channels, |channels| channels)
    }

    /// How many channels a node may have, and whether it has: exactly one of the shares is 1.
    fn shares(&self, node: &Node) -> Vec<(usize, Tensor<1>)> {
        let block = || {
            let name = node.by.block.as_deref()?;
            self.space.blocks.iter().find(|block| block.name == name)
        };
        let given = |pick: Pick, options: &[usize]| {
            let place = node.by.block.as_deref().unwrap_or_default();
            let shares = only(options.len(), self.of(place, pick));
            options.iter().copied().zip(shares).collect::<Vec<_>>()
        };
        match (node.by.width, block()) {
            (Width::Channels, Some(block)) => given(Pick::Channels, &block.channels),
            (Width::Expansion, Some(block)) => given(Pick::Expansion, &block.expansions),
            (Width::Same(of), _) => self.shares(&self.subnet.nodes[of]),
            (Width::Times(of), Some(block)) => {
                let times = given(Pick::Expansion, &block.expansions);
                let inner = self.shares(&self.subnet.nodes[of]);
                let pair = |(a, x): &(usize, Tensor<1>)| {
                    let both = |(b, y): &(usize, Tensor<1>)| (a * b, x.clone() * y.clone());
                    inner.iter().map(both).collect::<Vec<_>>()
                };
                times.iter().flat_map(pair).collect()
            }
            _ => vec![(node.channels, ones())],
        }
    }
}

/// Whether nothing of a tensor lies below 0.
#[derive(Clone)]
pub(super) enum Relu {
    Always,
    Never,
    /// Where this is 1.
    Where(Box<Tensor<1>>),
}

impl Relu {
    pub(super) fn fixed(relu: bool) -> Relu {
        if relu { Relu::Always } else { Relu::Never }
    }

    fn share(self) -> Tensor<1> {
        match self {
            Relu::Always => ones(),
            Relu::Never => ones() * 0.0,
            Relu::Where(share) => *share,
        }
    }

    /// This where it is there, else another.
    fn or(self, other: Relu, there: &Tensor<1>) -> Relu {
        match (self, other) {
            (Relu::Always, Relu::Always) => Relu::Always,
            (Relu::Never, Relu::Never) => Relu::Never,
            (this, other) => {
                let without = -there.clone() + 1.0;
                Relu::Where(Box::new(this.share() * there.clone() + other.share() * without))
            }
        }
    }
}

/// Of so many channels those that are reached: as many as `of` makes of each share's.
fn mask(
    shares: Vec<(usize, Tensor<1>)>,
    channels: usize,
    of: impl Fn(usize) -> usize,
) -> Option<Tensor<4>> {
    if shares.len() <= 1 {
        return None;
    }
    let masks = shares.into_iter().map(|(option, share)| {
        let reached = (0..channels).map(|n| f32::from(u8::from(n < of(option)))).collect();
        let data = TensorData::new(reached, [1, 1, 1, channels]);
        Tensor::<4>::from_data(data, &Device::default()) * share.reshape([1; 4])
    });
    masks.reduce(|sum, mask| sum + mask)
}

/// Whether each option is the one: it is reached, the next is not.
fn only(options: usize, reached: &[Tensor<1>]) -> Vec<Tensor<1>> {
    let at = |n: usize| match n {
        0 => ones(),
        n if n == options => ones() * 0.0,
        n => reached.get(n - 1).cloned().unwrap_or_else(|| ones() * 0.0),
    };
    (0..options).map(|n| at(n) - at(n + 1)).collect()
}

fn ones() -> Tensor<1> {
    Tensor::from_data(TensorData::from([1.0f32]), &Device::default())
}

/// 1 above the threshold, else 0; backward as a sigmoid.
fn step(energy: f32, threshold: Option<Tensor<1>>) -> Tensor<1> {
    let Some(threshold) = threshold else { return ones() };
    let hard = if energy > first_of(threshold.clone().inner()) { 1.0 } else { 0.0 };
    let soft = sigmoid(-threshold + energy);
    let plain = soft.clone().inner();
    // the difference is 0: what comes out is 0 or 1 to the last bit
    (soft - plain) + hard
}

fn first(value: &Tensor<4>) -> f32 {
    first_of(value.clone().reshape([1]))
}

fn first_of(value: Tensor<1>) -> f32 {
    value
        .into_data()
        .try_to_vec()
        .ok()
        .and_then(|list: Vec<f32>| list.first().copied())
        .unwrap_or(0.0)
}

/// Mean squares of what options add.
struct Energies<'e> {
    space: &'e Space,
    sharing: Sharing,
    numbers: &'e Numbers,
    largest: Subnet,
}

impl<'e> Energies<'e> {
    fn of(supernet: &'e Supernet) -> Energies<'e> {
        let space = &supernet.space;
        let largest = space.subnet(&space.largest()).unwrap_or(Subnet { nodes: vec![] });
        Energies { space, sharing: supernet.sharing, numbers: &supernet.numbers, largest }
    }

    fn logarithm(&self, gene: &Gene, option: usize) -> f32 {
        let energy = match gene.pick {
            Pick::Present | Pick::ActivationBits => 1.0,
            Pick::WeightBits => self.residual(&gene.place, option),
            Pick::Kernel => self.ring(&gene.place, option),
            Pick::Channels => self.last(&gene.place, option, Width::Channels),
            Pick::Expansion => self.last(&gene.place, option, Width::Expansion),
        };
        energy.max(1e-12).ln()
    }

    fn weights(&self, layer: &str) -> Option<(Vec<f32>, [usize; 4])> {
        let value = self.numbers.value(&format!("{layer}.weights"))?;
        Some((value.clone().into_data().try_to_vec().ok()?, value.dims()))
    }

    /// What a width adds to the one before it.
    fn residual(&self, layer: &str, option: usize) -> f32 {
        let Some((numbers, shape)) = self.weights(layer) else { return 1.0 };
        let outputs = shape[3];
        let mut largest = vec![0.0f32; outputs];
        for (n, w) in numbers.iter().enumerate() {
            largest[n % outputs] = largest[n % outputs].max(w.abs());
        }
        let bits = [option - 1, option].map(|n| self.space.weight_bits[n]);
        let added = numbers.iter().enumerate().map(|(n, &w)| {
            let [few, many] =
                bits.map(|bits| quantize(self.sharing, bits, largest[n % outputs], w));
            (many.0 * many.1 - few.0 * few.1).powi(2)
        });
        share(added.sum(), &numbers)
    }

    /// What a kernel's rim adds.
    fn ring(&self, block: &str, option: usize) -> f32 {
        let of = self.space.blocks.iter().find(|b| b.name == block);
        let layer = self
            .largest
            .nodes
            .iter()
            .find(|node| node.by.block.as_deref() == Some(block) && self.taps(&node.name) > 1);
        let (Some(of), Some(layer)) = (of, layer) else { return 1.0 };
        let Some((numbers, [rows, columns, inputs, outputs])) = self.weights(&layer.name) else {
            return 1.0;
        };
        let [before, now] = [of.kernels[option - 1], of.kernels[option]];
        let inside = |tap: usize, kernel: [usize; 2]| {
            let [y, x] = [tap / columns, tap % columns];
            (rows - kernel[0]) / 2 <= y
                && y < (rows + kernel[0]) / 2
                && (columns - kernel[1]) / 2 <= x
                && x < (columns + kernel[1]) / 2
        };
        let taps = numbers.chunks_exact(inputs * outputs).enumerate();
        let ring = taps.filter(|(tap, _)| inside(*tap, now) && !inside(*tap, before));
        share(ring.flat_map(|(_, tap)| tap).map(|w| w * w).sum(), &numbers)
    }

    fn taps(&self, layer: &str) -> usize {
        self.weights(layer).map_or(0, |(_, [rows, columns, ..])| rows * columns)
    }

    /// What the last channels add.
    fn last(&self, block: &str, option: usize, width: Width) -> f32 {
        let of = self.space.blocks.iter().find(|b| b.name == block);
        let by = |node: &&Node| {
            let is = match width {
                Width::Channels => node.by.width == Width::Channels,
                _ => matches!(node.by.width, Width::Expansion | Width::Times(_)),
            };
            is && node.by.block.as_deref() == Some(block)
        };
        let (Some(of), Some(layer)) = (of, self.largest.nodes.iter().find(by)) else { return 1.0 };
        let options = if width == Width::Channels { &of.channels } else { &of.expansions };
        let Some((numbers, [.., outputs])) = self.weights(&layer.name) else { return 1.0 };
        // options of an expansion may be factors: their shares of the largest are channels'
        let place = |n: usize| options[n] * outputs / options[options.len() - 1].max(1);
        let added = place(option - 1)..place(option);
        let squares = numbers.iter().enumerate().filter(|(n, _)| added.contains(&(n % outputs)));
        share(squares.map(|(_, w)| w * w).sum(), &numbers)
    }
}

fn share(part: f32, all: &[f32]) -> f32 {
    part / all.iter().map(|w| w * w).sum::<f32>().max(1e-12)
}
