//! `candidate.json`: a network's shapes and widths, and of its weights what is known without them.

use super::{Candidate, fill, leave_out};
use crate::basics::check::{count, within};
use crate::basics::{Clamp, Linear, MOST_LAYERS, Multiplier, NetworkError, Rounding, Tensor};
use crate::graph::{Layer, Network, Operator, State, printable};
use crate::policy::PolicyError;
use schemars::JsonSchema;
use serde::de::value::MapDeserializer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

/// The version of `candidate.json`, and the only one that is read.
pub const VERSION: u32 = 1;

/// Why there is no candidate.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum CandidateError {
    /// Another format.
    #[error("{0}")]
    Syntax(String),
    /// Another version.
    #[error("candidate of version {0}: only {VERSION} is known")]
    Version(u32),
    /// A layer that is not told as its operator is.
    #[error("layer `{layer}`: {problem}")]
    Layer {
        /// The layer.
        layer: String,
        /// What the reader said.
        problem: String,
    },
    /// Shapes, widths or names that do not go together.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A policy that does not fit.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// What is known of weights without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// None is the least of its bits: -127 to 127, not -128.
    pub symmetric: bool,
    /// The largest sum of an output's weights without their signs; all are farthest from 0 without.
    pub magnitude: Option<u32>,
    /// The largest bias without its sign.
    pub bias: u32,
}

/// The file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Version of the format: 1.
    candidate: u32,
    /// What it is called.
    #[serde(default)]
    name: String,
    /// Bits, 15 to 31, of all multipliers that are left out.
    #[serde(default = "thirty_one")]
    multiplier_bits: u32,
    /// Tensors that are given.
    inputs: Vec<String>,
    /// Tensors that are asked for.
    outputs: Vec<String>,
    /// Every activation tensor, in any order.
    tensors: Vec<Activations>,
    /// The layers, in the order they run.
    layers: Vec<Unweighted>,
    /// What is kept from run to run.
    #[serde(default)]
    states: Vec<State>,
}

/// A tensor; no scale is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Activations {
    /// Unique name.
    name: String,
    /// Height, width, channels of an image; rows, columns of a matrix; length of a vector.
    shape: Vec<usize>,
    /// Bits of an element, 2 to 8.
    #[serde(default = "eight")]
    bits: u32,
    /// Two's complement; else it counts from 0.
    #[serde(default = "yes")]
    signed: bool,
    /// The integer that stands for 0.
    #[serde(default)]
    zero_point: i32,
}

/// A layer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Unweighted {
    /// Unique name.
    name: String,
    /// The tensors it reads: inputs of the network, or outputs of layers before it.
    inputs: Vec<String>,
    /// The tensor it writes; no other layer does.
    output: String,
    /// As in `network.json`, but that `linear` has no numbers, and multipliers, bounds and tables may be
    /// left out.
    #[schemars(with = "Operator")]
    operator: Map<String, Value>,
}

/// `linear` of a layer whose weights nobody knows.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Weightless {
    /// Bits of a weight, 2 to 8.
    bits: u32,
    /// Only so many top bits of each weight of eight bits are read.
    #[serde(default)]
    shared: Option<u32>,
    /// None is the least of its bits: -127 to 127, not -128. Lanes of two weights ask for it.
    #[serde(default = "yes")]
    symmetric: bool,
    /// The largest sum of an output's weights without their signs, where it is known; as many times the
    /// largest weight as there are without.
    #[serde(default)]
    magnitude: Option<u32>,
    /// The largest bias without its sign.
    #[serde(default)]
    bias: u32,
    /// Rescaling of a sum; a factor just below 1 without.
    #[serde(default)]
    multiplier: Option<Multiplier>,
    /// How it is rounded.
    #[serde(default)]
    rounding: Rounding,
    /// Bounds of the result; those of the output without.
    #[serde(default)]
    clamp: Option<Clamp>,
}

fn thirty_one() -> u32 {
    31
}

fn eight() -> u32 {
    8
}

