//! This machine: as many children at once as it has cores, or as asked for. They end with us.

use crate::FarmError;
use crate::attempt::{Attempt, Engine, Over, RUN};
use crate::executor::Death;
use hwgen_files::{Group, reason};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// It is cheap to ask whether a child has ended.
const PAUSE: Duration = Duration::from_millis(10);

pub(crate) struct Local {
    at_once: usize,
    running: Vec<Running>,
}

struct Running {
    attempt: Attempt,
    /// Or why it could not be started.
    group: io::Result<Group>,
    began: Instant,
}

impl Local {
    pub(crate) fn new(at_once: usize) -> Local {
        Local { at_once, running: vec![] }
    }
}

impl Engine for Local {
    fn room(&self) -> usize {
        self.at_once.saturating_sub(self.running.len())
    }

    fn start(&mut self, attempts: Vec<Attempt>) -> Result<(), FarmError> {
        for attempt in attempts {
            let mut command = Command::new("/bin/sh");
            // we see to the limit, to the millisecond
            command.args(["-c", RUN, "hwgen-farm"]).args(attempt.words(None)).current_dir("/");
            let group = Group::start(&command, false, Stdio::null(), Stdio::null());
            self.running.push(Running { attempt, group, began: Instant::now() });
        }
        Ok(())
    }

    fn over(&mut self) -> Result<Vec<(String, Over)>, FarmError> {
        let mut over = vec![];
        self.running.retain_mut(|running| match running.look() {
            Some(how) => {
                over.push((running.attempt.ticket.clone(), how));
                false
            }
            None => true,
        });
        Ok(over)
    }

    fn cancel(&mut self, tickets: &[String]) -> Result<(), FarmError> {
        // they are killed as they are dropped
        self.running.retain(|running| !tickets.contains(&running.attempt.ticket));
        Ok(())
    }

    fn pause(&self) -> Duration {
        PAUSE
    }
}

impl Running {
    fn look(&mut self) -> Option<Over> {
        let ended = match &mut self.group {
            Ok(group) => group.try_end().map_err(|error| reason(&error)),
            Err(error) => Err(reason(error)),
        };
        match ended {
            Ok(Some(status)) => Some(Over::Died(death(status))),
            Ok(None) => self.late(),
            Err(why) => Some(Over::Died(Death::Error(format!("cannot run: {why}")))),
        }
    }

    fn late(&mut self) -> Option<Over> {
        let limit = self.attempt.limit.filter(|limit| self.began.elapsed() >= *limit)?;
        if let Ok(group) = &mut self.group {
            group.kill();
        }
        Some(Over::Died(Death::Time(Some(limit))))
    }
}

/// How the script died, if it left nothing that tells more.
fn death(status: ExitStatus) -> Death {
    match (status.signal(), status.code()) {
        (Some(signal), _) => Death::Signal(signal),
        (None, code) => Death::Exit(code.unwrap_or_default()),
    }
}
