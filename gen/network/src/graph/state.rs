//! Tensors that outlive a run.

use super::{Network, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An output of the network that is an input of its next run: the memory of a streaming model.
/// Whoever runs the network carries it over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The network's input.
    pub input: String,
    /// The network's output that the next run takes for it; alike in shape, bits, sign and zero
    /// point.
    pub output: String,
    /// The integer that all elements are in the first run.
    pub initial: i32,
}

impl Network {
    /// The inputs that come from outside: all but states.
    pub fn given(&self) -> impl Iterator<Item = &Tensor> {
        let kept = |name: &&String| self.states.iter().any(|state| state.input == **name);
        let given = self.inputs.iter().filter(move |name| !kept(name));
        given.filter_map(|name| self.tensor(name))
    }
}
