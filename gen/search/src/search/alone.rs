//! Subnets trained alone: what a supernet's order of them is worth, and what a search without one would cost.

use super::{Progress, Search, SearchError, Stage, kendall};
use crate::evolve::anything;
use crate::space::Choice;
use crate::supernet::Supernet;
use crate::train::{Schedule, Trainer, Training};
use hwgen_files::SealedLines;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rustix::time::{ClockId, clock_gettime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Epochs without a better accuracy after which a subnet is done.
const PATIENCE: usize = 3;

/// Most epochs of a subnet.
pub const MOST_EPOCHS: usize = 40;

/// A tau below which a supernet's order is not to be relied on.
pub const LEAST_TAU: f64 = 0.6;

/// A subnet in the supernet and alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alone {
    /// Its number.
    pub number: usize,
    /// The subnet.
    pub choice: Choice,
    /// Its accuracy on the validation part, in the supernet.
    pub shared: f64,
    /// Its best accuracy there, trained alone until it has not risen for three epochs.
    pub alone: f64,
    /// Epochs that took.
    pub epochs: usize,
    /// Seconds of all cores that took.
    pub cpu: f64,
}

/// A line of the file of them.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// The digest of the supernet's numbers.
    of: String,
    subnet: Alone,
}

/// How a supernet orders subnets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Order {
    /// Subnets that were trained alone, too.
    pub subnets: usize,
    /// Kendall's tau of their accuracies in the supernet and alone.
    pub tau: f64,
    /// Seconds of all cores that their training took.
    pub cpu: f64,
}

impl Order {
    /// Of subnets.
    pub fn of(all: &[Alone]) -> Order {
        let list = |of: fn(&Alone) -> f64| all.iter().map(of).collect::<Vec<f64>>();
        let tau = kendall(&list(|alone| alone.shared), &list(|alone| alone.alone)).tau;
        Order { subnets: all.len(), tau, cpu: all.iter().map(|alone| alone.cpu).sum() }
    }
}

/// Seconds that all threads of this process have taken of cores.
pub fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}

impl Search<'_> {
    /// Trains as many subnets alone as was asked for, unless a file has them.
    pub(super) fn order(
        &self,
        supernet: &Supernet,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Option<Order>, SearchError> {
        let count = self.settings.alone;
        let mut all: Vec<Alone> = Vec::new();
        if count == 0 {
            return Ok(None);
        }
        let digest = supernet.numbers.digest();
        let mut lines = SealedLines::open(&self.folder.join("alone.jsonl"), |line| {
            let kept = serde_json::from_str::<Kept>(line).ok();
            all.extend(kept.filter(|kept| kept.of == digest).map(|kept| kept.subnet));
        })?;
        all.retain(|alone| alone.number < count);
        for number in 0..count {
            if all.iter().all(|alone| alone.number != number) {
                let subnet = self.alone(supernet, number, tell)?;
                let kept = Kept { of: digest.clone(), subnet };
                lines.add(&serde_json::to_string(&kept).unwrap_or_default())?;
                all.push(kept.subnet);
            }
        }
        Ok(Some(Order::of(&all)))
    }

    /// Trains a subnet alone, drawn by seed and number, and asks the supernet for it.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub fn alone(
        &self,
        supernet: &Supernet,
        number: usize,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Alone, SearchError> {
        let (choice, settings) = (self.drawn(number), self.settings);
        let subnet = settings.space.subnet(&choice)?;
        let judge = self.judge();
        let accuracy = |of: &Supernet| {
            judge.accuracies(of, std::slice::from_ref(&subnet), settings.threads)[0]
        };
        let shared = accuracy(supernet);
        let begin = cpu_seconds();
        let schedule = Schedule {
            only: Some(choice.clone()),
            rate: settings.rate,
            ..Schedule::new(settings.seed, MOST_EPOCHS)
        };
        let (items, augment) = (self.parts.train.clone(), self.augment.clone());
        let mut trainer = Trainer::new(self.fresh(), schedule, Training { items, augment });
        let (mut best, mut since, mut epochs) = (0.0f64, 0, 0);
        while since < PATIENCE && !trainer.is_done() {
            for _ in 0..trainer.steps_an_epoch() {
                let (loss, steps) = (trainer.advance()?, trainer.steps());
                tell(Progress::Training {
                    stage: Stage::Alone(number),
                    step: trainer.step,
                    steps,
                    loss,
                });
            }
            let now = accuracy(&trainer.supernet);
            epochs += 1;
            since = if now > best { 0 } else { since + 1 };
            best = best.max(now);
        }
        let cpu = cpu_seconds() - begin;
        Ok(Alone { number, choice, shared, alone: best, epochs, cpu })
    }

    fn drawn(&self, number: usize) -> Choice {
        let mut rng = ChaCha8Rng::seed_from_u64(self.settings.seed ^ 0xa10e);
        rng.set_stream(number as u64);
        anything(&self.settings.space.genes(), &mut rng)
    }
}
