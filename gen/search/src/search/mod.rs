//! The search: a supernet is trained, subnets of it are judged by what they get right and what they cost, the best
//! are trained on, and become networks of integers.
//!
//! - `settings`: what is asked for; `room`: multipliers that a device has room for; `ledger`: what was judged, line by line; `select`: which points are taken;
//!   `found`: `search.json`; `finish`: from a choice to integers.

mod finish;
mod found;
mod ledger;
mod room;
mod select;
mod settings;

pub use finish::{Agreement, Finished};
pub use found::{Found, Point};
pub use ledger::{Judged, Ledger};
pub use select::{Kendall, front, kendall, picks};
pub use settings::{Settings, Widths};

use crate::cost::CostError;
use crate::evolve::{Evolution, Individual, Worth};
use crate::space::{Choice, Gene, Pick, SpaceError};
use crate::supernet::{InputScale, Supernet};
use crate::train::{CheckpointError, Judge, Schedule, TrainError, Trainer, Training};
use hwgen_data::{DataError, Parts};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use thiserror::Error;

/// Why a search ends.
#[derive(Debug, Error)]
pub enum SearchError {
    /// The space is none.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The data does not do.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Training does not go on.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A checkpoint does not do.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A cost that cannot be told.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// A file.
    #[error(transparent)]
    File(#[from] hwgen_files::FileError),
    /// What was written is of another search.
    #[error("{0}: of another search; name another folder, or move it away")]
    Other(PathBuf),
    /// No subnet keeps what it must.
    #[error(
        "no subnet of space `{space}` within {cycles} cycles; the fastest found takes {fastest}"
    )]
    None {
        /// The space.
        space: String,
        /// What was asked for.
        cycles: u64,
        /// The best there is.
        fastest: u64,
    },
}

/// What a search says while it goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// The supernet, or a subnet by its number, has learned so many of so many steps.
    Training {
        /// The subnet's number, none for the supernet.
        point: Option<usize>,
        /// Steps that are done.
        step: usize,
        /// Steps in all.
        steps: usize,
        /// What was lost lately.
        loss: f32,
    },
    /// So many generations of so many are judged.
    Evolving {
        /// Generations that are done.
        generation: usize,
        /// Generations in all.
        generations: usize,
        /// The fewest cycles within the limit, and the best accuracy.
        best: Option<(u64, f64)>,
    },
}

/// A search in a folder.
pub struct Search<'s> {
    /// What is asked for.
    pub settings: &'s Settings,
    /// What is learned from, chosen by, and tested with.
    pub parts: &'s Parts,
    /// Where all is written.
    pub folder: &'s Path,
    /// How items are varied.
    pub augment: hwgen_data::Augment,
}

