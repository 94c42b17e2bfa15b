//! A subnet: layers in the order in which they run.

/// What a choice makes of a space. All that follows walks these: training, cost, and the integer network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// The layers; the first is the input, the last tells a score a class.
    pub nodes: Vec<Node>,
}

/// A layer and what it puts out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is called.
    pub name: String,
    /// What it does.
    pub layer: Layer,
    /// The nodes that it reads.
    pub inputs: Vec<usize>,
    /// Height and width of what it puts out.
    pub image: [usize; 2],
    /// Channels of it.
    pub channels: usize,
    /// Bits of it.
    pub bits: u32,
    /// Nothing of it lies below 0.
    pub relu: bool,
    /// What decides over it.
    pub by: By,
}

/// Which genes decide over a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// The block that it is of; none of input and head.
    pub block: Option<String>,
    /// What decides how many channels it puts out.
    pub width: Width,
}

/// What decides how many channels there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Nothing: they are always as many.
    Fixed,
    /// The block's channels.
    Channels,
    /// The block's expansion.
    Expansion,
    /// As many as a node has.
    Same(usize),
    /// The block's expansion times those of a node.
    Times(usize),
}

/// What a layer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// It is given.
    Input,
    /// A convolution, normalized.
    Conv {
        /// Rows and columns.
        kernel: [usize; 2],
        /// Steps.
        stride: [usize; 2],
        /// Bits of its weights.
        weight_bits: u32,
    },
    /// A kernel a channel, normalized.
    Depthwise {
        /// Rows and columns.
        kernel: [usize; 2],
        /// Steps.
        stride: [usize; 2],
        /// Bits of its weights.
        weight_bits: u32,
    },
    /// The sum of two.
    Add,
    /// A graph convolution over all pixels, without the sum.
    Graph {
        /// Bits of its weights.
        weight_bits: u32,
    },
    /// The mean of all pixels.
    Mean,
    /// All against all, with a bias: the scores.
    Dense {
        /// Bits of its weights.
        weight_bits: u32,
    },
}

impl Layer {
    /// Bits of its weights, if it has any.
    pub fn weight_bits(&self) -> Option<u32> {
        match *self {
            Layer::Conv { weight_bits, .. }
            | Layer::Depthwise { weight_bits, .. }
            | Layer::Graph { weight_bits }
            | Layer::Dense { weight_bits } => Some(weight_bits),
            Layer::Input | Layer::Add | Layer::Mean => None,
        }
    }
}

impl Subnet {
    /// What a node reads first.
    pub fn input(&self, node: &Node) -> &Node {
        &self.nodes[node.inputs[0]]
    }

    /// Products of an inference.
    pub fn multiplies(&self) -> u64 {
        self.nodes.iter().map(|node| self.multiplies_of(node)).sum()
    }

    /// Weights, without biases.
    pub fn weights(&self) -> usize {
        self.nodes.iter().map(|node| self.weights_of(node)).sum()
    }

    fn weights_of(&self, node: &Node) -> usize {
        match node.layer {
            Layer::Input | Layer::Add | Layer::Mean => 0,
            Layer::Conv { kernel, .. } => {
                kernel[0] * kernel[1] * self.input(node).channels * node.channels
            }
            Layer::Depthwise { kernel, .. } => kernel[0] * kernel[1] * node.channels,
            Layer::Graph { .. } => node.channels * (node.channels + 2 * graph_inner(node.channels)),
            Layer::Dense { .. } => self.input(node).channels * node.channels,
        }
    }

    fn multiplies_of(&self, node: &Node) -> u64 {
        let pixels = node.image[0] * node.image[1];
        let products = match node.layer {
            Layer::Graph { .. } => pixels * (node.channels + graph_inner(node.channels)),
            _ => 0,
        };
        (pixels * (self.weights_of(node) + products)) as u64
    }
}

/// Channels of a graph convolution's affinities: a quarter.
pub(crate) fn graph_inner(channels: usize) -> usize {
    channels.div_ceil(4)
}
