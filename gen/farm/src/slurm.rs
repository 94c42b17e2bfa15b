//! Slurm: arrays by `sbatch`, `squeue` for what is not over, `scancel`. No accounting is needed.

use crate::FarmError;
use crate::attempt::Attempt;
use crate::batch::{Place, Queue};
use crate::machines::SlurmOptions;
use crate::script::script;
use hwgen_files::FileError;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A command of Slurm may wait for a busy controller.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Slurm {
    options: SlurmOptions,
    /// Folders that are searched for its commands before all others.
    tools: Vec<PathBuf>,
    /// The name of all our jobs, and of nobody else's.
    name: String,
    /// The farm's folder, where jobs begin.
    root: PathBuf,
}

impl Slurm {
    pub(crate) fn new(
        options: SlurmOptions,
        tools: &[PathBuf],
        name: String,
        root: PathBuf,
    ) -> Slurm {
        Slurm { options, tools: tools.to_vec(), name, root }
    }

    fn program(&self, name: &str) -> Result<PathBuf, FarmError> {
        let slurm = hwgen_tools::require_in("slurm", &self.tools)?;
        Ok(slurm.path.with_file_name(name))
    }

    fn sbatch(&self, attempts: &[Attempt]) -> Result<Command, FarmError> {
        // jobs have the variables of `sbatch`, whose folder of temporary files goes with it
        let mut command = Command::new("env");
        match std::env::var_os("TMPDIR") {
            Some(folder) => command.arg(OsString::from_iter([OsStr::new("TMPDIR="), &folder])),
            None => command.args(["-u", "TMPDIR"]),
        };
        command.arg(self.program("sbatch")?);
        command.args(["--parsable", "--requeue", "--output=/dev/null"]);
        command.arg(format!("--job-name={}", self.name));
        let at_once = self.options.at_once.map_or(String::new(), |most| format!("%{most}"));
        command.arg(format!("--array=0-{}{at_once}", attempts.len() - 1));
        command.arg("--chdir").arg(&self.root);
        // of no limit, the partition's
        let limits: Option<Vec<_>> = attempts.iter().map(|attempt| attempt.limit).collect();
        if let Some(longest) = limits.and_then(|limits| limits.into_iter().max()) {
            // the script comes first
            command.arg(format!("--time={}", longest.as_secs() / 60 + 2));
        }
        command.args(self.options.arguments());
        Ok(command)
    }
}

impl Queue for Slurm {
    fn submit(&mut self, attempts: &[Attempt]) -> Result<u64, FarmError> {
        let write = || {
            let mut file = tempfile::NamedTempFile::new()?;
            file.write_all(&script("SLURM_ARRAY_TASK_ID", attempts))?;
            Ok(file)
        };
        let file = write().map_err(FileError::io("write a script in", &std::env::temp_dir()))?;
        let mut command = self.sbatch(attempts)?;
        let said = hwgen_tools::run(command.arg(file.path()), PATIENCE)?.stdout;
        // NUMBER or NUMBER;CLUSTER
        let number = said.trim().split(';').next().and_then(|number| number.parse().ok());
        number.ok_or_else(|| FarmError::answer("sbatch", &said, "a job's number"))
    }

    fn alive(&mut self, _: &BTreeSet<Place>) -> Result<BTreeSet<Place>, FarmError> {
        let mut command = Command::new(self.program("squeue")?);
        command.args(["--noheader", "--array", "--format=%F %K %r"]);
        let said = hwgen_tools::run(command.arg(format!("--name={}", self.name)), PATIENCE)?;
        let (alive, stuck) = listed(&said.stdout);
        if !stuck.is_empty() {
            self.cancel(&stuck, &alive)?;
        }
        Ok(alive)
    }

    fn cancel(&mut self, places: &[Place], _: &BTreeSet<Place>) -> Result<(), FarmError> {
        for some in places.chunks(500) {
            let mut command = Command::new(self.program("scancel")?);
            // what has ended since is no error
            command.arg("--quiet");
            command.args(some.iter().map(|(array, number)| format!("{array}_{number}")));
            hwgen_tools::run(&mut command, PATIENCE)?;
        }
        Ok(())
    }
}

/// The places in a list of `squeue`, and those that wait for an administrator because they could not be
/// started.
fn listed(text: &str) -> (BTreeSet<Place>, Vec<Place>) {
    let (mut alive, mut stuck) = (BTreeSet::new(), vec![]);
    for line in text.lines() {
        let mut words = line.splitn(3, ' ');
        let array = words.next().and_then(|word| word.parse().ok());
        let number = words.next().and_then(|word| word.parse().ok());
        let (Some(array), Some(number)) = (array, number) else { continue };
        let why = words.next().unwrap_or_default().replace('_', " ");
        if why.to_lowercase().contains("requeued held") {
            stuck.push((array, number));
        } else {
            alive.insert((array, number));
        }
    }
    (alive, stuck)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let (alive, stuck) = listed(
            "7 0 None\n7 12 Resources\n8 3 launch failed requeued held\nslurm: error\n9 N/A None\n7 1\n",
        );
        assert_eq!(alive, [(7, 0), (7, 1), (7, 12)].into());
        assert_eq!(stuck, [(8, 3)]);
    }
}
