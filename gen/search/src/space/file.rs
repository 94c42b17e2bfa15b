//! `space.json`.

use super::Layer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A search space: `docs/search.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Space {
    /// Version of the format: 1.
    pub version: u32,
    /// What it is called.
    pub name: String,
    /// Height, width and channels that go in.
    pub input: [usize; 3],
    /// Classes that are told apart.
    pub classes: usize,
    /// Bits that weights may have, ascending: 2, 3, 4, 8.
    pub weight_bits: Vec<u32>,
    /// Bits that activations may have, ascending: 4, 7, 8.
    pub activation_bits: Vec<u32>,
    /// The blocks, in order. A mean over all pixels and a dense layer follow.
    pub blocks: Vec<Block>,
}

/// A part of the network, and what may be chosen of it. Options ascend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// What its layers' names begin with.
    pub name: String,
    /// What it is made of.
    pub kind: Kind,
    /// Rows and columns of its kernel; the smaller lie in the middle of the largest.
    #[serde(default = "one_kernel")]
    pub kernels: Vec<[usize; 2]>,
    /// Steps of its kernel.
    #[serde(default = "ones")]
    pub stride: [usize; 2],
    /// Channels that come out; none: as many as go in, which are added.
    #[serde(default)]
    pub channels: Vec<usize>,
    /// How many times the channels that go in lie between (`inverted`), or how many (`bottleneck`).
    #[serde(default)]
    pub expansions: Vec<usize>,
    /// It may be left out: only where as many channels come out as go in.
    #[serde(default)]
    pub optional: bool,
}

/// What a block is made of. All convolutions are normalized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A convolution and a ReLU.
    Conv,
    /// A kernel a channel, ReLU, all channels against all, ReLU: as in DS-CNN.
    Separable,
    /// All against all, ReLU, a kernel a channel, ReLU, all against all: as in MobileNetV2.
    Inverted,
    /// All against all, ReLU, a convolution, ReLU, all against all, and the input added (or a convolution of
    /// it), ReLU: as in CENet.
    Bottleneck,
    /// A graph convolution over all pixels, added: as in CENet-GCN.
    Graph,
}

/// Why a space, or a choice in it, is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpaceError {
    /// Not such a file.
    #[error("not a space: {0}")]
    Syntax(String),
    /// A number out of its range.
    #[error("{place}: {what} {got}; it may be {range}")]
    Range {
        /// Where.
        place: String,
        /// What.
        what: &'static str,
        /// What it is.
        got: String,
        /// What it may be.
        range: String,
    },
    /// A choice of another space.
    #[error("a choice of {got} genes; space `{space}` has {expected}")]
    Genes {
        /// The space.
        space: String,
        /// How many it has.
        expected: usize,
        /// How many there are.
        got: usize,
    },
}

fn one_kernel() -> Vec<[usize; 2]> {
    vec![[1, 1]]
}

fn ones() -> [usize; 2] {
    [1, 1]
}

/// Most blocks, options of each, channels, and pixels of an image.
const MOST: usize = 64;
const MOST_CHANNELS: usize = 4096;
const MOST_SIDE: usize = 1024;

/// Most elements of what a layer puts out, and most weights of all: a checkpoint holds them and how they move.
const MOST_ELEMENTS: usize = 1 << 24;
const MOST_WEIGHTS: usize = 1 << 26;

impl Space {
    /// The JSON schema of `space.json`.
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(Space)
    }

    /// Reads `space.json`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Space, SpaceError> {
        let space: Space =
            serde_json::from_str(text).map_err(|error| SpaceError::Syntax(error.to_string()))?;
        space.check()?;
        Ok(space)
    }

    /// Checks that every choice is a network.
    ///
    /// # Errors
    /// The first number that is out of its range.
    pub fn check(&self) -> Result<(), SpaceError> {
        if self.name.is_empty() || self.name.len() > 64 || self.name.chars().any(char::is_control) {
            let range = "of 1 to 64 bytes, without control characters";
            return Err(out_of("space", "name", &self.name.escape_debug().to_string(), range));
        }
        let place = format!("space `{}`", self.name);
        within(&place, "version", self.version as usize, 1, 1)?;
        within(&place, "classes", self.classes, 2, MOST_CHANNELS)?;
        within(&place, "blocks", self.blocks.len(), 1, MOST)?;
        for side in &self.input[..2] {
            within(&place, "pixels a side", *side, 1, MOST_SIDE)?;
        }
        within(&place, "channels", self.input[2], 1, MOST_CHANNELS)?;
        ascends(&place, "weight_bits", &self.weight_bits, 2, 8)?;
        ascends(&place, "activation_bits", &self.activation_bits, 2, 8)?;
        let mut names = std::collections::HashSet::new();
        for block in &self.blocks {
            block.check()?;
            if !names.insert(&block.name) {
                return Err(out_of(&place, "blocks", &block.name, "of a name each"));
            }
        }
        self.check_layers(&place)
    }

    /// The largest subnet: no other has more names, nor larger layers.
    fn check_layers(&self, place: &str) -> Result<(), SpaceError> {
        let largest = self.subnet(&self.largest())?;
        let mut names = std::collections::HashSet::new();
        for node in &largest.nodes {
            let parts: &[&str] = match node.layer {
                Layer::Graph { .. } => &GRAPH_PARTS,
                _ => &[""],
            };
            for name in parts.iter().map(|part| format!("{}{part}", node.name)) {
                if !names.insert(name.clone()) {
                    let range = "otherwise called: two layers have this name";
                    return Err(out_of(place, "layers", &name, range));
                }
            }
            let pixels = node.image[0] * node.image[1];
            let wide = match node.layer {
                Layer::Graph { .. } => node.channels.max(pixels),
                _ => node.channels,
            };
            let place = format!("layer `{}`", node.name);
            within(&place, "elements", pixels.saturating_mul(wide), 1, MOST_ELEMENTS)?;
        }
        within(place, "weights of the largest subnet", largest.weights(), 1, MOST_WEIGHTS)
    }
}

/// What a graph convolution's tensors are called, behind its name.
const GRAPH_PARTS: [&str; 8] =
    ["", "_flat", "_theta", "_phi", "_values", "_affinity", "_shares", "_mixed"];

impl Block {
    fn check(&self) -> Result<(), SpaceError> {
        let place = format!("block `{}`", self.name);
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(plain) {
            return Err(out_of(&place, "name", &self.name, "of 1 to 64 letters, digits and _"));
        }
        within(&place, "kernels", self.kernels.len(), 1, MOST)?;
        for pair in self.kernels.windows(2) {
            if pair[0][0] > pair[1][0] || pair[0][1] > pair[1][1] || pair[0] == pair[1] {
                return Err(out_of(&place, "kernels", &format!("{:?}", self.kernels), "ascending"));
            }
        }
        for side in self.kernels.iter().chain([&self.stride]).flatten() {
            within(&place, "rows or columns", *side, 1, 31)?;
        }
        let odd = |kernel: &[usize; 2]| kernel.iter().all(|side| side % 2 == 1);
        if self.kernels.len() > 1 && !self.kernels.iter().all(odd) {
            let got = format!("{:?}", self.kernels);
            return Err(out_of(&place, "kernels", &got, "odd, so that they have one middle"));
        }
        if !self.channels.is_empty() {
            ascends(&place, "channels", &self.channels, 1, MOST_CHANNELS as u64)?;
        }
        self.check_kind(&place)
    }

    fn check_kind(&self, place: &str) -> Result<(), SpaceError> {
        let expands = matches!(self.kind, Kind::Inverted | Kind::Bottleneck);
        match expands {
            true => ascends(place, "expansions", &self.expansions, 1, 256)?,
            false => within(place, "expansions", self.expansions.len(), 0, 0)?,
        }
        let same = self.channels.is_empty() && self.stride == [1, 1];
        if (self.optional || self.kind == Kind::Graph) && !same {
            let range = "of stride 1 and without channels, where it may be left out or is a graph";
            return Err(out_of(place, "channels", &format!("{:?}", self.channels), range));
        }
        if self.kind == Kind::Graph && self.kernels != [[1, 1]] {
            let got = format!("{:?}", self.kernels);
            return Err(out_of(
                place,
                "kernels",
                &got,
                "left out where it is a graph: it has none",
            ));
        }
        Ok(())
    }
}

fn ascends<T: Copy + Ord + TryInto<u64> + std::fmt::Debug>(
    place: &str,
    what: &'static str,
    options: &[T],
    least: u64,
    most: u64,
) -> Result<(), SpaceError> {
    let ordered = options.windows(2).all(|pair| pair[0] < pair[1]);
    let fits = options
        .iter()
        .all(|&option| option.try_into().is_ok_and(|option| (least..=most).contains(&option)));
    if options.is_empty() || options.len() > MOST || !ordered || !fits {
        let range = format!("1 to {MOST} numbers of {least} to {most}, ascending");
        return Err(out_of(place, what, &format!("{options:?}"), &range));
    }
    Ok(())
}

fn within(
    place: &str,
    what: &'static str,
    got: usize,
    least: usize,
    most: usize,
) -> Result<(), SpaceError> {
    match (least..=most).contains(&got) {
        true => Ok(()),
        false => Err(out_of(place, what, &got.to_string(), &format!("{least} to {most}"))),
    }
}

fn out_of(place: &str, what: &'static str, got: &str, range: &str) -> SpaceError {
    SpaceError::Range {
        place: place.to_owned(),
        what,
        got: got.to_owned(),
        range: range.to_owned(),
    }
}
