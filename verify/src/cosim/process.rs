//! A simulator in a process of its own, spoken to through its standard input and output.

use super::CosimError;
use hwgen_files::Group;
use std::fs::File;
use std::io::{BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// Requests are sent when they are this long, or when an answer is wanted.
const BUFFER_BYTES: usize = 1 << 16;

/// A simulator that takes longer over one answer hangs (an oscillating loop does that).
const ANSWER_LIMIT: Duration = Duration::from_secs(120);

/// A running simulator process. It ends when this is dropped, and with us.
pub(super) struct Process {
    command: String,
    watched: Arc<Watched>,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    errors: File,
    waiting: Vec<u8>,
}

/// What the watchdog looks at.
struct Watched {
    group: Mutex<Group>,
    started: Instant,
    /// Milliseconds from `started` at which the current answer is overdue; 0: none is awaited.
    overdue: AtomicU64,
}

impl Process {
    pub(super) fn start(command: &mut Command) -> Result<Process, CosimError> {
        let line = hwgen_tools::command_line(command);
        let start = |source| hwgen_tools::ToolError::Start { command: line.clone(), source };
        let errors = tempfile::tempfile().map_err(start)?;
        let told = errors.try_clone().map_err(start)?;
        let group = Group::start(command, true, Stdio::piped(), told.into());
        let mut group = group.map_err(start)?;
        let (Some(to), Some(from)) = (group.take_input(), group.take_output()) else {
            let what = format!("`{line}` has no pipes");
            return Err(CosimError::Protocol { what });
        };
        let watched = Arc::new(Watched {
            group: Mutex::new(group),
            started: Instant::now(),
            overdue: AtomicU64::new(0),
        });
        let weak = Arc::downgrade(&watched);
        std::thread::spawn(move || watch(&weak));
        Ok(Process {
            command: line,
            watched,
            to: Some(to),
            from: BufReader::new(from),
            errors,
            waiting: vec![],
        })
    }

    /// Where requests are written to.
    pub(super) fn requests(&mut self) -> &mut Vec<u8> {
        &mut self.waiting
    }

    /// Sends what is waiting if it is much.
    pub(super) fn send_if_long(&mut self) -> Result<(), CosimError> {
        if self.waiting.len() < BUFFER_BYTES {
            return Ok(());
        }
        self.timed(|process| process.send())
    }

    /// Sends everything and reads the answer.
    pub(super) fn ask<T>(
        &mut self,
        read: impl FnOnce(&mut BufReader<ChildStdout>) -> std::io::Result<T>,
    ) -> Result<T, CosimError> {
        self.timed(|process| {
            process.send()?;
            read(&mut process.from)
        })
    }

    fn send(&mut self) -> std::io::Result<()> {
        let to = self.to.as_mut().ok_or(std::io::ErrorKind::BrokenPipe)?;
        to.write_all(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    /// Does something under the watchdog's eye.
    fn timed<T>(
        &mut self,
        act: impl FnOnce(&mut Process) -> std::io::Result<T>,
    ) -> Result<T, CosimError> {
        let limit = self.watched.started.elapsed() + ANSWER_LIMIT;
        self.watched.overdue.store(limit.as_millis() as u64, Ordering::Relaxed);
        let done = act(self);
        self.watched.overdue.store(0, Ordering::Relaxed);
        done.map_err(|source| CosimError::Died {
            command: self.command.clone(),
            source,
            limit: ANSWER_LIMIT,
            tail: hwgen_tools::tail(hwgen_tools::text(&mut self.errors)),
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.to = None;
        stop(&self.watched);
    }
}

fn stop(watched: &Watched) {
    watched.group.lock().unwrap_or_else(|held| held.into_inner()).kill();
}

/// Stops a process that owes an answer for too long; ends with its owner.
fn watch(watched: &Weak<Watched>) {
    while let Some(watched) = watched.upgrade() {
        let overdue = watched.overdue.load(Ordering::Relaxed);
        if overdue != 0 && watched.started.elapsed().as_millis() as u64 > overdue {
            return stop(&watched);
        }
        drop(watched);
        std::thread::sleep(Duration::from_millis(200));
    }
}