impl Search<'_> {
    /// Runs it, or goes on with it where it was left.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub fn run(&self, tell: &mut dyn FnMut(Progress)) -> Result<Found, SearchError> {
        let mut seconds = Vec::new();
        let supernet = timed(&mut seconds, "supernet", || self.supernet(tell))?;
        let individuals = timed(&mut seconds, "search", || self.evolve(&supernet, tell))?;
        let limit = self.settings.most_cycles();
        let kept = picks(&individuals, self.settings.points);
        if kept.is_empty() {
            let fastest = individuals.iter().map(|i| i.worth.objectives[1] as u64).min();
            return Err(SearchError::None {
                space: self.settings.space.name.clone(),
                cycles: limit.unwrap_or(u64::MAX),
                fastest: fastest.unwrap_or(0),
            });
        }
        let mut points = Vec::new();
        for (n, individual) in kept.iter().enumerate() {
            let point =
                timed(&mut seconds, "fine-tuning", || self.finish(&supernet, n, individual, tell))?;
            points.push(point);
        }
        let found = Found::new(self, &supernet, &individuals, points, seconds);
        found.write(self.folder)?;
        Ok(found)
    }

    /// The trained supernet.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub fn supernet(&self, tell: &mut dyn FnMut(Progress)) -> Result<Supernet, SearchError> {
        let supernet = self.fresh();
        let schedule = Schedule {
            rate: self.settings.rate,
            ..Schedule::new(self.settings.seed, self.settings.epochs)
        };
        self.train(supernet, schedule, "supernet", None, tell)
    }

    fn fresh(&self) -> Supernet {
        let scale = self.parts.train.items().scale();
        let input = InputScale { scale: f64::from(scale.scale), zero_point: scale.zero_point };
        let Settings { space, sharing, seed, .. } = self.settings;
        Supernet::new(space.clone(), *sharing, input, *seed)
    }

    /// Trains to the end, from a checkpoint if there is one.
    fn train(
        &self,
        supernet: Supernet,
        schedule: Schedule,
        name: &str,
        point: Option<usize>,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Supernet, SearchError> {
        let items = self.parts.train.clone();
        let augment = self.augment.clone();
        let mut trainer = Trainer::new(supernet, schedule, Training { items, augment });
        let path = self.folder.join(format!("{name}.safetensors"));
        if path.exists() {
            trainer.load(&path)?;
        }
        let (mut saved, mut mean) = (Instant::now(), None);
        while !trainer.is_done() {
            let loss = trainer.next()?;
            let smooth = mean.map_or(loss, |mean: f32| 0.95 * mean + 0.05 * loss);
            mean = Some(smooth);
            tell(Progress::Training {
                point,
                step: trainer.step,
                steps: trainer.steps(),
                loss: smooth,
            });
            if trainer.is_done()
                || saved.elapsed() >= Duration::from_secs(self.settings.save_seconds)
            {
                trainer.save(&path)?;
                saved = Instant::now();
            }
        }
        Ok(trainer.supernet)
    }

    /// What selection looks at: never the test.
    pub fn judge(&self) -> Judge {
        let judged = self.parts.validation.limit(self.settings.judged, self.settings.seed);
        Judge { calibration: self.parts.train.limit(512, self.settings.seed), judged }
    }

    /// Judges subnets, generation by generation.
    fn evolve(
        &self,
        supernet: &Supernet,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Vec<Individual>, SearchError> {
        let settings = self.settings;
        let mut ledger = Ledger::open(&self.folder.join("judged.jsonl"), settings)?;
        let judge = self.judge();
        let evolution = Evolution {
            seed: settings.seed,
            population: settings.population,
            generations: settings.generations,
            first: vec![
                settings.widths.narrow(&settings.space, settings.space.largest()),
                settings.widths.narrow(&settings.space, settings.space.smallest()),
            ],
        };
        let mut all: Vec<Individual> = Vec::new();
        let genes = settings.widths.genes(&settings.space);
        evolution.run(&genes, |generation, choices| {
            let worths = self.worths(supernet, &judge, &mut ledger, choices)?;
            let judged = choices.iter().cloned().zip(worths.iter().copied());
            all.extend(judged.map(|(choice, worth)| Individual { choice, worth }));
            let within = all.iter().filter(|individual| individual.worth.violation == 0.0);
            let best =
                within.min_by(|a, b| a.worth.objectives[0].total_cmp(&b.worth.objectives[0]));
            let best = best.map(|i| (i.worth.objectives[1] as u64, 1.0 - i.worth.objectives[0]));
            tell(Progress::Evolving { generation, generations: settings.generations, best });
            Ok::<_, SearchError>(worths)
        })?;
        Ok(all)
    }

    /// What choices are worth: errors, cycles, and by how much they miss the limit.
    fn worths(
        &self,
        supernet: &Supernet,
        judge: &Judge,
        ledger: &mut Ledger,
        choices: &[Choice],
    ) -> Result<Vec<Worth>, SearchError> {
        let settings = self.settings;
        let actual: Vec<Choice> =
            choices.iter().map(|choice| settings.widths.widen(&settings.space, choice)).collect();
        let new: Vec<&Choice> =
            actual.iter().filter(|choice| ledger.get(choice).is_none()).collect();
        let subnets = new.iter().map(|choice| settings.space.subnet(choice));
        let subnets = subnets.collect::<Result<Vec<_>, _>>()?;
        let mut costs = Vec::new();
        for subnet in &subnets {
            // a subnet that no core runs costs more than any that one does
            costs.push(settings.target.cost(supernet, subnet).map_or(u64::MAX, |cost| cost.cycles));
        }
        // who misses the limit by far is not worth looking at
        let looked: Vec<usize> =
            (0..new.len()).filter(|&n| self.violation(costs[n]) < 0.25).collect();
        let judged: Vec<_> = looked.iter().map(|&n| subnets[n].clone()).collect();
        let accuracies = judge.accuracies(supernet, &judged, settings.threads);
        let mut told = vec![0.0; new.len()];
        looked.iter().zip(accuracies).for_each(|(&n, accuracy)| told[n] = accuracy);
        for ((choice, cycles), accuracy) in new.into_iter().zip(costs).zip(told) {
            ledger.add(Judged { choice: choice.clone(), cycles, accuracy })?;
        }
        let worth = |choice: &Choice| {
            let judged = ledger.get(choice).unwrap_or((u64::MAX, 0.0));
            let violation = self.violation(judged.0);
            Worth { objectives: [1.0 - judged.1, judged.0 as f64], violation }
        };
        Ok(actual.iter().map(worth).collect())
    }

    /// By what share of the limit so many cycles are too many.
    fn violation(&self, cycles: u64) -> f64 {
        match self.settings.most_cycles() {
            _ if cycles == u64::MAX => f64::MAX,
            Some(limit) => (cycles as f64 / limit as f64 - 1.0).max(0.0),
            None => 0.0,
        }
    }
}

/// Adds the seconds of some work to a list.
fn timed<R>(seconds: &mut Vec<(String, f64)>, what: &str, work: impl FnOnce() -> R) -> R {
    let begin = Instant::now();
    let result = work();
    let spent = begin.elapsed().as_secs_f64();
    match seconds.iter_mut().find(|(name, _)| name == what) {
        Some((_, sum)) => *sum += spent,
        None => seconds.push((what.to_owned(), spent)),
    }
    result
}

/// Whether a gene is about bits.
pub(crate) fn is_width(gene: &Gene) -> bool {
    matches!(gene.pick, Pick::WeightBits | Pick::ActivationBits)
}
