//! Where tensors lie: how far apart their positions are, and at which address while they live.

use super::error::{PlanError, unsupported};
use crate::graph::{Layer, Network, Operator, Tensor};
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::cnn::lower::Place;
use std::collections::HashMap;

/// A tensor that is another's memory: its place follows from that of `owner`.
#[derive(Debug, Clone)]
struct Alias {
    owner: String,
    /// Bytes behind the owner's base.
    offset: u32,
}

/// Places of all tensors.
#[derive(Debug, Clone)]
pub(super) struct Places {
    places: HashMap<String, Place>,
    /// Bytes in use at most.
    pub(super) bytes: u32,
}

impl Places {
    pub(super) fn of(&self, tensor: &str) -> Place {
        self.places[tensor]
    }

    /// Lays out the tensors of a network.
    pub(super) fn new(network: &Network, spec: &CnnSpec) -> Result<Places, PlanError> {
        let aliases = aliases(network)?;
        let mut pitches = HashMap::new();
        for tensor in &network.tensors {
            let pitch = pitch(network, tensor, spec);
            pitches.insert(tensor.name.clone(), pitch);
        }
        harmonise(network, &mut pitches);
        let root = |name: &str| {
            let (mut name, mut offset) = (name.to_owned(), 0);
            while let Some(alias) = aliases.get(&name) {
                offset += alias.offset;
                name.clone_from(&alias.owner);
            }
            (name, offset)
        };
        let (bases, bytes) = allocate(network, spec, &pitches, &root);
        let place = |tensor: &Tensor| {
            let (owner, offset) = root(&tensor.name);
            let [height, width, channels] = tensor.image().map(|side| side as u32);
            let base = bases.get(&owner).copied().unwrap_or(0) + offset;
            let pitch = pitches[&tensor.name];
            (tensor.name.clone(), Place { base, height, width, channels, pitch })
        };
        Ok(Places { places: network.tensors.iter().map(place).collect(), bytes })
    }
}

/// Layers that read a tensor.
pub(super) fn readers<'n>(network: &'n Network, tensor: &str) -> Vec<&'n Layer> {
    let reads = |layer: &&Layer| layer.inputs.iter().any(|input| input == tensor);
    network.layers.iter().filter(reads).collect()
}

/// Whether a layer sees each channel alone.
pub(super) fn is_depthwise(layer: &Layer, input: &Tensor, output: &Tensor) -> bool {
    match &layer.operator {
        Operator::Conv2d { groups, .. } => {
            *groups == input.image()[2] && output.image()[2] == *groups && *groups > 1
        }
        Operator::AveragePool2d { .. } | Operator::Mean { .. } => true,
        _ => false,
    }
}

/// The tensor whose memory another one is read from, through reshapes.
pub(super) fn origin<'n>(network: &'n Network, mut name: &'n str) -> &'n str {
    while let Some(layer) = network.layers.iter().find(|layer| layer.output == name) {
        match layer.operator {
            Operator::Reshape => name = &layer.inputs[0],
            _ => break,
        }
    }
    name
}

/// Bytes between positions: as few as the channels, the results of a cycle and depthwise readers
/// allow.
fn pitch(network: &Network, tensor: &Tensor, spec: &CnnSpec) -> u32 {
    let channels = tensor.image()[2] as u32;
    if origin(network, &tensor.name) != tensor.name {
        return channels;
    }
    let depthwise = readers(network, &tensor.name).into_iter().any(|layer| {
        network.tensor(&layer.output).is_some_and(|output| is_depthwise(layer, tensor, output))
    });
    let given = network.inputs.contains(&tensor.name);
    match (depthwise, given) {
        (true, _) => channels.next_multiple_of(spec.lanes),
        (false, true) if channels < spec.results => channels.next_power_of_two(),
        (false, _) => channels.next_multiple_of(spec.results),
    }
}

