//! What a layer does.

use super::{Multiplier, Multipliers, Numbers, Rounding, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An operator. `x`, `y` stand for inputs and `z` for the output, each with its zero point; `M()`
/// for rescaling; every result is clamped.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Operator {
    /// `z = z0 + M(bias + sum of w * (x - x0))` over a window; outside the image `x` is `x0`.
    #[serde(rename = "conv_2d")]
    Conv2d {
        /// Where the window goes.
        window: Window,
        /// Channels are cut into so many groups, of inputs and of outputs; as many as input
        /// channels is a depthwise convolution.
        groups: usize,
        /// Weights: output channel, row, column, input channel of the group.
        linear: Linear,
    },
    /// `z = z0 + M(bias + sum of w * (x - x0))` of each row of as many elements as a row of
    /// weights has.
    FullyConnected {
        /// Weights: output, input.
        linear: Linear,
    },
    /// The mean of a window, rounded to nearest, halves away from 0; what lies outside the image
    /// is not counted. With another rounding it is the mean's distance from the zero point that is
    /// rounded.
    #[serde(rename = "average_pool_2d")]
    AveragePool2d {
        /// Where the window goes; no dilation.
        window: Window,
        /// How the mean is rounded; `twice` is as above.
        #[serde(default, skip_serializing_if = "Rounding::is_default")]
        rounding: Rounding,
        /// Bounds of the result.
        clamp: Clamp,
    },
    /// The largest in a window; what lies outside the image is not looked at.
    #[serde(rename = "max_pool_2d")]
    MaxPool2d {
        /// Where the window goes; no dilation.
        window: Window,
        /// Bounds of the result.
        clamp: Clamp,
    },
    /// `z = z0 + M(sum of (x - x0))` over some axes; the multiplier holds the division.
    Mean {
        /// The axes summed, of the input's shape, ascending.
        axes: Vec<usize>,
        /// Whether summed axes stay, with size 1.
        keep: bool,
        /// Rescaling of a sum.
        multiplier: Multiplier,
        /// How it is rounded.
        #[serde(default, skip_serializing_if = "Rounding::is_default")]
        rounding: Rounding,
        /// Bounds of the result.
        clamp: Clamp,
    },
    /// `z = z0 + M(M0((x - x0) << s) + M1((y - y0) << s))`, the two of one shape.
    Add {
        /// Bits gained before the inputs are rescaled; TFLite has 20.
        left_shift: u32,
        /// Rescaling of the inputs.
        inputs: [Multiplier; 2],
        /// Rescaling of their sum.
        multiplier: Multiplier,
        /// How it is rounded.
        #[serde(default, skip_serializing_if = "Rounding::is_default")]
        rounding: Rounding,
        /// Bounds of the result.
        clamp: Clamp,
    },
    /// `z = z0 + M(sum of (x - x0) * (y - y0))`: the product of two matrices of activations.
    MatMul {
        /// The second is rows of the inner index, as the first is; else columns.
        transpose: bool,
        /// Rescaling of a sum.
        multiplier: Multiplier,
        /// How it is rounded.
        #[serde(default, skip_serializing_if = "Rounding::is_default")]
        rounding: Rounding,
        /// Bounds of the result.
        clamp: Clamp,
    },
    /// `z = z0 + M(x - x0)`; the multiplier may be negative.
    Requantize {
        /// Rescaling.
        multiplier: Multiplier,
        /// How it is rounded.
        #[serde(default, skip_serializing_if = "Rounding::is_default")]
        rounding: Rounding,
        /// Bounds of the result.
        clamp: Clamp,
    },
    /// `z = z0 + steps * e / sum of e` of each row (the last axis), rounded to nearest, halves up;
    /// `e = table[largest x of the row - x]`.
    Softmax {
        /// 2^bits entries of 0 to 2^23, not rising, the first above 0.
        table: Numbers<i32>,
        /// Steps of the output that make probability 1: 2 to 65536.
        steps: u32,
    },
    /// `z = table[x - the smallest x]`: a function of one element, such as a sigmoid.
    Lookup {
        /// 2^bits integers of the output, from the smallest input's on.
        table: Numbers<i32>,
    },
    /// A part of the input. The output has its shape, or that without some of its sizes of 1.
    Slice {
        /// The first index, an entry an axis.
        begin: Vec<usize>,
        /// Indices of each axis.
        size: Vec<usize>,
    },
    /// Inputs side by side along an axis.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// A rim around the input.
    Pad {
        /// Before the first, an entry an axis.
        before: Vec<usize>,
        /// After the last, an entry an axis.
        after: Vec<usize>,
        /// The integer that fills it.
        value: i32,
    },
    /// The same elements in another shape, that of the output.
    Reshape,
}

