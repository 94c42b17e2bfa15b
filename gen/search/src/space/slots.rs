//! The numbers that all subnets share: for each layer those of its largest form.

use super::{Layer, Space, Subnet};
use std::collections::BTreeMap;

/// What a layer keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Weights: rows, columns, inputs, outputs; normalized.
    Conv([usize; 4]),
    /// Weights: rows, columns, channels; normalized.
    Depthwise([usize; 3]),
    /// Channels in and out; with a bias.
    Dense([usize; 2]),
    /// Channels; theta, phi and values with biases, and a factor.
    Graph(usize),
    /// None but a range.
    Range,
}

/// A layer's place among the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The layer's name.
    pub name: String,
    /// What it keeps.
    pub shape: Shape,
}

/// Slots by name, in the layers' order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slots {
    /// Each.
    pub slots: Vec<Slot>,
    places: BTreeMap<String, usize>,
}

impl Slots {
    /// Those of a space.
    pub fn of(space: &Space) -> Slots {
        // nothing of the largest subnet is left out, and nothing of another is larger
        let largest = space.subnet(&space.largest()).unwrap_or(Subnet { nodes: vec![] });
        let slots: Vec<Slot> = largest
            .nodes
            .iter()
            .map(|node| {
                let inputs = node.inputs.first().map_or(0, |&input| largest.nodes[input].channels);
                let shape = match node.layer {
                    Layer::Conv { kernel: [rows, columns], .. } => {
                        Shape::Conv([rows, columns, inputs, node.channels])
                    }
                    Layer::Depthwise { kernel: [rows, columns], .. } => {
                        Shape::Depthwise([rows, columns, node.channels])
                    }
                    Layer::Dense { .. } => Shape::Dense([inputs, node.channels]),
                    Layer::Graph { .. } => Shape::Graph(node.channels),
                    Layer::Input | Layer::Add | Layer::Mean => Shape::Range,
                };
                Slot { name: node.name.clone(), shape }
            })
            .collect();
        let places = slots.iter().enumerate().map(|(n, slot)| (slot.name.clone(), n)).collect();
        Slots { slots, places }
    }

    /// Where a layer's numbers are.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }
}