/// Tensors that share memory have one pitch, as have the terms and the sum of an addition.
fn harmonise(network: &Network, pitches: &mut HashMap<String, u32>) {
    let joins =
        |layer: &&Layer| matches!(layer.operator, Operator::Add { .. } | Operator::Concat { .. });
    let mut changed = true;
    while changed {
        changed = false;
        for layer in network.layers.iter().filter(joins) {
            let names: Vec<_> = layer.inputs.iter().chain([&layer.output]).collect();
            let most = names.iter().map(|name| pitches[*name]).max().unwrap_or(0);
            for name in names {
                changed |= pitches.insert(name.clone(), most) != Some(most);
            }
        }
    }
}

/// Reshapes and concatenations move nothing.
fn aliases(network: &Network) -> Result<HashMap<String, Alias>, PlanError> {
    let mut aliases = HashMap::new();
    for layer in &network.layers {
        match &layer.operator {
            Operator::Reshape => {
                let owner = layer.inputs[0].clone();
                aliases.insert(layer.output.clone(), Alias { owner, offset: 0 });
            }
            Operator::Pad { .. } => {
                let owner = layer.inputs[0].clone();
                aliases.insert(layer.output.clone(), Alias { owner, offset: 0 });
            }
            Operator::Concat { axis } => {
                let rank = network.tensor(&layer.output).map_or(0, |tensor| tensor.shape.len());
                if axis + 1 != rank {
                    let what = format!("it joins along axis {axis}");
                    return Err(unsupported(&layer.name, what, "join along the channels"));
                }
                let mut offset = 0;
                for input in &layer.inputs {
                    let alias = Alias { owner: layer.output.clone(), offset };
                    if aliases.insert(input.clone(), alias).is_some()
                        || network.inputs.contains(input)
                    {
                        let what = format!("`{input}` would have to be copied");
                        return Err(unsupported(&layer.name, what, "join what layers make"));
                    }
                    let tensor = network.tensor(input);
                    offset += tensor.map_or(0, |tensor| tensor.image()[2] as u32);
                }
            }
            _ => {}
        }
    }
    Ok(aliases)
}

/// Addresses: each tensor the lowest that is free from the layer that makes it to the last that
/// reads it.
fn allocate(
    network: &Network,
    spec: &CnnSpec,
    pitches: &HashMap<String, u32>,
    root: &impl Fn(&str) -> (String, u32),
) -> (HashMap<String, u32>, u32) {
    struct Life {
        name: String,
        from: usize,
        to: usize,
        bytes: u32,
    }
    let mut lives: Vec<Life> = vec![];
    let mut touch = |tensor: &str, when: usize| {
        let (owner, _) = root(tensor);
        let Some(shape) = network.tensor(tensor) else {
            return;
        };
        let [height, width, _] = shape.image().map(|side| side as u32);
        let bytes = height * width * pitches[tensor];
        match lives.iter_mut().find(|life| life.name == owner) {
            Some(life) => {
                life.to = life.to.max(when);
                life.bytes = life.bytes.max(bytes);
            }
            None => lives.push(Life { name: owner, from: when, to: when, bytes }),
        }
    };
    network.inputs.iter().for_each(|input| touch(input, 0));
    for (at, layer) in network.layers.iter().enumerate() {
        layer.inputs.iter().for_each(|input| touch(input, at + 1));
        touch(&layer.output, at + 1);
    }
    network.outputs.iter().for_each(|output| touch(output, network.layers.len() + 1));

    let mut placed: Vec<(u32, u32, usize, usize)> = vec![];
    let (mut bases, mut most) = (HashMap::new(), 0);
    for life in &lives {
        let bytes = life.bytes.next_multiple_of(spec.lanes);
        let meets = |other: &&(u32, u32, usize, usize)| other.2 <= life.to && life.from <= other.3;
        let mut busy: Vec<_> = placed.iter().filter(meets).map(|p| (p.0, p.1)).collect();
        busy.sort_unstable();
        let mut base = 0;
        for (start, end) in busy {
            if base + bytes <= start {
                break;
            }
            base = base.max(end);
        }
        placed.push((base, base + bytes, life.from, life.to));
        bases.insert(life.name.clone(), base);
        most = most.max(base + bytes);
    }
    (bases, most)
}
