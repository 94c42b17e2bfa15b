//! One start of a job, and what an engine has to do with it.

use crate::FarmError;
use crate::executor::Death;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What every machine does for an attempt.
pub(crate) const RUN: &str = include_str!("run.sh");

#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// Names it: letters, digits, dashes; never used again.
    pub(crate) ticket: String,
    /// The job's folder, absolute.
    pub(crate) job: PathBuf,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) limit: Option<Duration>,
}

impl Attempt {
    /// The words that [`RUN`] takes, with a limit or none.
    pub(crate) fn words(&self, limit: Option<Duration>) -> Vec<OsString> {
        let seconds = limit.map_or(0, |limit| limit.as_secs_f64().ceil().max(1.0) as u64);
        let first = [OsString::from(&self.ticket), seconds.to_string().into()];
        let program = [self.job.clone().into(), self.program.clone().into()];
        first.into_iter().chain(program).chain(self.arguments.iter().cloned()).collect()
    }

    /// Where the program works.
    pub(crate) fn folder(&self) -> PathBuf {
        self.job.join(format!("try-{}", self.ticket))
    }

    /// Where it is said why there is no result.
    pub(crate) fn end(&self) -> PathBuf {
        self.job.join(format!("end-{}", self.ticket))
    }

    /// Whether it left something that says how it ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.job.join("result").is_dir() || self.end().is_file()
    }
}

/// How an engine sees an attempt's end; what the attempt says itself goes before.
#[derive(Debug)]
pub(crate) enum Over {
    /// As the files say.
    Files,
    /// So.
    Died(Death),
}

/// Machines.
pub(crate) trait Engine {
    /// How many attempts more can be started now.
    fn room(&self) -> usize;

    /// Starts attempts, all or none.
    fn start(&mut self, attempts: Vec<Attempt>) -> Result<(), FarmError>;

    /// Attempts, by ticket, that are over; each is told once.
    fn over(&mut self) -> Result<Vec<(String, Over)>, FarmError>;

    /// Ends attempts, which are not told as over.
    fn cancel(&mut self, tickets: &[String]) -> Result<(), FarmError>;

    /// How long it is worth to wait before it is asked again.
    fn pause(&self) -> Duration;
}
