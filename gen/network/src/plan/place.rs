//! Where tensors lie: how far apart their positions are, and at which address while they live.

use super::copies::Banks;
use super::error::{PlanError, unsupported};
use crate::graph::{Layer, Network, Operator, Pads, Tensor};
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::cnn::lower::Place;
use hwgen_designs::cnn::spec::ADDRESS_BITS;
use std::collections::HashMap;

/// Bytes that addresses reach.
pub(super) const MOST_BYTES: u64 = 1 << ADDRESS_BITS;

/// A tensor that is another's memory: its place follows from that of `owner`.
#[derive(Debug, Clone)]
struct Alias {
    owner: String,
    /// Channels before its own, in each position.
    channels: u32,
    /// Positions before its own.
    positions: u32,
}

/// Places of all tensors.
#[derive(Debug, Clone)]
pub(super) struct Places {
    places: HashMap<String, Place>,
    /// Bytes in use at most, in the bank that is used most.
    pub(super) bank_bytes: u32,
}

impl Places {
    pub(super) fn of(&self, tensor: &str) -> Place {
        self.places[tensor]
    }

    /// Lays out the tensors of a network, each in its bank.
    pub(super) fn new(
        network: &Network,
        spec: &CnnSpec,
        banks: &Banks,
    ) -> Result<Places, PlanError> {
        let aliases = aliases(network)?;
        let mut pitches = HashMap::new();
        for tensor in &network.tensors {
            let pitch = pitch(network, tensor, spec);
            let [height, width, _] = tensor.image().map(|side| side as u64);
            let needed = height * width * u64::from(pitch);
            if needed > MOST_BYTES {
                return Err(PlanError::Address { what: tensor.name.clone(), needed });
            }
            pitches.insert(tensor.name.clone(), pitch);
        }
        harmonise(network, &mut pitches);
        let root = |name: &str| {
            let (mut name, mut offset) = (name.to_owned(), 0);
            while let Some(alias) = aliases.get(&name) {
                offset += alias.channels + alias.positions * pitches[&alias.owner];
                name.clone_from(&alias.owner);
            }
            (name, offset)
        };
        let (bases, bytes) = allocate(network, spec, &pitches, &root, banks);
        if bytes > MOST_BYTES {
            return Err(PlanError::Address { what: "all tensors".into(), needed: bytes });
        }
        let place = |tensor: &Tensor| {
            let (owner, offset) = root(&tensor.name);
            let [height, width, channels] = tensor.image().map(|side| side as u32);
            let base = bases.get(&owner).map_or(0, |&base| base as u32) + offset;
            let pitch = pitches[&tensor.name];
            (tensor.name.clone(), Place { base, height, width, channels, pitch })
        };
        let places = network.tensors.iter().map(place).collect();
        Ok(Places { places, bank_bytes: bytes as u32 })
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
        Operator::AveragePool2d { .. }
        | Operator::MaxPool2d { .. }
        | Operator::Mean { .. }
        | Operator::Pad { .. }
        | Operator::Slice { .. }
        | Operator::Requantise { .. } => true,
        _ => false,
    }
}

/// Whether a layer takes no job: its output lies in its input or its inputs in its output, or it
/// is padding that convolutions read over.
pub(super) fn moves_nothing(network: &Network, layer: &Layer) -> bool {
    match layer.operator {
        Operator::Reshape | Operator::Concat { .. } => true,
        Operator::Pad { .. } => {
            let read = readers(network, &layer.output);
            let over = read.iter().all(|reader| rim(network, reader).is_some());
            over && !read.is_empty() && !network.outputs.contains(&layer.output)
        }
        _ => false,
    }
}

/// The padding before a convolution that is a layer of its own: the tensor behind it, and its rim.
pub(super) fn rim<'n>(network: &'n Network, layer: &Layer) -> Option<(&'n String, Pads)> {
    let Operator::Conv2d { .. } = layer.operator else {
        return None;
    };
    let before = network.layers.iter().find(|other| other.output == layer.inputs[0])?;
    let Operator::Pad { before: rows, after, value } = &before.operator else {
        return None;
    };
    let (&[top, left, 0], &[bottom, right, 0]) = (&rows[..], &after[..]) else {
        return None;
    };
    let x = network.tensor(&before.inputs[0])?;
    (*value == x.zero_point).then_some((&before.inputs[0], Pads { top, left, bottom, right }))
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
            Operator::Reshape | Operator::Pad { .. } if moves_nothing(network, layer) => {
                let owner = layer.inputs[0].clone();
                let alias = Alias { owner, channels: 0, positions: 0 };
                aliases.insert(layer.output.clone(), alias);
            }
            Operator::Concat { axis } => join(network, layer, *axis, &mut aliases)?,
            _ => {}
        }
    }
    Ok(aliases)
}

/// Parts of a concatenation lie in what they make: side by side in each position, or one behind the
/// other.
fn join(
    network: &Network,
    layer: &Layer,
    axis: usize,
    aliases: &mut HashMap<String, Alias>,
) -> Result<(), PlanError> {
    let whole = network.tensor(&layer.output).expect("a checked network has its tensors");
    // of height, width and channels
    let axis = axis + 3 - whole.shape.len();
    let outside: usize = whole.image()[..axis].iter().product();
    let by_channel = axis == 2 && outside > 1;
    if axis < 2 && outside > 1 {
        let instead = "join along the channels, or along the first axis";
        return Err(unsupported(&layer.name, "it joins rows of several lines", instead));
    }
    let (mut channels, mut positions) = (0, 0);
    for input in &layer.inputs {
        let alias = Alias { owner: layer.output.clone(), channels, positions };
        let given = by_channel && network.inputs.contains(input);
        if given || aliases.insert(input.clone(), alias).is_some() {
            let what = format!("`{input}` would have to be copied");
            return Err(unsupported(&layer.name, what, "join what layers make, each once"));
        }
        let Some(tensor) = network.tensor(input) else {
            continue;
        };
        let [height, width, own] = tensor.image().map(|side| side as u32);
        match axis {
            2 => channels += own,
            _ => positions += height * width,
        }
    }
    Ok(())
}

/// Addresses: each tensor the lowest of its bank that is free from the layer that makes it to the last that
/// reads it.
fn allocate(
    network: &Network,
    spec: &CnnSpec,
    pitches: &HashMap<String, u32>,
    root: &impl Fn(&str) -> (String, u32),
    banks: &Banks,
) -> (HashMap<String, u64>, u64) {
    struct Life {
        name: String,
        from: usize,
        to: usize,
        bytes: u64,
    }
    let mut lives: Vec<Life> = vec![];
    let mut touch = |tensor: &str, when: usize| {
        let (owner, _) = root(tensor);
        let Some(shape) = network.tensor(tensor) else {
            return;
        };
        let [height, width, _] = shape.image().map(|side| side as u64);
        let bytes = height * width * u64::from(pitches[tensor]);
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

    let mut banked: [Vec<(u64, u64, usize, usize)>; 2] = [vec![], vec![]];
    let (mut bases, mut most) = (HashMap::new(), 0);
    for life in &lives {
        let bank = banks.of(&life.name);
        let placed = &mut banked[bank];
        let bytes = life.bytes.next_multiple_of(spec.lanes.into());
        let meets = |other: &&(u64, u64, usize, usize)| other.2 <= life.to && life.from <= other.3;
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
        bases.insert(life.name.clone(), base + bank as u64 * u64::from(spec.bank_bytes()));
        most = most.max(base + bytes);
    }
    (bases, most)
}
