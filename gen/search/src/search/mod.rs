//! The search: a supernet is trained, subnets of it are judged by what they get right and what they cost, the best
//! are trained on, and become networks of integers.
//!
//! - `settings`: what is asked for; `alone`: subnets that are trained without the supernet; `room`: multipliers that a device has room for; `ledger`: what was judged, line by line; `select`: which points are taken;
//!   `found`: `search.json`; `finish`: from a choice to integers.

mod alone;
mod finish;
mod found;
mod ledger;
mod replay;
mod room;
mod select;
mod settings;
mod workers;

pub use alone::{Alone, LEAST_TAU, MOST_EPOCHS, Order, cpu_seconds};
pub use finish::{Agreement, Finished};
pub use found::{Found, Point};
pub use ledger::{Judged, Ledger};
pub use select::{Kendall, front, kendall, picks};
pub use settings::Settings;
pub use workers::{Workers, work};

use crate::cost::CostError;
use crate::evolve::{Evolution, Individual, Worth};
use crate::space::{Choice, SpaceError};
use crate::supernet::{InputScale, Supernet};
use crate::train::{self, CheckpointError, Gated, Judge, Schedule, TrainError, Trainer, Training};
use hwgen_data::{DataError, Parts, Subset};
use std::cell::RefCell;
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
    /// A job of a farm does not end well.
    #[error("a job of the farm failed: {0}")]
    Job(String),
    /// No preset.
    #[error("no space of this name")]
    Preset,
    /// No `search.json`.
    #[error("{}: not what a search found: {why}", path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        why: String,
    },
    /// Items that were kept do not do.
    #[error("{}: items that were kept cannot be used: {why}", path.display())]
    Replay {
        /// The file.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
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
        /// What is trained.
        stage: Stage,
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

/// What is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// All subnets.
    Supernet,
    /// Gates, by the number of the weight of cycles.
    Gates(usize),
    /// A subnet that was picked.
    Point(usize),
    /// A subnet without the supernet.
    Alone(usize),
}

/// How fast what is trained already is trained on.
const TUNING_RATE: f64 = 0.3;

/// Where items are kept for a search that goes on with this one.
const REPLAY: &str = "replay.safetensors";

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
    /// The folder of a search that this one goes on with, on other data or for another target.
    pub before: Option<&'s Path>,
    /// What judges subnets; threads of this process without it.
    pub workers: Option<RefCell<Workers>>,
}