/// A kernel's height and width, or its steps.
pub type Kernel = [usize; 2];

/// Windows on an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Height, width.
    pub kernel: Kernel,
    /// Rows, columns from window to window.
    pub stride: Kernel,
    /// Rows, columns from element to element of a window.
    #[serde(default = "ones")]
    pub dilation: Kernel,
    /// Room around the image.
    pub pads: Pads,
}

fn ones() -> Kernel {
    [1, 1]
}

/// Rows and columns around an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pads {
    /// Rows above.
    pub top: usize,
    /// Columns before.
    pub left: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns after.
    pub right: usize,
}

/// Weights, bias and what becomes of a sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// Bits of a weight, 2 to 8; two's complement.
    pub bits: u32,
    /// Only so many top bits of each weight of eight bits are read, with half a step below them:
    /// one memory serves a network at every width.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<u32>,
    /// The outermost index is the output.
    pub weights: Numbers<i8>,
    /// One an output; empty is none.
    pub bias: Numbers<i32>,
    /// One, or one an output.
    pub multipliers: Multipliers,
    /// How a rescaled sum is rounded.
    #[serde(default)]
    pub rounding: Rounding,
    /// Bounds of the result.
    pub clamp: Clamp,
}

impl Linear {
    /// A stored weight as it is read.
    pub fn read(&self, stored: i8) -> i8 {
        match self.shared {
            Some(bits) if bits < 8 => {
                let below = 8 - bits;
                (stored >> below << below) | (1 << (below - 1))
            }
            _ => stored,
        }
    }
}

/// Bounds of a result: the activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clamp {
    /// Smallest.
    pub min: i32,
    /// Largest.
    pub max: i32,
}

impl Clamp {
    /// All that a tensor can hold.
    pub fn of(tensor: &Tensor) -> Clamp {
        Clamp { min: tensor.lowest(), max: tensor.highest() }
    }

    /// ReLU: not below 0.
    pub fn relu(tensor: &Tensor) -> Clamp {
        Clamp { min: tensor.lowest().max(tensor.zero_point), max: tensor.highest() }
    }

    /// The nearest number within.
    pub fn apply(self, number: i32) -> i32 {
        number.clamp(self.min, self.max)
    }
}

impl Operator {
    /// As written in `network.json`.
    pub fn kind(&self) -> &'static str {
        match self {
            Operator::Conv2d { .. } => "conv_2d",
            Operator::FullyConnected { .. } => "fully_connected",
            Operator::AveragePool2d { .. } => "average_pool_2d",
            Operator::MaxPool2d { .. } => "max_pool_2d",
            Operator::Mean { .. } => "mean",
            Operator::Add { .. } => "add",
            Operator::MatMul { .. } => "mat_mul",
            Operator::Requantize { .. } => "requantize",
            Operator::Softmax { .. } => "softmax",
            Operator::Lookup { .. } => "lookup",
            Operator::Slice { .. } => "slice",
            Operator::Concat { .. } => "concat",
            Operator::Pad { .. } => "pad",
            Operator::Reshape => "reshape",
        }
    }

    /// Its weights.
    pub fn linear(&self) -> Option<&Linear> {
        match self {
            Operator::Conv2d { linear, .. } | Operator::FullyConnected { linear } => Some(linear),
            _ => None,
        }
    }

    pub(super) fn linear_mut(&mut self) -> Option<&mut Linear> {
        match self {
            Operator::Conv2d { linear, .. } | Operator::FullyConnected { linear } => Some(linear),
            _ => None,
        }
    }

    /// The bounds it has of its own.
    pub fn clamp(&self) -> Option<Clamp> {
        match self {
            Operator::Conv2d { linear, .. } | Operator::FullyConnected { linear } => {
                Some(linear.clamp)
            }
            Operator::AveragePool2d { clamp, .. }
            | Operator::MaxPool2d { clamp, .. }
            | Operator::Mean { clamp, .. }
            | Operator::Add { clamp, .. }
            | Operator::MatMul { clamp, .. }
            | Operator::Requantize { clamp, .. } => Some(*clamp),
            _ => None,
        }
    }

    /// Multiplications of activations with weights or activations.
    pub(crate) fn multiplies(&self, inputs: &[&Tensor], output: &Tensor) -> u64 {
        let row = output.image()[2].max(1);
        let each = match (self, inputs) {
            (Operator::Conv2d { linear, .. } | Operator::FullyConnected { linear }, _) => {
                linear.weights.len() / row
            }
            (Operator::MatMul { .. }, [x, ..]) => x.image()[2],
            _ => 0,
        };
        each as u64 * output.elements() as u64
    }
}
