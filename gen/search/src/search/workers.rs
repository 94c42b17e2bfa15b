//! Subnets judged by jobs of a farm: on this machine, Slurm or HyperQueue.

use super::{SearchError, Settings};
use crate::data::Request;
use crate::space::Choice;
use crate::supernet::{InputScale, Supernet};
use crate::train::{self, Judge, read_numbers};
use hwgen_data::Source;
use hwgen_farm::{Ended, Executor, Farm, FarmError, Job, Machines, work};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Subnets of a job.
const SUBNETS: usize = 4;

/// What one job is about.
#[derive(Serialize, Deserialize)]
struct Judging {
    data: Request,
    settings: Settings,
    /// The supernet's numbers: a file that all machines see.
    supernet: PathBuf,
    /// Their digest: other numbers are another job.
    digest: String,
    /// The digest of the items that are judged.
    items: String,
    choices: Vec<Choice>,
}

/// A farm that judges.
pub struct Workers {
    farm: Farm,
    data: Request,
    program: PathBuf,
    version: String,
}

impl Workers {
    /// Opens a farm in a folder that all machines see.
    ///
    /// # Errors
    /// No such machines; what the system says.
    pub fn open(folder: &Path, machines: &Machines, data: Request) -> Result<Workers, SearchError> {
        let program =
            std::env::current_exe().map_err(hwgen_files::FileError::io("find", folder))?;
        let version = hwgen_files::digest(&hwgen_files::read(&program, 1 << 32)?);
        let farm = Farm::open(folder, machines, hwgen_farm::Settings::default())?;
        Ok(Workers { farm, data, program, version })
    }

    /// The accuracy of each choice.
    ///
    /// # Errors
    /// A job that fails again and again.
    pub(super) fn accuracies(
        &mut self,
        settings: &Settings,
        supernet: &Path,
        items: &str,
        choices: &[Choice],
    ) -> Result<Vec<f64>, SearchError> {
        let digest = hwgen_files::digest(&hwgen_files::read(supernet, 1 << 30)?);
        let job = |choices: &[Choice]| {
            let judging = Judging {
                data: self.data.clone(),
                settings: settings.clone(),
                supernet: supernet.to_owned(),
                digest: digest.clone(),
                items: items.to_owned(),
                choices: choices.to_vec(),
            };
            Job {
                program: self.program.clone(),
                arguments: vec!["work".into()],
                version: self.version.clone(),
                kind: "judge".to_owned(),
                request: serde_json::to_vec(&judging).unwrap_or_default(),
                limit: None,
            }
        };
        let jobs: Vec<Job> = choices.chunks(SUBNETS).map(job).collect();
        let keys = self.farm.submit(&jobs)?;
        let mut told = BTreeMap::new();
        let mut failed = None;
        let _ = self.farm.wait(&mut |ended: Ended| {
            match ended.answer().map(|answer| serde_json::from_slice(&answer.result)) {
                Ok(Ok(accuracies)) => {
                    let accuracies: Vec<f64> = accuracies;
                    told.insert(ended.key.clone(), accuracies);
                }
                Ok(Err(error)) => failed = Some(error.to_string()),
                Err(why) => failed = Some(why),
            }
            if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if let Some(why) = failed {
            return Err(SearchError::Job(why));
        }
        let accuracies = keys.iter().flat_map(|key| told.get(key).cloned().unwrap_or_default());
        let accuracies: Vec<f64> = accuracies.collect();
        match accuracies.len() == choices.len() {
            true => Ok(accuracies),
            false => Err(SearchError::Job("answers are missing".to_owned())),
        }
    }
}

/// A job's side: reads what is asked in a folder, and answers there.
///
/// # Errors
/// What is wrong with the request, the data or the supernet.
pub fn work(folder: &Path) -> Result<(), SearchError> {
    let request = work::request(folder)?;
    let asked: Judging =
        serde_json::from_slice(&request).map_err(|error| SearchError::Job(error.to_string()))?;
    asked.settings.space.check()?;
    let found = hwgen_files::digest(&hwgen_files::read(&asked.supernet, 1 << 30)?);
    if found != asked.digest {
        let why = format!("{}: not the numbers that are asked about", asked.supernet.display());
        return Err(SearchError::Job(why));
    }
    let parts = asked.data.parts(&Source::open(&asked.data.path)?)?;
    let scale = parts.train.items().scale();
    let input = InputScale { scale: f64::from(scale.scale), zero_point: scale.zero_point };
    let Settings { space, sharing, seed, judged, .. } = asked.settings;
    let mut supernet = Supernet::new(space, sharing, input, seed);
    read_numbers(&mut supernet, &asked.supernet)?;
    let judge = Judge {
        calibration: parts.train.limit(512, seed),
        judged: parts.validation.limit(judged, seed),
    };
    if train::digest(&judge.judged) != asked.items {
        let why = "the items here are not those that are asked about".to_owned();
        return Err(SearchError::Job(why));
    }
    let subnets = asked.choices.iter().map(|choice| supernet.space.subnet(choice));
    let subnets = subnets.collect::<Result<Vec<_>, _>>()?;
    let accuracies = judge.accuracies(&supernet, &subnets, 1);
    let answer = serde_json::to_vec(&accuracies).unwrap_or_default();
    Ok(work::answer(folder, &answer)?)
}

impl From<FarmError> for SearchError {
    fn from(error: FarmError) -> SearchError {
        SearchError::Job(error.to_string())
    }
}
