//! The loss of HQNAS: cross entropy and the logarithm of cycles, for gates that are trained.
//!
//! Cycles come from the planner. **Our definition** of their slope: what each gate alone would change, for the choice
//! that stands, as a share of its cycles. It is taken anew whenever the choice changes, so it does not drift; what it
//! leaves out is how two changes go together, and `error` measures that.

use crate::cost::Target;
use crate::space::{Choice, SpaceError};
use crate::supernet::{Gates, Supernet};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How gates are trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gated {
    /// How much the logarithm of cycles counts beside cross entropy.
    pub weight: f32,
    /// Where cycles are counted.
    pub target: Target,
}

/// What each gate changes, as a share of all cycles: by gene, by option but the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Slopes {
    /// Cycles of the choice.
    pub cycles: f64,
    /// The shares.
    pub shares: Vec<Vec<f32>>,
}

impl Slopes {
    /// Those of a choice.
    ///
    /// # Errors
    /// A choice of another space.
    pub fn of(supernet: &Supernet, target: &Target, choice: &Choice) -> Result<Slopes, SpaceError> {
        let cycles = |choice: &Choice| -> Result<f64, SpaceError> {
            let subnet = supernet.space.subnet(choice)?;
            let cost = target.cost(supernet, &subnet);
            Ok(cost.map_or(f64::INFINITY, |cost| cost.cycles as f64))
        };
        let here = cycles(choice)?;
        let mut shares = Vec::new();
        for (n, gene) in supernet.space.genes().iter().enumerate() {
            let at = |option: usize| {
                let mut other = choice.clone();
                other.0[n] = option as u8;
                cycles(&other)
            };
            let share = |option: usize| -> Result<f32, SpaceError> {
                let open = usize::from(choice.0[n]) >= option;
                let change = if open { here - at(option - 1)? } else { at(option)? - here };
                let share = (change / here) as f32;
                Ok(if share.is_finite() { share } else { 0.0 })
            };
            shares.push((1..gene.options).map(share).collect::<Result<_, _>>()?);
        }
        Ok(Slopes { cycles: here, shares })
    }

    /// Cycles of another choice, as the slopes have them.
    pub fn cycles(&self, from: &Choice, to: &Choice) -> f64 {
        let changes = self.shares.iter().zip(from.0.iter().zip(&to.0));
        let change = changes.map(|(shares, (&from, &to))| {
            let between = usize::from(from.min(to))..usize::from(from.max(to));
            let sum: f32 = shares[between].iter().sum();
            f64::from(if to < from { -sum } else { sum })
        });
        self.cycles * (1.0 + change.sum::<f64>()).max(0.0)
    }

    /// What is lost by cycles, as far as gates change it.
    pub(super) fn penalty(&self, gates: &Gates<'_>, weight: f32) -> Option<Tensor<1>> {
        let terms = gates.all().zip(&self.shares).flat_map(|((_, gates), shares)| {
            gates.iter().zip(shares).map(|(gate, &share)| gate.clone() * (share * weight))
        });
        terms.reduce(|sum, term| sum + term)
    }
}

/// Slopes of choices that were met.
#[derive(Debug, Default)]
pub(super) struct Met(BTreeMap<Choice, Slopes>);

impl Met {
    pub(super) fn slopes(
        &mut self,
        supernet: &Supernet,
        gated: &Gated,
    ) -> Result<Slopes, SpaceError> {
        let choice = supernet.gated();
        if let Some(slopes) = self.0.get(&choice) {
            return Ok(slopes.clone());
        }
        let slopes = Slopes::of(supernet, &gated.target, &choice)?;
        self.0.insert(choice, slopes.clone());
        Ok(slopes)
    }
}
