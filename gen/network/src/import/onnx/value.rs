//! What stands for a tensor of the file.

use super::array::Array;
use super::form::Form;
use super::function::Function;
use crate::graph::{self, Rounding, Window};
use std::rc::Rc;

/// A tensor of the file.
#[derive(Clone)]
pub(super) enum Value {
    /// A constant.
    Constant(Rc<Array>),
    /// A constant as integers with scales.
    Weights(Rc<Weights>),
    /// An integer input whose scale is not known yet.
    Raw { name: String, kind: i32, form: Form },
    /// A tensor of the network; `integers` says that the file has the integers, not what they
    /// stand for.
    Tensor { number: usize, form: Form, integers: bool },
    /// A result that is not quantized yet.
    Pending(Rc<Pending>),
    /// The result of a node that is not supported.
    Unknown,
}

/// Quantized constants: `real = scale * (integer - zero_point)`.
pub(super) struct Weights {
    pub(super) shape: Vec<usize>,
    /// Less the zero point.
    pub(super) integers: Vec<i32>,
    pub(super) bits: u32,
    /// One, or one an index of `axis`.
    pub(super) scales: Vec<f32>,
    pub(super) axis: usize,
}

impl Weights {
    /// The index along `axis` of an element.
    fn scale(&self, n: usize) -> f64 {
        match self.scales[..] {
            [scale] => scale.into(),
            _ => {
                let inner: usize = self.shape[self.axis + 1..].iter().product();
                self.scales[n / inner.max(1) % self.scales.len()].into()
            }
        }
    }

    /// What they stand for.
    pub(super) fn reals(&self) -> Vec<f64> {
        let real = |(n, &integer): (usize, &i32)| self.scale(n) * f64::from(integer);
        self.integers.iter().enumerate().map(real).collect()
    }
}

/// How `QuantizeLinear` rounds.
pub(super) const ONNX_ROUNDING: Rounding = Rounding::HalfEven;

/// How a result is to be quantized.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quantization {
    pub(super) scale: f64,
    pub(super) zero_point: i32,
    pub(super) bits: u32,
    pub(super) signed: bool,
    /// The lowest integer (signed) or the highest (unsigned) is left out.
    pub(super) narrow: bool,
    pub(super) rounding: Rounding,
}

impl Quantization {
    pub(super) fn of(tensor: &graph::Tensor) -> Quantization {
        let graph::Tensor { scale, zero_point, bits, signed, .. } = *tensor;
        Quantization { scale, zero_point, bits, signed, narrow: false, rounding: ONNX_ROUNDING }
    }

    /// The integer of a real number, not yet within its bits.
    pub(super) fn steps(self, real: f64) -> f64 {
        self.rounded(real / self.scale)
    }

    /// The integer of so many steps, not yet within its bits.
    pub(super) fn rounded(self, steps: f64) -> f64 {
        let rounded = match self.rounding {
            Rounding::HalfEven => steps.round_ties_even(),
            Rounding::Floor => steps.floor(),
            Rounding::Once | Rounding::Twice => (steps + 0.5).floor(),
        };
        rounded + f64::from(self.zero_point)
    }
}

/// A result in real numbers.
#[derive(Clone)]
pub(super) struct Pending {
    /// The node.
    pub(super) node: usize,
    /// Tensors of the network that it reads.
    pub(super) inputs: Vec<usize>,
    pub(super) what: What,
    /// The shape here that the layer writes.
    pub(super) written: Vec<usize>,
    /// The form the file gave it since.
    pub(super) form: Form,
    /// Bounds of the activation function.
    pub(super) bounds: [f64; 2],
}

impl Pending {
    /// Whether a layer with weights makes it.
    pub(super) fn has_weights(&self) -> bool {
        matches!(self.what, What::Conv { .. } | What::Dense { .. })
    }
}

/// How a pending result is computed.
#[derive(Clone)]
pub(super) enum What {
    /// It is given.
    Input {
        name: String,
    },
    /// A convolution; a depthwise one with weights 1 is a mean of windows.
    Conv {
        window: Window,
        groups: usize,
        sums: Sums,
    },
    /// A dense layer.
    Dense {
        sums: Sums,
    },
    Mean {
        axes: Vec<usize>,
        keep: bool,
        count: usize,
    },
    Average {
        window: Window,
    },
    Add,
    MatMul,
    Same,
    Softmax,
    /// A function of one element.
    Lookup(Function),
    Concat {
        axis: usize,
    },
}

/// Weights with what makes reals of their sums.
#[derive(Clone)]
pub(super) struct Sums {
    pub(super) bits: u32,
    /// Output outermost, in the order of the network. Shared, as many nodes may read a result.
    pub(super) weights: Rc<[i8]>,
    /// Real value of a weight's step, one an output.
    pub(super) scales: Rc<[f64]>,
    /// Real, one an output.
    pub(super) bias: Rc<[f64]>,
    /// There is one weight an output but 0, which stands for a factor and may be any.
    pub(super) free: bool,
}
