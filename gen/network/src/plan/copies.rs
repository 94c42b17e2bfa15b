//! What the core needs done to a network first: copies of tensors that would have to lie in two
//! places, and, where memories have one port, a bank for every tensor.

use super::error::{PlanError, unsupported};
use super::place::moves_nothing;
use crate::graph::{Clamp, Layer, Multiplier, Network, Operator, Rounding, Tensor};
use hwgen_designs::cnn::CnnSpec;
use std::collections::{HashMap, HashSet};

/// A network with its copies, and the banks of its tensors.
pub(super) struct Prepared {
    pub(super) network: Network,
    pub(super) banks: Banks,
}

/// The bank of each tensor; the first where there is but one.
#[derive(Debug, Default)]
pub(super) struct Banks(HashMap<String, usize>);

impl Banks {
    pub(super) fn of(&self, tensor: &str) -> usize {
        self.0.get(tensor).copied().unwrap_or(0)
    }
}

/// Adds copies where they are needed.
pub(super) fn prepared(network: &Network, spec: &CnnSpec) -> Result<Prepared, PlanError> {
    let network = joined(network);
    match spec.single_port {
        false => Ok(Prepared { network, banks: Banks::default() }),
        true => banked(&network),
    }
}

/// A layer that copies `tensor`, and what it makes.
fn copy(network: &mut Network, tensor: &str) -> Layer {
    let taken = |name: &str| network.tensors.iter().any(|tensor| tensor.name == name);
    let mut name = format!("copy of {tensor}");
    while taken(&name) {
        name.push('\'');
    }
    let from = network.tensor(tensor).expect("a checked network has its tensors");
    let made = Tensor { name: name.clone(), ..from.clone() };
    let operator =
        Operator::Requantise { multiplier: ONE, rounding: Rounding::Twice, clamp: Clamp::of(from) };
    network.tensors.push(made);
    Layer { name: name.clone(), inputs: vec![tensor.into()], output: name, operator }
}

/// A multiplier of 1.
const ONE: Multiplier = Multiplier { mantissa: 1 << 30, shift: 1 };

/// Parts of a concatenation lie in it: what cannot, because it lies elsewhere already or is
/// written with what stands between its positions, is copied there.
fn joined(network: &Network) -> Network {
    let mut prepared = Network { layers: vec![], ..network.clone() };
    // what lies in another tensor's memory, and what is written from its first byte to its last
    let mut elsewhere = HashSet::new();
    let mut whole: HashSet<String> = network.inputs.iter().cloned().collect();
    for layer in &network.layers {
        let mut layer = layer.clone();
        match layer.operator {
            Operator::Reshape | Operator::Pad { .. } if moves_nothing(network, &layer) => {
                elsewhere.insert(layer.output.clone());
            }
            Operator::Add { .. } => {
                whole.insert(layer.output.clone());
            }
            Operator::Concat { axis } => {
                let made =
                    network.tensor(&layer.output).expect("a checked network has its tensors");
                let positions: usize = made.shape[..axis].iter().product();
                let last = axis + 1 == made.shape.len();
                let side_by_side = last && positions > 1;
                for input in &mut layer.inputs {
                    let spills = side_by_side && whole.contains(input);
                    if !elsewhere.insert(input.clone()) || spills {
                        let copy = copy(&mut prepared, input);
                        input.clone_from(&copy.output);
                        prepared.layers.push(copy);
                    }
                }
            }
            _ => {}
        }
        prepared.layers.push(layer);
    }
    prepared
}

/// A job reads one bank and writes the other: tensors alternate, and one that is in the wrong bank
/// is copied.
fn banked(network: &Network) -> Result<Prepared, PlanError> {
    let mut prepared = Network { layers: vec![], ..network.clone() };
    let mut banks = Banks::default();
    let owners = owners(network);
    let owner = |name: &str| owners.get(name).cloned().unwrap_or_else(|| name.to_owned());
    let mut owned: HashMap<String, usize> =
        network.inputs.iter().map(|input| (owner(input), 0)).collect();
    for layer in &network.layers {
        let mut layer = layer.clone();
        if !moves_nothing(network, &layer) {
            // the second factor of a product is read before
            let read =
                if let Operator::MatMul { .. } = layer.operator { 1 } else { layer.inputs.len() };
            let from = owned.get(&owner(&layer.inputs[0])).copied().unwrap_or(0);
            let to = *owned.entry(owner(&layer.output)).or_insert(1 - from);
            for input in &mut layer.inputs[..read] {
                if owned.get(&owner(input)).copied().unwrap_or(0) != to {
                    continue;
                }
                let pads = |other: &&Layer| {
                    other.output == *input && matches!(other.operator, Operator::Pad { .. })
                };
                let before = network.layers.iter().find(pads);
                if before.is_some_and(|pad| moves_nothing(network, pad)) {
                    let what = format!("`{input}` is padding in the bank of its output");
                    return Err(unsupported(
                        &layer.name,
                        what,
                        "set the core's `single_port` to false",
                    ));
                }
                let copy = copy(&mut prepared, input);
                input.clone_from(&copy.output);
                banks.0.insert(copy.output.clone(), 1 - to);
                prepared.layers.push(copy);
            }
        }
        prepared.layers.push(layer);
    }
    for tensor in &network.tensors {
        let bank = owned.get(&owner(&tensor.name)).copied().unwrap_or(0);
        banks.0.insert(tensor.name.clone(), bank);
    }
    Ok(Prepared { network: prepared, banks })
}

/// The tensor in whose memory each lies that moves nothing.
fn owners(network: &Network) -> HashMap<String, String> {
    let mut next: HashMap<&str, &str> = HashMap::new();
    for layer in &network.layers {
        match layer.operator {
            Operator::Reshape | Operator::Pad { .. } if moves_nothing(network, layer) => {
                next.insert(&layer.output, &layer.inputs[0]);
            }
            Operator::Concat { .. } => {
                next.extend(layer.inputs.iter().map(|input| (&input[..], &layer.output[..])));
            }
            _ => {}
        }
    }
    let owner = |name: &str| {
        let mut name = name;
        while let Some(&owner) = next.get(name) {
            name = owner;
        }
        name.to_owned()
    };
    network.tensors.iter().map(|tensor| (tensor.name.clone(), owner(&tensor.name))).collect()
}
