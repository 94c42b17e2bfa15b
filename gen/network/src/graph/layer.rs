//! A layer in its place.

use super::Operator;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An operator, what it reads and what it writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Unique name.
    pub name: String,
    /// The tensors it reads: inputs of the network, or outputs of layers before it.
    pub inputs: Vec<String>,
    /// The tensor it writes; no other layer does.
    pub output: String,
    /// What it does.
    pub operator: Operator,
}
