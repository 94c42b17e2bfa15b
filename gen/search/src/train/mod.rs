//! Training: of a supernet by subnets drawn at random, and of one subnet alone.
//!
//! - `plan`: how long, how fast, which subnets; `step`: a batch in shards, each a thread's, whose gradients are
//!   summed in their order; `learn`: what becomes of a gradient; `checkpoint`: all of it in a file; `evaluate`:
//!   statistics and accuracy.

mod checkpoint;
mod evaluate;
mod gated;
mod learn;
mod plan;
mod step;

pub use checkpoint::{CheckpointError, read_numbers};
pub(crate) use checkpoint::{MOST, digest};
pub(crate) use evaluate::{BATCH, highest};
pub use evaluate::{Judge, Verdicts};
pub use gated::{Gated, Slopes};
pub use plan::{Draw, Schedule};
pub(crate) use step::shared_out;

use crate::space::{SpaceError, Subnet};
use crate::supernet::Supernet;
use hwgen_data::{Augment, Batch, Batches, DataError, Subset};
use learn::Learner;
use step::Shard;
use thiserror::Error;

/// A supernet and where its training stands.
pub struct Trainer {
    /// The supernet.
    pub supernet: Supernet,
    /// How it is trained.
    pub schedule: Schedule,
    /// Steps that are done.
    pub step: usize,
    data: Training,
    learner: Learner,
    met: gated::Met,
    /// The digest of the numbers it began with.
    begun: String,
}

/// What is trained on.
#[derive(Debug, Clone)]
pub struct Training {
    /// The items.
    pub items: Subset,
    /// How they are varied.
    pub augment: Augment,
}

/// Why there is no step.
#[derive(Debug, Error)]
pub enum TrainError {
    /// A choice of another space.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// Items that cannot be varied so.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Fewer items than shards.
    #[error("{items} items to train on, for a batch in {shards} shards; more are needed")]
    Few {
        /// How many there are.
        items: usize,
        /// Shards of a batch.
        shards: usize,
    },
    /// Nothing that is a number comes out any more.
    #[error("step {step}: the loss is no number; a lower rate than {rate} may do")]
    Diverged {
        /// When.
        step: usize,
        /// The rate at its highest.
        rate: f64,
    },
}

impl Trainer {
    /// Begins.
    pub fn new(supernet: Supernet, schedule: Schedule, data: Training) -> Trainer {
        let mut supernet = supernet;
        if schedule.gated.is_some() {
            supernet.add_thresholds();
        }
        let learner = Learner::new(&supernet.numbers);
        let begun = supernet.numbers.digest();
        Trainer { supernet, schedule, step: 0, data, learner, met: gated::Met::default(), begun }
    }

    /// Steps of an epoch: each item once, but for the rest of a batch.
    pub fn steps_an_epoch(&self) -> usize {
        (self.data.items.len() / self.schedule.batch).max(1)
    }

    /// Steps in all.
    pub fn steps(&self) -> usize {
        self.steps_an_epoch() * self.schedule.epochs
    }

    /// Whether all is done.
    pub fn is_done(&self) -> bool {
        self.step >= self.steps()
    }

    /// A step; what it lost.
    ///
    /// # Errors
    /// A choice of another space, items that do not do, or a loss that is no number.
    pub fn advance(&mut self) -> Result<f32, TrainError> {
        let space = &self.supernet.space;
        let draw = Draw::of(&self.schedule, space, self.step);
        let subnets: Vec<Subnet> =
            draw.choices.iter().map(|choice| space.subnet(choice)).collect::<Result<_, _>>()?;
        let batch = self.batch()?;
        let share = batch.labels.len() / subnets.len();
        if share == 0 {
            let (items, shards) = (batch.labels.len(), subnets.len());
            return Err(TrainError::Few { items, shards });
        }
        let slopes = match &self.schedule.gated {
            Some(gated) => Some((self.met.slopes(&self.supernet, gated)?, gated.weight)),
            None => None,
        };
        let items = |n: usize| n * share..(n + 1) * share;
        let shards: Vec<Shard<'_>> = subnets
            .into_iter()
            .enumerate()
            .map(|(n, subnet)| Shard::new(&self.supernet, subnet, &batch, items(n)))
            .collect();
        let (loss, gradients) = step::gradients(&shards, self.schedule.smoothing, slopes.as_ref());
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step: self.step, rate: self.schedule.rate });
        }
        let rate = self.schedule.rate(self.step, self.steps());
        self.learner.learn(&mut self.supernet.numbers, gradients, rate, &self.schedule);
        self.step += 1;
        Ok(loss)
    }

    fn batch(&self) -> Result<Batch, TrainError> {
        let steps = self.steps_an_epoch();
        let (epoch, n) = (self.step / steps, self.step % steps);
        let Schedule { batch, seed, .. } = self.schedule;
        let batches =
            Batches::epoch(&self.data.items, batch, &self.data.augment, seed, epoch as u32)?;
        let few = TrainError::Few { items: self.data.items.len(), shards: self.schedule.shards };
        batches.starting_at(n).next().ok_or(few)
    }
}
