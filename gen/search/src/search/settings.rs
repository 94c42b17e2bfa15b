//! What is asked for.

use super::is_width;
use crate::cost::Target;
use crate::space::{Choice, Gene, Pick, Space};
use crate::supernet::Sharing;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A search, in all that decides what it finds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// What is searched.
    pub space: Space,
    /// How weights of few bits come of those of eight.
    pub sharing: Sharing,
    /// Where it is to run.
    pub target: Target,
    /// Milliseconds that an inference may take.
    pub latency: Option<f64>,
    /// Which widths are searched.
    pub widths: Widths,
    /// What is drawn from.
    pub seed: u64,
    /// Epochs of the supernet.
    pub epochs: usize,
    /// Epochs of each point that is trained on.
    pub tuning: usize,
    /// The rate of training at its highest.
    pub rate: f64,
    /// Choices of a generation.
    pub population: usize,
    /// Generations after the first.
    pub generations: usize,
    /// Items of the validation part that each subnet is judged by, at most.
    pub judged: usize,
    /// Points that are trained on.
    pub points: usize,
    /// Threads that judge.
    pub threads: usize,
    /// Seconds between checkpoints.
    pub save_seconds: u64,
}

/// Which widths a search may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Widths {
    /// Those of the space, layer by layer.
    #[default]
    Each,
    /// The same for all layers: only the architecture is searched.
    All {
        /// Bits of weights.
        weights: u32,
        /// Bits of activations.
        activations: u32,
    },
}

impl Settings {
    /// Cycles that an inference may take.
    pub fn most_cycles(&self) -> Option<u64> {
        self.latency.map(|latency| (latency * 1e-3 * self.target.hertz as f64) as u64)
    }
}

impl Widths {
    /// The genes that are searched.
    pub(super) fn genes(self, space: &Space) -> Vec<Gene> {
        let genes = space.genes();
        match self {
            Widths::Each => genes,
            Widths::All { .. } => genes.into_iter().filter(|gene| !is_width(gene)).collect(),
        }
    }

    /// Of a choice what is searched.
    pub(super) fn narrow(self, space: &Space, choice: Choice) -> Choice {
        match self {
            Widths::Each => choice,
            Widths::All { .. } => {
                let kept = space.genes().into_iter().zip(choice.0);
                Choice(kept.filter(|(gene, _)| !is_width(gene)).map(|(_, option)| option).collect())
            }
        }
    }

    /// A choice of the whole space.
    pub(super) fn widen(self, space: &Space, choice: &Choice) -> Choice {
        let Widths::All { weights, activations } = self else { return choice.clone() };
        let mut options = choice.0.iter().copied();
        let place = |list: &[u32], bits: u32| {
            list.iter().position(|&b| b == bits).unwrap_or(list.len() - 1) as u8
        };
        let option = |gene: Gene| match gene.pick {
            Pick::WeightBits => place(&space.weight_bits, weights),
            Pick::ActivationBits => place(&space.activation_bits, activations),
            _ => options.next().unwrap_or(0),
        };
        Choice(space.genes().into_iter().map(option).collect())
    }
}
