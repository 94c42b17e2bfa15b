//! The netlist that Yosys writes as JSON.

use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// All modules.
#[derive(Debug, Deserialize)]
pub(super) struct Design {
    pub(super) modules: HashMap<String, Module>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Module {
    #[serde(default)]
    pub(super) ports: BTreeMap<String, Port>,
    #[serde(default)]
    pub(super) cells: BTreeMap<String, Cell>,
    #[serde(default)]
    pub(super) netnames: BTreeMap<String, Net>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Port {
    pub(super) bits: Vec<Bit>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Net {
    #[serde(default)]
    pub(super) hide_name: u8,
    pub(super) bits: Vec<Bit>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cell {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) parameters: HashMap<String, serde_json::Value>,
    #[serde(default)]
    pub(super) connections: BTreeMap<String, Vec<Bit>>,
}

/// A net by its number in the module, or a constant: `0`, `1`, `x`, `z`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Bit {
    Net(u32),
    Constant(String),
}

impl Cell {
    /// A parameter as bits, the lowest first; `x` and `z` are 0.
    pub(super) fn bits(&self, name: &str) -> Vec<bool> {
        match self.parameters.get(name) {
            Some(serde_json::Value::String(text)) => {
                text.bytes().rev().map(|digit| digit == b'1').collect()
            }
            Some(serde_json::Value::Number(number)) => {
                let number = number.as_u64().unwrap_or_default();
                (0..64).map(|bit| number >> bit & 1 == 1).collect()
            }
            _ => vec![],
        }
    }

    /// A parameter as a number.
    pub(super) fn number(&self, name: &str) -> u64 {
        let bits = self.bits(name);
        let set = bits.iter().take(64).enumerate().filter(|(_, bit)| **bit);
        set.fold(0, |number, (position, _)| number | 1 << position)
    }
}
