//! From a choice to integers.

use super::{Progress, Search, SearchError, Stage, TUNING_RATE};
use crate::cost::Cost;
use crate::evolve::Individual;
use crate::integers::{self, IntegerError};
use crate::space::Subnet;
use crate::supernet::Supernet;
use crate::train::{BATCH, Judge, Schedule, Verdicts, highest, shared_out};
use hwgen_data::Subset;
use hwgen_network::graph::Network;
use hwgen_network::interpret::Interpreter;
use hwgen_network::policy::Policy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a network of integers and what it was trained as agree, on the same items.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Agreement {
    /// Items.
    pub items: usize,
    /// The share that real numbers get right.
    pub real: f64,
    /// The share that integers get right.
    pub integer: f64,
    /// The share of items for which both have the same highest score.
    pub same: f64,
}

/// A point that is done.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Which.
    pub individual: Individual,
    /// Its layers.
    pub subnet: Subnet,
    /// What it costs.
    pub cost: Cost,
    /// Multipliers that its core was allowed: fewer than those of the target if the device has no room for them.
    pub multipliers: u32,
    /// Its integers.
    pub network: Network,
    /// Its widths.
    pub policy: Policy,
    /// On the validation part.
    pub validation: Agreement,
    /// On the test, which nothing was chosen by.
    pub test: Agreement,
    /// Which items of the test it gets right, as integers.
    pub right: Vec<bool>,
}

impl Search<'_> {
    /// Trains a subnet on, and makes integers of it.
    pub(super) fn finish(
        &self,
        supernet: &Supernet,
        n: usize,
        individual: &Individual,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Finished, SearchError> {
        let settings = self.settings;
        let choice = individual.choice.clone();
        let schedule = Schedule {
            only: Some(choice.clone()),
            rate: settings.rate * TUNING_RATE,
            ..Schedule::new(settings.seed, settings.tuning)
        };
        let name = format!("point_{n}");
        let tuned = self.train(supernet.clone(), schedule, &name, Stage::Point(n), tell)?;
        let subnet = settings.space.subnet(&choice)?;
        let judge = Judge { judged: self.parts.validation.clone(), ..self.judge() };
        let statistics = judge.statistics(&tuned, &subnet);
        let network = integers::trained(&tuned, &subnet, &statistics, &judge)
            .map_err(crate::cost::CostError::from)?;
        let (cost, multipliers) = settings.target.fitted(&tuned, &subnet)?;
        let agree = |items: &Subset| -> Result<(Agreement, Vec<bool>), SearchError> {
            let parts: Vec<usize> = (0..items.len()).step_by(BATCH).collect();
            let parts = shared_out(&parts, settings.threads, |&first| {
                let part = items.pick(first..(first + BATCH).min(items.len()));
                let judge = Judge { judged: part.clone(), ..judge.clone() };
                compare(&network, &judge.verdicts(&tuned, &subnet, &statistics), &part)
            });
            let parts = parts.into_iter().collect::<Result<Vec<_>, _>>();
            Ok(agreement(parts.map_err(crate::cost::CostError::from)?))
        };
        let (validation, _) = agree(&self.parts.validation)?;
        let (test, right) = agree(&self.parts.test)?;
        let policy = policy(&subnet);
        let individual = individual.clone();
        Ok(Finished {
            individual,
            subnet,
            cost,
            multipliers,
            network,
            policy,
            validation,
            test,
            right,
        })
    }
}

/// What an item came to.
struct Compared {
    /// Real numbers and integers name the same class.
    same: bool,
    /// Real numbers name the right one.
    real: bool,
    /// Integers do.
    integer: bool,
}

/// Runs integers on the items that real numbers judged.
fn compare(
    network: &Network,
    real: &Verdicts,
    items: &Subset,
) -> Result<Vec<Compared>, IntegerError> {
    let mut interpreter = Interpreter::new(network)?;
    let mut all = Vec::new();
    for (n, (item, values)) in items.iter().zip(integers::inputs(network, items)).enumerate() {
        interpreter.run(&[&values]);
        let scores = interpreter.outputs().next().unwrap_or_default();
        let scores: Vec<f32> = scores.iter().map(|&score| f32::from(score)).collect();
        let told = highest(&scores);
        let same = told == highest(&real.scores[n]);
        all.push(Compared { same, real: real.right[n], integer: told == item.label });
    }
    Ok(all)
}

/// Shares of all items, and which of them integers get right.
fn agreement(parts: Vec<Vec<Compared>>) -> (Agreement, Vec<bool>) {
    let all: Vec<Compared> = parts.into_iter().flatten().collect();
    let share = |of: fn(&Compared) -> bool| {
        all.iter().filter(|item| of(item)).count() as f64 / all.len().max(1) as f64
    };
    let [real, integer, same] = [share(|c| c.real), share(|c| c.integer), share(|c| c.same)];
    let right = all.iter().map(|item| item.integer).collect();
    (Agreement { items: all.len(), real, integer, same }, right)
}

/// The widths of a subnet.
fn policy(subnet: &Subnet) -> Policy {
    let weights = subnet
        .nodes
        .iter()
        .filter_map(|node| node.layer.weight_bits().map(|bits| (node.name.clone(), bits)));
    Policy {
        version: 2,
        weight_bits: weights.collect(),
        activation_bits: subnet.nodes.iter().map(|node| (node.name.clone(), node.bits)).collect(),
        symmetric: true,
        multiplier_bits: Some(integers::MULTIPLIER_BITS),
        addition_shift: Some(integers::ADDITION_SHIFT),
        ..Policy::default()
    }
}