impl Search<'_> {
    /// Runs it, or goes on with it where it was left.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub fn run(&self, tell: &mut dyn FnMut(Progress)) -> Result<Found, SearchError> {
        self.settings.space.check()?;
        let mut seconds = Vec::new();
        let supernet = timed(&mut seconds, "supernet", || self.supernet(tell))?;
        let order = timed(&mut seconds, "alone", || self.order(&supernet, tell))?;
        let gated = timed(&mut seconds, "gates", || self.gate(&supernet, tell))?;
        let individuals =
            timed(&mut seconds, "evolution", || self.evolve(&supernet, &gated, tell))?;
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
        replay::keep(&self.parts.train, self.settings.seed, &self.folder.join(REPLAY))?;
        let found = Found::new(self, &supernet, (&individuals, gated, order), points, seconds);
        found.write(self.folder)?;
        Ok(found)
    }

    /// The trained supernet.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub fn supernet(&self, tell: &mut dyn FnMut(Progress)) -> Result<Supernet, SearchError> {
        if let Some(before) = self.before {
            return self.relearn(before, tell);
        }
        let supernet = self.fresh();
        let schedule = Schedule {
            rate: self.settings.rate,
            ..Schedule::new(self.settings.seed, self.settings.epochs)
        };
        self.train(supernet, schedule, "supernet", Stage::Supernet, tell)
    }

    /// The supernet of a search before: first all but its weights learn the new data, then all, the items that were
    /// kept among the new ones.
    fn relearn(
        &self,
        before: &Path,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Supernet, SearchError> {
        let mut supernet = self.fresh();
        let numbers = before.join("supernet.safetensors");
        train::read_numbers(&mut supernet, &numbers)?;
        let settings = self.settings;
        if settings.epochs == 0 {
            // for jobs of a farm, and for a search that goes on with this one
            let bytes = hwgen_files::read(&numbers, train::MOST)?;
            hwgen_files::write(&self.folder.join("supernet.safetensors"), &bytes)?;
            return Ok(supernet);
        }
        let joined = replay::join(&self.parts.train, &before.join(REPLAY))?;
        let stages = [("supernet_scales", true), ("supernet", false)];
        for (name, frozen) in stages {
            let rate = settings.rate * TUNING_RATE;
            let schedule =
                Schedule { rate, frozen, ..Schedule::new(settings.seed, settings.epochs) };
            supernet = self.train_on(&joined, supernet, schedule, name, Stage::Supernet, tell)?;
        }
        Ok(supernet)
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
        stage: Stage,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Supernet, SearchError> {
        self.train_on(&self.parts.train, supernet, schedule, name, stage, tell)
    }

    fn train_on(
        &self,
        items: &Subset,
        supernet: Supernet,
        schedule: Schedule,
        name: &str,
        stage: Stage,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Supernet, SearchError> {
        let (items, augment) = (items.clone(), self.augment.clone());
        let mut trainer = Trainer::new(supernet, schedule, Training { items, augment });
        let path = self.folder.join(format!("{name}.safetensors"));
        if path.exists() {
            trainer.load(&path)?;
        }
        let (mut saved, mut mean) = (Instant::now(), None);
        while !trainer.is_done() {
            let loss = trainer.advance()?;
            let smooth = mean.map_or(loss, |mean: f32| 0.95 * mean + 0.05 * loss);
            mean = Some(smooth);
            tell(Progress::Training {
                stage,
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

    /// Choices that trained gates make, one for each weight of cycles.
    fn gate(
        &self,
        supernet: &Supernet,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Vec<Choice>, SearchError> {
        let settings = self.settings;
        let mut choices = Vec::new();
        for (n, &weight) in settings.gates.iter().enumerate() {
            let schedule = Schedule {
                rate: settings.rate * TUNING_RATE,
                gated: Some(Gated { weight, target: settings.target.clone() }),
                ..Schedule::new(settings.seed, settings.gating)
            };
            let name = format!("gates_{n}");
            let stage = Stage::Gates(n);
            choices.push(self.train(supernet.clone(), schedule, &name, stage, tell)?.gated());
        }
        Ok(choices)
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
        gated: &[Choice],
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Vec<Individual>, SearchError> {
        let settings = self.settings;
        let judge = self.judge();
        let digest = format!("{} {}", supernet.numbers.digest(), train::digest(&judge.judged));
        let mut ledger = Ledger::open(&self.folder.join("judged.jsonl"), settings, &digest)?;
        let evolution = Evolution {
            seed: settings.seed,
            population: settings.population,
            generations: settings.generations,
            first: self.first(gated)?,
        };
        let mut all: Vec<Individual> = Vec::new();
        let genes = settings.space.genes();
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

    /// Choices that evolution begins with: the ends of the space, those of gates, and a front that was found before.
    fn first(&self, gated: &[Choice]) -> Result<Vec<Choice>, SearchError> {
        let space = &self.settings.space;
        let mut first = vec![space.largest(), space.smallest()];
        first.extend(gated.iter().cloned());
        if let Some(before) = self.before {
            let found = Found::read(&before.join("search.json"))?;
            let front = found.front.into_iter().map(|(choice, ..)| choice);
            first.extend(front.filter(|choice| space.subnet(choice).is_ok()));
        }
        first.truncate(self.settings.population);
        Ok(first)
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
        let new: Vec<&Choice> =
            choices.iter().filter(|choice| ledger.get(choice).is_none()).collect();
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
        let accuracies = match &self.workers {
            Some(workers) => {
                let path = std::path::absolute(self.folder.join("supernet.safetensors"))
                    .map_err(hwgen_files::FileError::io("find", self.folder))?;
                let choices: Vec<Choice> = looked.iter().map(|&n| new[n].clone()).collect();
                let items = train::digest(&judge.judged);
                workers.borrow_mut().accuracies(settings, &path, &items, &choices)?
            }
            None => judge.accuracies(supernet, &judged, settings.threads),
        };
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
        Ok(choices.iter().map(worth).collect())
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
