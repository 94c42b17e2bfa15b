//! A network as a graph of integer layers.
//!
//! A [`Network`] lists [`Tensor`]s (shape, bits, zero point) and [`Layer`]s in the order they run;
//! each layer names the tensors it reads and the one it writes. Everything a layer computes is told
//! by integers: weights, biases, multipliers with a shift. Scales are there for people and for
//! importers. `docs/network.md` defines what each layer computes.
//!
//! - `layer`, `state`: the parts; `validate`: the checks of a whole network;
//! - `file`: `network.json` and the binary file beside it; `text`: how the JSON is laid out.

mod file;
mod layer;
mod state;
mod text;
mod validate;

pub use crate::basics::{
    Clamp, FileError, Kernel, Linear, MOST_BIASES, MOST_ELEMENTS, MOST_IN_ALL, MOST_LAYERS,
    MOST_NAME, MOST_WEIGHTS, Multiplier, Multipliers, NetworkError, Number, Numbers, Pads,
    Rounding, SCALES, Stored, Sums, Tensor, Window,
};
pub use crate::operators::*;
pub use file::{is_candidate, load, read, save, save_with_binary, schema};
pub use layer::Layer;
pub use state::State;
pub use text::printable;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of `network.json` that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// A quantized network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Version of the format: 1.
    pub version: u32,
    /// What it is called.
    pub name: String,
    /// The file beside this one that holds weights, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary: Option<Binary>,
    /// Tensors that are given.
    pub inputs: Vec<String>,
    /// Tensors that are asked for.
    pub outputs: Vec<String>,
    /// Every activation tensor, in any order.
    pub tensors: Vec<Tensor>,
    /// The layers, in the order they run.
    pub layers: Vec<Layer>,
    /// What is kept from run to run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<State>,
}

/// A file of weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Binary {
    /// Its name; it lies in the same folder.
    pub file: String,
    /// SHA-256 of its bytes, 64 hexadecimal digits.
    pub sha256: String,
}

impl Network {
    /// The tensor of this name.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// The tensors a layer reads; those that do not exist are left out.
    pub fn inputs_of<'a>(&'a self, layer: &'a Layer) -> impl Iterator<Item = &'a Tensor> {
        layer.inputs.iter().filter_map(|name| self.tensor(name))
    }

    /// Multiplications of activations with weights or with activations, rescaling not counted.
    pub fn multiplies(&self) -> u64 {
        self.layers.iter().map(|layer| self.layer_multiplies(layer)).sum()
    }

    /// The same of one layer.
    pub fn layer_multiplies(&self, layer: &Layer) -> u64 {
        let inputs: Vec<&Tensor> = self.inputs_of(layer).collect();
        let output = self.tensor(&layer.output);
        output.map_or(0, |output| layer.operator.multiplies(&inputs, output))
    }

    /// Weights of all layers, biases not counted.
    pub fn weights(&self) -> usize {
        let linear = self.layers.iter().filter_map(|layer| layer.operator.linear());
        linear.map(|linear| linear.weights.len()).sum()
    }
}
