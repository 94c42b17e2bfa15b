//! What is asked for.

use crate::cost::Target;
use crate::space::Space;
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
    /// What is drawn from.
    pub seed: u64,
    /// Epochs of the supernet.
    pub epochs: usize,
    /// Epochs of each point that is trained on.
    pub tuning: usize,
    /// The rate of training at its highest.
    pub rate: f64,
    /// How much cycles count where gates are trained, one training each; none: they are not.
    pub gates: Vec<f32>,
    /// Epochs of each training of gates.
    pub gating: usize,
    /// Choices of a generation.
    pub population: usize,
    /// Generations after the first.
    pub generations: usize,
    /// Items of the validation part that each subnet is judged by, at most.
    pub judged: usize,
    /// Points that are trained on.
    pub points: usize,
    /// Subnets that are trained alone, too.
    #[serde(default, skip_serializing_if = "is_none")]
    pub alone: usize,
    /// Threads that judge.
    pub threads: usize,
    /// Seconds between checkpoints.
    pub save_seconds: u64,
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

impl Settings {
    /// Cycles that an inference may take.
    pub fn most_cycles(&self) -> Option<u64> {
        self.latency.map(|latency| (latency * 1e-3 * self.target.hertz as f64) as u64)
    }
}
