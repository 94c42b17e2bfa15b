//! Subnets trained alone: what a supernet's order of them is worth, and what a search without one would cost.

use super::{Arm, Key, Set, settings};
use crate::search::{Progress, Search, SearchError, kendall};
use crate::space::Choice;
use crate::supernet::Supernet;
use crate::train::{Schedule, Trainer, Training};
use hwgen_data::{Data, Parts};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Instant;

/// Epochs without a better accuracy after which a subnet is done.
const PATIENCE: usize = 3;

/// Most epochs of a subnet.
const MOST_EPOCHS: usize = 40;

/// A subnet in the supernet and alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alone {
    /// On what.
    pub set: Set,
    /// The supernet's seed.
    pub seed: u64,
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
    /// Seconds that took.
    pub seconds: f64,
}

/// A subnet of a number: drawn by seed and number alone.
fn drawn(search: &Search<'_>, number: usize) -> Choice {
    let mut rng = ChaCha8Rng::seed_from_u64(search.settings.seed ^ 0xa10e);
    rng.set_stream(number as u64);
    let genes = search.settings.space.genes();
    Choice(genes.iter().map(|gene| rng.random_range(0..gene.options) as u8).collect())
}

/// Trains a subnet alone, and asks the supernet for it.
///
/// # Errors
/// See [`SearchError`].
fn alone(
    search: &Search<'_>,
    supernet: &Supernet,
    set: Set,
    number: usize,
) -> Result<Alone, SearchError> {
    let choice = drawn(search, number);
    let (judge, settings) = (search.judge(), search.settings);
    let subnet = settings.space.subnet(&choice)?;
    let shared = judge.accuracies(supernet, std::slice::from_ref(&subnet), 1)[0];
    let begin = Instant::now();
    let schedule = Schedule {
        only: Some(choice.clone()),
        rate: settings.rate,
        ..Schedule::new(settings.seed, MOST_EPOCHS)
    };
    let fresh =
        Supernet::new(settings.space.clone(), settings.sharing, supernet.input, settings.seed);
    let (items, augment) = (search.parts.train.clone(), search.augment.clone());
    let mut trainer = Trainer::new(fresh, schedule, Training { items, augment });
    let (mut best, mut since, mut epochs) = (0.0f64, 0, 0);
    while since < PATIENCE && !trainer.is_done() {
        for _ in 0..trainer.steps_an_epoch() {
            trainer.advance()?;
        }
        let accuracy = judge.accuracies(&trainer.supernet, std::slice::from_ref(&subnet), 1)[0];
        epochs += 1;
        since = if accuracy > best { 0 } else { since + 1 };
        best = best.max(accuracy);
    }
    let seconds = begin.elapsed().as_secs_f64();
    Ok(Alone { set, seed: settings.seed, number, choice, shared, alone: best, epochs, seconds })
}

/// Asks for a subnet of a run's supernet, which the run's folder has or which is trained there.
///
/// # Errors
/// See [`SearchError`].
pub(super) fn of_run(
    set: Set,
    seed: u64,
    number: usize,
    (data, folder): (&Data, &Path),
    tell: &mut dyn FnMut(Progress),
) -> Result<Alone, SearchError> {
    let key = Key { set, arm: Arm::Joint, seed, fold: 0 };
    let parts: Parts = set.parts(data, key)?;
    let items = parts.train.items();
    let shape = items.shape();
    let input = [shape.height, shape.width, shape.channels];
    let settings = settings(key, input, items.classes().len()).ok_or(SearchError::Preset)?;
    let folder = key.folder(folder)?;
    let search = Search {
        settings: &settings,
        parts: &parts,
        folder: &folder,
        augment: set.augment(),
        before: None,
        workers: None,
    };
    let supernet = search.supernet(tell)?;
    alone(&search, &supernet, set, number)
}

/// How well the supernet orders subnets: Kendall's tau.
pub fn tau(all: &[&Alone]) -> f64 {
    let list = |of: fn(&Alone) -> f64| all.iter().map(|alone| of(alone)).collect::<Vec<f64>>();
    kendall(&list(|alone| alone.shared), &list(|alone| alone.alone)).tau
}