fn yes() -> bool {
    true
}

impl Candidate {
    /// Reads and checks a candidate.
    ///
    /// # Errors
    /// The first fault.
    pub fn read(text: &str) -> Result<Candidate, CandidateError> {
        let file: File = serde_json::from_str(text).map_err(syntax)?;
        file.candidate()
    }

    /// The same of JSON that was read.
    ///
    /// # Errors
    /// The first fault.
    pub fn from_json(value: &Value) -> Result<Candidate, CandidateError> {
        File::deserialize(value).map_err(syntax)?.candidate()
    }
}

#[allow(clippy::needless_pass_by_value)] // as `map_err` gives it
fn syntax(error: serde_json::Error) -> CandidateError {
    CandidateError::Syntax(printable(&error.to_string()))
}

impl File {
    fn candidate(self) -> Result<Candidate, CandidateError> {
        if self.candidate != VERSION {
            return Err(CandidateError::Version(self.candidate));
        }
        within("network", "multiplier_bits", self.multiplier_bits.into(), 15, 31)?;
        // before anything is filled in, which makes them larger
        count("network", "tensors", self.tensors.len(), MOST_LAYERS)?;
        count("network", "layers", self.layers.len(), MOST_LAYERS)?;
        let tensor = |Activations { name, shape, bits, signed, zero_point }: Activations| Tensor {
            name,
            shape,
            bits,
            signed,
            scale: 1.0,
            zero_point,
            sums: None,
        };
        let tensors: Vec<Tensor> = self.tensors.into_iter().map(tensor).collect();
        // what is filled in is told by them
        tensors.iter().try_for_each(Tensor::check)?;
        let filler = fill::Filler::new(&tensors, self.multiplier_bits);
        let (mut layers, mut known) = (vec![], vec![]);
        for (n, layer) in self.layers.into_iter().enumerate() {
            let (layer, of_weights) = layer.filled(&filler, n)?;
            layers.push(layer);
            known.push(of_weights);
        }
        let network = Network {
            version: crate::graph::VERSION,
            name: self.name,
            binary: None,
            inputs: self.inputs,
            outputs: self.outputs,
            tensors,
            layers,
            states: self.states,
        };
        Ok(Candidate::new(network, known)?)
    }
}

impl Unweighted {
    fn filled(
        self,
        filler: &fill::Filler<'_>,
        n: usize,
    ) -> Result<(Layer, Option<Known>), CandidateError> {
        let Unweighted { name, inputs, output, mut operator } = self;
        let fault = |error: serde_json::Error| {
            let (layer, problem) = (printable(&name), printable(&error.to_string()));
            CandidateError::Layer { layer, problem }
        };
        let linear = operator.remove("linear").map(Weightless::deserialize);
        let linear = linear.transpose().map_err(fault)?;
        filler.fill(&mut operator, (&inputs, &output), n);
        if linear.is_some() {
            operator.insert("linear".into(), filler.placeholder());
        }
        let kind = operator.remove("kind").map(|kind| ("kind".to_owned(), kind));
        // it is read as it comes if its kind is known
        let fields = MapDeserializer::new(kind.into_iter().chain(operator));
        let mut operator = Operator::deserialize(fields).map_err(fault)?;
        let known = linear.zip(operator.linear_mut()).map(|(weightless, linear)| {
            weightless.put(linear, (filler.clamp(&output), filler.multiplier()))
        });
        Ok((Layer { name, inputs, output, operator }, known))
    }
}

impl Weightless {
    /// A layer's numbers as far as they are known.
    fn put(self, linear: &mut Linear, (clamp, multiplier): (Clamp, Multiplier)) -> Known {
        let Weightless { bits, shared, rounding, symmetric, magnitude, bias, .. } = self;
        *linear =
            Linear { bits, shared, rounding, clamp: self.clamp.unwrap_or(clamp), ..linear.clone() };
        leave_out(linear, self.multiplier.unwrap_or(multiplier));
        Known { symmetric, magnitude, bias }
    }
}
