//! How a training goes: nothing in it depends on what was before a step, so that it may go on anywhere.

use super::Gated;
use crate::space::{Choice, Space};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How long, how fast, and which subnets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// What is drawn from.
    pub seed: u64,
    /// How often each item is seen.
    pub epochs: usize,
    /// Items of a step.
    pub batch: usize,
    /// Parts of a batch, each with statistics, and while a supernet is trained a subnet, of its own: a thread each.
    pub shards: usize,
    /// The rate at its highest.
    pub rate: f64,
    /// How much of each weight goes with each step.
    pub decay: f64,
    /// How much of a label is spread over all classes.
    pub smoothing: f32,
    /// The only subnet; without one each shard draws its own.
    pub only: Option<Choice>,
    /// Weights stay as they are.
    pub frozen: bool,
    /// How gates are trained, all in one; without it subnets are drawn.
    pub gated: Option<Gated>,
}

impl Schedule {
    /// What serves most.
    pub fn new(seed: u64, epochs: usize) -> Schedule {
        Schedule {
            seed,
            epochs,
            batch: 64,
            shards: 2,
            rate: 0.1,
            decay: 1e-4,
            smoothing: 0.05,
            only: None,
            frozen: false,
            gated: None,
        }
    }

    /// The rate of a step: up within the first twentieth, then down along half a cosine.
    pub fn rate(&self, step: usize, steps: usize) -> f64 {
        let (step, steps) = (step as f64, steps as f64);
        let warm = (steps / 20.0).max(1.0);
        let rest = (step - warm).max(0.0) / (steps - warm).max(1.0);
        let rise = ((step + 1.0) / warm).min(1.0);
        self.rate * rise * (0.5 + 0.5 * (std::f64::consts::PI * rest.min(1.0)).cos())
    }
}

/// A step's subnets, one a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// Each shard's.
    pub choices: Vec<Choice>,
}

impl Draw {
    /// Those of a step: every fourth step the largest and the smallest lead, so that what lies between is held from
    /// both ends (the sandwich rule, arXiv 1903.05134, spread over steps).
    pub fn of(schedule: &Schedule, space: &Space, step: usize) -> Draw {
        if let Some(only) = &schedule.only {
            return Draw { choices: vec![only.clone(); schedule.shards] };
        }
        if schedule.gated.is_some() {
            return Draw { choices: vec![space.largest(); schedule.shards] };
        }
        let genes = space.genes();
        let mut rng = ChaCha8Rng::seed_from_u64(schedule.seed ^ 0x5eed);
        rng.set_stream(step as u64);
        let mut any =
            || Choice(genes.iter().map(|gene| rng.random_range(0..gene.options) as u8).collect());
        let choice = |n: usize| match (step % 4, n) {
            (0, 0) => space.largest(),
            (0, 1) => space.smallest(),
            _ => any(),
        };
        Draw { choices: (0..schedule.shards).map(choice).collect() }
    }
}
