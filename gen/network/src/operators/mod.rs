//! What layers do. An operator has one file, which holds all that is known of it, side by side: its
//! values, their ranges, the shape it makes, what it computes, how its tensors lie in a core's memory
//! and the jobs it becomes there.
//!
//! A new one is a file here and a line in the list below; the compiler tells what it lacks.
//!
//! - `read`: an operator as JSON has it; `sums`, `windows`: what several compute with.

mod add;
mod average_pool_2d;
mod concat;
mod conv_2d;
mod fully_connected;
mod gather;
mod lookup;
mod mat_mul;
mod max_pool_2d;
mod mean;
mod pad;
mod prelu;
mod read;
mod requantize;
mod reshape;
mod slice;
mod softmax;
mod sums;
mod windows;

pub use add::Add;
pub use average_pool_2d::AveragePool2d;
pub use concat::Concat;
pub use conv_2d::Conv2d;
pub use fully_connected::FullyConnected;
pub use gather::Gather;
pub use lookup::Lookup;
pub use mat_mul::MatMul;
pub use max_pool_2d::MaxPool2d;
pub use mean::Mean;
pub use pad::Pad;
pub use prelu::Prelu;
pub use requantize::Requantize;
pub use reshape::Reshape;
pub use slice::Slice;
pub use softmax::{Softmax, softmax_table};

use crate::basics::{Linear, NetworkError, Rescaling, Tensor};
use crate::lowering::{Lowering, PlanError};
use hwgen_designs::cnn::Program;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error};
use std::ops::RangeInclusive;

type Checked = Result<(), NetworkError>;
type Shape = Result<Vec<usize>, String>;
/// Why it has no numbers for tensors that are quantized so.
type Rescaled = Result<(), String>;
/// The bits that sums need.
type Lowered = Result<u32, PlanError>;

/// All operators, each with its name in `network.json`.
macro_rules! operators {
    ($($kind:literal: $name:ident,)*) => {
        /// An operator. `x`, `y` stand for inputs and `z` for the output, each with its zero point;
        /// `M()` for rescaling; every result is clamped.
        #[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
        #[serde(tag = "kind")]
        #[allow(missing_docs)] // each is told at its own type
        pub enum Operator {
            $(#[serde(rename = $kind)] $name($name),)*
        }

        impl Operator {
            const KINDS: &[&str] = &[$($kind),*];

            /// As written in `network.json`.
            pub fn kind(&self) -> &'static str {
                match self { $(Operator::$name(_) => $kind,)* }
            }

            /// What is known of it.
            pub(crate) fn known(&self) -> &dyn Kind {
                match self { $(Operator::$name(operator) => operator,)* }
            }

            fn known_mut(&mut self) -> &mut dyn Kind {
                match self { $(Operator::$name(operator) => operator,)* }
            }

            fn read<'de, D: Deserializer<'de>>(kind: &str, fields: D) -> Result<Operator, D::Error> {
                match kind {
                    $($kind => $name::deserialize(fields).map(Operator::$name),)*
                    other => Err(D::Error::unknown_variant(other, Operator::KINDS)),
                }
            }
        }
    };
}

operators! {
    "conv_2d": Conv2d,
    "fully_connected": FullyConnected,
    "average_pool_2d": AveragePool2d,
    "max_pool_2d": MaxPool2d,
    "mean": Mean,
    "add": Add,
    "mat_mul": MatMul,
    "requantize": Requantize,
    "prelu": Prelu,
    "softmax": Softmax,
    "lookup": Lookup,
    "slice": Slice,
    "gather": Gather,
    "concat": Concat,
    "pad": Pad,
    "reshape": Reshape,
}

/// All that is known of an operator, given the tensors it reads and the one it writes.
pub(crate) trait Kind {
    /// How many tensors it reads.
    fn arity(&self) -> RangeInclusive<usize> {
        1..=1
    }

    /// Its values are in range, and no sum goes beyond 32 bits.
    fn check(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Checked;

    /// The output's shape, or why there is none. The values are in range.
    fn shape(&self, inputs: &[&Tensor], output: &Tensor) -> Shape;

    /// What it computes, made ready to run: the definition.
    fn prepare(&self, inputs: &[&Tensor], output: &Tensor) -> Box<dyn Compute>;

    /// Its numbers for tensors that are quantized anew.
    fn rescale(&mut self, rescaling: &Rescaling<'_>) -> Rescaled;

    /// Whether it writes two elements at once, so that they may share a byte.
    fn writes_pairs(&self) -> bool {
        true
    }

    /// Whether all its tensors are quantized alike.
    fn keeps_scale(&self) -> bool {
        false
    }

    /// How its tensors have to lie in the core's memory.
    fn memory(&self, inputs: &[&Tensor], output: &Tensor) -> Memory;

    /// Adds its jobs to the image.
    fn lower(&self, lowering: &Lowering<'_>, program: &mut dyn Program) -> Lowered;

    /// Whether what it writes may be sums that nothing rescales.
    fn makes_sums(&self) -> bool {
        false
    }

    /// Other operators that do the same, where the core has jobs for each but not for the whole.
    fn expand(&self, _inputs: &[&Tensor], _output: &Tensor) -> Vec<Part> {
        vec![]
    }

    /// Its weights.
    fn linear(&self) -> Option<&Linear> {
        None
    }

    /// The same, to be changed.
    fn linear_mut(&mut self) -> Option<&mut Linear> {
        None
    }

    /// Weights of an output, told by shapes.
    fn taps(&self, _inputs: &[&Tensor], _output: &Tensor) -> usize {
        0
    }

    /// Products of activations with weights or activations that an element of the output takes.
    fn products(&self, inputs: &[&Tensor], output: &Tensor) -> usize {
        self.taps(inputs, output)
    }
}

/// An operator with its weights and tables, ready to run.
pub(crate) trait Compute {
    /// Fills the output from the inputs.
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]);
}

/// How an operator's tensors have to lie in the core's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    /// As they like: it reads and writes position by position.
    Positions,
    /// The same, but it is faster where it reads whole words.
    FasterByWords,
    /// It reads whole words, and does with nothing less.
    Words,
    /// The output and all inputs lie alike: every byte from the first to the last is a term.
    Alike,
    /// The first input is read position by position; the second becomes weights before.
    Factors,
    /// The output is the input: the same bytes.
    View,
    /// The inputs are parts of the output, side by side along an axis of height, width, channels.
    Parts(usize),
}

/// A step of an operator that the core does in several; the last one writes its output.
pub(crate) struct Part {
    pub(crate) operator: Operator,
    pub(crate) inputs: Vec<Read>,
    /// Of what it makes, which is quantized as the output is.
    pub(crate) shape: Vec<usize>,
}

/// What a part reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// An input of the operator.
    Given(usize),
    /// What an earlier part made.
    Made(usize),
}

impl Operator {
    /// Its weights.
    pub fn linear(&self) -> Option<&Linear> {
        self.known().linear()
    }

    /// Its numbers for tensors that are quantized anew.
    pub(crate) fn rescale(&mut self, rescaling: &Rescaling<'_>) -> Rescaled {
        self.known_mut().rescale(rescaling)
    }

    pub(crate) fn linear_mut(&mut self) -> Option<&mut Linear> {
        self.known_mut().linear_mut()
    }

    /// Multiplications of activations with weights or activations.
    pub(crate) fn multiplies(&self, inputs: &[&Tensor], output: &Tensor) -> u64 {
        self.known().products(inputs, output) as u64 * output.elements() as u64
    }
}
