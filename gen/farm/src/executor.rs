//! What a search sees of the machines that work for it.

use crate::{FarmError, Job, Key};
use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

/// Runs jobs, and tells of each how it ended, once.
pub trait Executor {
    /// Takes jobs; their keys, in this order. A job that is asked for again before its end was told is
    /// the same job.
    ///
    /// # Errors
    /// A job that no program could be given; a file could not be written. None of the jobs from that one
    /// on is taken.
    fn submit(&mut self, jobs: &[Job]) -> Result<Vec<Key>, FarmError>;

    /// What ended since it was asked last. It does not wait, and nothing is started between two calls.
    ///
    /// # Errors
    /// The engine does not answer. Nothing is lost: it may be asked again.
    fn poll(&mut self) -> Result<Vec<Ended>, FarmError>;

    /// Ends jobs; they are told as cancelled. What has ended, and was told or not, is not touched.
    ///
    /// # Errors
    /// The engine does not answer.
    fn cancel(&mut self, keys: &[Key]) -> Result<(), FarmError>;

    /// Jobs whose end was not told.
    fn pending(&self) -> usize;

    /// How long it is worth to wait between two polls.
    fn pause(&self) -> Duration;

    /// Waits for a job's end; none if there is no job to wait for.
    ///
    /// # Errors
    /// As [`Executor::poll`].
    fn next(&mut self) -> Result<Option<Ended>, FarmError>;

    /// Waits for all jobs, or until `each`, which is told of every end, has enough.
    ///
    /// # Errors
    /// As [`Executor::poll`].
    fn wait(
        &mut self,
        each: &mut dyn FnMut(Ended) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, FarmError> {
        while let Some(ended) = self.next()? {
            if each(ended).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// A job that came to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub key: Key,
    /// Why attempts that came to nothing did, in order.
    pub deaths: Vec<Death>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With a result.
    Done(Answer),
    /// All attempts came to nothing; the last lines of standard error of the last one, if it wrote any.
    Failed(String),
    /// It was cancelled.
    Cancelled,
}

/// A result, as the program wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `result.json`.
    pub result: Vec<u8>,
    /// Where it lies, with what else the program left, all of it unchanged since.
    pub folder: PathBuf,
    /// Whether it was there before this executor began an attempt.
    pub found: bool,
}

/// Why an attempt came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Death {
    /// An exit code that is not 0; 126 and 127 are the shell's: the program could not be run.
    Exit(i32),
    /// A signal.
    Signal(i32),
    /// It ended with exit code 0 and left no result.
    NoResult,
    /// What it left is not what was sealed, or `result.json` has more than 64 MiB.
    Damaged,
    /// It did not end in time.
    Time(Option<Duration>),
    /// The engine has it no more, and it left nothing: cancelled from outside, a machine that died.
    Vanished,
    /// It could not begin, or its result could not be kept.
    Error(String),
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Death::Exit(code) => write!(f, "exit code {code}"),
            Death::Signal(signal) => write!(f, "signal {signal}"),
            Death::NoResult => f.write_str("no result.json"),
            Death::Damaged => f.write_str("a damaged result"),
            Death::Time(Some(limit)) => write!(f, "no end within {} s", limit.as_secs_f64()),
            Death::Time(None) => f.write_str("no end in time"),
            Death::Vanished => f.write_str("gone from the queue"),
            Death::Error(why) => f.write_str(why),
        }
    }
}

impl Ended {
    /// The result, or an error's text that says of each attempt how it ended.
    ///
    /// # Errors
    /// It has none.
    pub fn answer(&self) -> Result<&Answer, String> {
        let deaths: Vec<_> = self.deaths.iter().map(Death::to_string).collect();
        let name = &self.key.as_str()[..12];
        match &self.outcome {
            Outcome::Done(answer) => Ok(answer),
            Outcome::Cancelled => Err(format!("job {name} was cancelled")),
            Outcome::Failed(lines) => {
                let (times, why) = (deaths.len(), deaths.join(", "));
                let lines = if lines.is_empty() { String::new() } else { format!(":\n{lines}") };
                Err(format!("job {name} failed {times} times ({why}){lines}"))
            }
        }
    }
}
