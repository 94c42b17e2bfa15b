//! HyperQueue: arrays by `hq submit`, `hq job list` for what is not over, `hq job cancel`.

use crate::FarmError;
use crate::attempt::Attempt;
use crate::batch::{Place, Queue};
use crate::script::script;
use hwgen_files::FileError;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A command may wait for a busy server.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Hq {
    tools: Vec<PathBuf>,
    name: String,
    /// Where scripts lie, which its workers read when they start.
    scripts: PathBuf,
    written: BTreeMap<u64, PathBuf>,
}

#[derive(Deserialize)]
struct Submitted {
    id: u64,
}

#[derive(Deserialize)]
struct Listed {
    id: u64,
    task_stats: TaskStats,
}

#[derive(Deserialize)]
struct TaskStats {
    running: u64,
    waiting: u64,
}

impl Hq {
    pub(crate) fn new(tools: &[PathBuf], name: String, root: PathBuf) -> Hq {
        let scripts = root.join("scripts");
        Hq { tools: tools.to_vec(), name, scripts, written: BTreeMap::new() }
    }

    fn hq(&self) -> Result<Command, FarmError> {
        let mut command = hwgen_tools::require_in("hq", &self.tools)?.command();
        command.arg("--output-mode=json");
        Ok(command)
    }

    /// Writes an array's script where workers see it.
    fn write(&self, attempts: &[Attempt]) -> Result<PathBuf, FarmError> {
        fs::create_dir_all(&self.scripts).map_err(FileError::io("create folder", &self.scripts))?;
        // tickets are never used again
        let path = self.scripts.join(format!("{}.sh", attempts[0].ticket));
        hwgen_files::write(&path, &script("HQ_TASK_ID", attempts))?;
        Ok(path)
    }

    /// Removes the scripts of arrays of which no place is left.
    fn tidy(&mut self, left: &BTreeSet<Place>) {
        self.written.retain(|array, path| {
            let is_used = left.iter().any(|(other, _)| other == array);
            is_used || fs::remove_file(path).is_err()
        });
    }
}

impl Queue for Hq {
    fn submit(&mut self, attempts: &[Attempt]) -> Result<u64, FarmError> {
        let path = self.write(attempts)?;
        let mut command = self.hq()?;
        command.args(["submit", "--stdout=none", "--stderr=none", "--name", &self.name]);
        command.arg("--array").arg(format!("0-{}", attempts.len() - 1));
        let said = hwgen_tools::run(command.args(["--", "/bin/sh"]).arg(&path), PATIENCE)?.stdout;
        let submitted: Result<Submitted, _> = serde_json::from_str(&said);
        let wrong = |_| FarmError::answer("hq submit", &said, "an object with the job's `id`");
        let id = submitted.map_err(wrong)?.id;
        self.written.insert(id, path);
        Ok(id)
    }

    fn alive(&mut self, places: &BTreeSet<Place>) -> Result<BTreeSet<Place>, FarmError> {
        let mut command = self.hq()?;
        let said = hwgen_tools::run(command.args(["job", "list"]), PATIENCE)?.stdout;
        let jobs: Result<Vec<Listed>, _> = serde_json::from_str(&said);
        let wrong = |_| FarmError::answer("hq job list", &said, "jobs with `id` and `task_stats`");
        let busy = |job: &Listed| job.task_stats.running + job.task_stats.waiting > 0;
        let jobs: BTreeSet<u64> =
            jobs.map_err(wrong)?.iter().filter(|job| busy(job)).map(|job| job.id).collect();
        self.tidy(places);
        // a list of jobs does not tell tasks apart: one is over with its array, or when it says so
        Ok(places.iter().filter(|(array, _)| jobs.contains(array)).copied().collect())
    }

    fn cancel(&mut self, places: &[Place], others: &BTreeSet<Place>) -> Result<(), FarmError> {
        let arrays: BTreeSet<u64> = places.iter().map(|(array, _)| *array).collect();
        let needed = |array: &u64| others.iter().any(|(other, _)| other == array);
        // it cancels arrays alone: a task of one that is needed runs on, and nobody looks at it
        for array in arrays.iter().filter(|array| !needed(array)) {
            let mut command = self.hq()?;
            hwgen_tools::run(command.args(["job", "cancel", &array.to_string()]), PATIENCE)?;
        }
        self.tidy(others);
        Ok(())
    }
}
