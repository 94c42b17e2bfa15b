//! The ledger of runs.

use super::{AloneOf, Arm, Key, Set, alone, settings};
use crate::search::{Found, Progress, Search, SearchError, cpu_seconds};
use crate::train::MOST;
use hwgen_data::Data;
use hwgen_files::{FileError, SealedLines};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where a search keeps its supernet.
const SUPERNET: &str = "supernet.safetensors";

/// What a run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Which.
    pub key: Key,
    /// Items of the test.
    pub items: usize,
    /// Seconds of each stage, wall.
    pub seconds: Vec<(String, f64)>,
    /// Seconds of all cores; too few if the run was killed and went on.
    pub cpu: f64,
    /// Points that were trained on.
    pub points: Vec<RunPoint>,
}

/// A point of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunPoint {
    /// Cycles of an inference.
    pub cycles: u64,
    /// Bytes of weights that are stored.
    pub weight_bytes: u64,
    /// Weights.
    pub weights: usize,
    /// The share of the validation part that is right, as integers.
    pub validation: f64,
    /// Of the test.
    pub test: f64,
    /// The share of the test on which integers and real numbers agree.
    pub same: f64,
    /// Which items of the test are right: hex digits.
    pub right: String,
    /// LUT, FF, DSP and BRAM that the core takes on Xilinx 7, as estimated.
    pub area: [u64; 4],
    /// Layers, bits of weights, bits of activations.
    pub layers: Vec<(String, Option<u32>, u32)>,
}

/// All runs.
#[derive(Debug)]
pub struct Runs {
    lines: SealedLines,
    /// By key.
    pub known: BTreeMap<Key, Run>,
    /// Subnets trained alone.
    pub alone: Vec<AloneOf>,
}

impl Runs {
    /// Opens or begins a ledger.
    ///
    /// # Errors
    /// What the system says; a file of other things.
    pub fn open(path: &Path) -> Result<Runs, FileError> {
        let (mut known, mut alone) = (BTreeMap::new(), Vec::new());
        let lines = SealedLines::open(path, |line| {
            if let Ok(run) = serde_json::from_str::<Run>(line) {
                known.insert(run.key, run);
            } else if let Ok(found) = serde_json::from_str::<AloneOf>(line) {
                alone.push(found);
            }
        })?;
        Ok(Runs { lines, known, alone })
    }

    /// Makes a run, unless it was made, in a folder where it goes on if it was killed.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub fn run(
        &mut self,
        key: Key,
        data: &Data,
        folder: &Path,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<&Run, SearchError> {
        if !self.known.contains_key(&key) {
            let run = make(key, data, folder, tell)?;
            self.lines.add(&serde_json::to_string(&run).unwrap_or_default())?;
            self.known.insert(key, run);
        }
        Ok(&self.known[&key])
    }

    /// Trains a subnet of a number alone, unless that was done.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub fn alone(
        &mut self,
        (set, seed, number): (Set, u64, usize),
        data: &Data,
        folder: &Path,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<AloneOf, SearchError> {
        let same = |a: &&AloneOf| (a.set, a.seed, a.subnet.number) == (set, seed, number);
        if let Some(found) = self.alone.iter().find(same) {
            return Ok(found.clone());
        }
        let found = alone::of_run(set, seed, number, (data, folder), tell)?;
        self.lines.add(&serde_json::to_string(&found).unwrap_or_default())?;
        self.alone.push(found.clone());
        Ok(found)
    }

    /// Lines that are not as they were written.
    pub fn damaged(&self) -> usize {
        self.lines.damaged
    }

    /// Runs of an arm on a set, by seed and fold.
    pub fn of(&self, set: Set, arm: Arm) -> impl Iterator<Item = &Run> {
        self.known.values().filter(move |run| run.key.set == set && run.key.arm == arm)
    }
}

fn make(
    key: Key,
    data: &Data,
    folder: &Path,
    tell: &mut dyn FnMut(Progress),
) -> Result<Run, SearchError> {
    let parts = key.set.parts(data, key)?;
    let items = parts.train.items();
    let shape = items.shape();
    let input = [shape.height, shape.width, shape.channels];
    let settings = settings(key, input, items.classes().len());
    let settings = settings.ok_or(SearchError::Preset)?;
    let like = Key { arm: key.arm.learned_as(), ..key }.folder(folder)?.join(SUPERNET);
    let folder = key.folder(folder)?;
    if like.exists() && !folder.join(SUPERNET).exists() {
        hwgen_files::write(&folder.join(SUPERNET), &hwgen_files::read(&like, MOST)?)?;
    }
    let begin = cpu_seconds();
    let augment = key.set.augment();
    let search = Search {
        settings: &settings,
        parts: &parts,
        folder: &folder,
        augment,
        before: None,
        workers: None,
    };
    let found = search.run(tell)?;
    let items = parts.test.len();
    let (seconds, cpu) = (found.seconds.clone(), cpu_seconds() - begin);
    let run = Run { key, items, seconds, cpu, points: points(&found) };
    Ok(run)
}

impl Key {
    /// The run's own folder.
    pub(super) fn folder(self, all: &Path) -> Result<PathBuf, FileError> {
        let Key { set, arm, seed, fold } = self;
        let folder = all.join(format!("{set:?}-{arm:?}-{seed}-{fold}").to_lowercase());
        std::fs::create_dir_all(&folder).map_err(FileError::io("make", &folder))?;
        Ok(folder)
    }
}

fn points(found: &Found) -> Vec<RunPoint> {
    let point = |point: &crate::search::Point| RunPoint {
        cycles: point.cycles,
        weight_bytes: point.weight_bytes,
        weights: point.weights,
        validation: point.validation.integer,
        test: point.test.integer,
        same: point.test.same,
        right: point.right.clone(),
        area: crate::cost::area(&point.core),
        layers: point.layers.clone(),
    };
    found.points.iter().map(point).collect()
}

impl RunPoint {
    /// Which items of the test are right.
    pub fn right(&self, items: usize) -> Vec<bool> {
        let digits = self.right.chars().filter_map(|digit| digit.to_digit(16));
        let bits = digits.flat_map(|digit| (0..4).rev().map(move |bit| digit >> bit & 1 == 1));
        bits.take(items).collect()
    }
}
