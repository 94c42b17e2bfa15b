//! The folder of jobs: a folder a job, which is all that executors, machines and restarts share.

use crate::attempt::Attempt;
use crate::executor::Death;
use crate::job::{Job, Key};
use crate::work::{REQUEST, RESULT};
use crate::{Answer, FarmError};
use hwgen_files::{FileError, SealedLines, printable};
use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes of a result at most.
const MOST_RESULT: u64 = 64 << 20;
/// Bytes and lines of standard error that are kept.
const MOST_TAIL: u64 = 4096;
const SHOWN_LINES: usize = 15;

/// What lies where a result should.
pub(crate) enum Found {
    Nothing,
    Whole(Answer),
    Damaged,
}

/// Why an attempt left no result, as it says itself.
pub(crate) enum End {
    Busy,
    Died(Death),
}

#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(crate) fn open(folder: &Path) -> Result<Store, FarmError> {
        fs::create_dir_all(folder).map_err(FileError::io("create folder", folder))?;
        let folder = folder.canonicalize().map_err(FileError::io("use folder", folder))?;
        Ok(Store { folder })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn folder(&self, key: &Key) -> PathBuf {
        self.folder.join(key.as_str())
    }

    /// Writes a job down, if it is not.
    pub(crate) fn put(&self, key: &Key, job: &Job) -> Result<(), FarmError> {
        #[derive(Serialize)]
        struct Shown<'a> {
            kind: &'a str,
            version: &'a str,
            program: String,
            arguments: Vec<String>,
        }
        let folder = self.folder(key);
        let request = folder.join(REQUEST);
        let is_there = |path| hwgen_files::read(path, job.request.len() as u64).ok();
        if is_there(&request).is_some_and(|bytes| bytes == job.request) {
            return Ok(());
        }
        fs::create_dir_all(&folder).map_err(FileError::io("create folder", &folder))?;
        let words = job.arguments.iter().map(|word| word.to_string_lossy().into_owned());
        let shown = Shown {
            kind: &job.kind,
            version: &job.version,
            program: job.program.to_string_lossy().into_owned(),
            arguments: words.collect(),
        };
        // for people: nothing reads it
        let shown = serde_json::to_vec_pretty(&shown).unwrap_or_default();
        let about = folder.join("job.json");
        Ok(hwgen_files::write_all(&[(&about, &shown), (&request, &job.request)])?)
    }

    /// The result of a job, if it is there, to the bit as it was sealed.
    pub(crate) fn result(&self, key: &Key) -> Found {
        let folder = self.folder(key).join("result");
        if fs::symlink_metadata(&folder).is_err() {
            return Found::Nothing;
        }
        // looked at first: it refuses what reading may not come to an end of
        let is_whole = matches!(hwgen_files::changed_in(&folder), Ok(None));
        let read = || hwgen_files::read(&folder.join(RESULT), MOST_RESULT).ok();
        match is_whole.then(read).flatten() {
            Some(result) => Found::Whole(Answer { result, folder, found: false }),
            None => Found::Damaged,
        }
    }

    /// Removes a damaged result, unless the job is running.
    pub(crate) fn discard(&self, key: &Key) {
        let folder = self.folder(key);
        if let Ok(_lock) = lock(&folder)
            && let Found::Damaged = self.result(key)
        {
            let path = folder.join("result");
            // a link, or a file, that somebody put there
            let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
        }
    }

    /// Whether a process of the job lives, whoever started it.
    pub(crate) fn is_busy(&self, key: &Key) -> bool {
        // what cannot be locked at all is for an attempt to tell
        lock(&self.folder(key)).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Why an attempt left no result, and its last lines; none if it does not say.
    pub(crate) fn end(&self, attempt: &Attempt) -> Option<(End, String)> {
        let path = attempt.end();
        let text = tail(&path, MOST_TAIL + (1 << 16))?;
        // it is told once; if it stays it harms nobody
        let _ = fs::remove_file(&path);
        let (said, lines) = text.split_once('\n').unwrap_or((&text, ""));
        let end = match said.split_once(' ') {
            _ if said == "busy" => End::Busy,
            _ if said == "time" => End::Died(Death::Time(attempt.limit)),
            _ if said == "no result" => End::Died(Death::NoResult),
            Some(("exit", code)) => End::Died(died(code.parse().unwrap_or(1))),
            _ => End::Died(Death::Error(printable(said.trim_start_matches("error ")))),
        };
        Some((end, last_lines(lines)))
    }

    /// The last lines of an attempt that could not say how it ended.
    pub(crate) fn lines_of(&self, attempt: &Attempt) -> String {
        let text = tail(&attempt.folder().join("stderr"), MOST_TAIL);
        last_lines(&text.unwrap_or_default())
    }

    /// Writes down why an attempt came to nothing, for people, and removes what it left, unless the job
    /// is running.
    pub(crate) fn bury(&self, key: &Key, attempt: &Attempt, why: &Death, lines: &str) {
        #[derive(Serialize)]
        struct Line<'a> {
            attempt: &'a str,
            why: String,
            stderr: &'a str,
        }
        let folder = self.folder(key);
        let line = Line { attempt: &attempt.ticket, why: why.to_string(), stderr: lines };
        let line = serde_json::to_string(&line).unwrap_or_default();
        // neither is worth a job's end
        let ledger = SealedLines::open(&folder.join("deaths.jsonl"), |_| {});
        let _ = ledger.and_then(|mut ledger| ledger.add(&line));
        if let Ok(_lock) = lock_soon(&folder) {
            let _ = fs::remove_dir_all(attempt.folder());
        }
    }
}

/// An exit code as the shell has it, which says signals, too.
fn died(code: i32) -> Death {
    if (129..=192).contains(&code) { Death::Signal(code - 128) } else { Death::Exit(code) }
}

/// A job's lock, unless a process of the job has it.
fn lock(folder: &Path) -> io::Result<File> {
    let file = File::options().append(true).create(true).open(folder.join("lock"))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

/// A job's lock, once those that were killed have let go of it.
fn lock_soon(folder: &Path) -> io::Result<File> {
    for _ in 0..40 {
        match lock(folder) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(50));
            }
            told => return told,
        }
    }
    lock(folder)
}

/// The last bytes of a plain file.
fn tail(path: &Path, most: u64) -> Option<String> {
    if !fs::symlink_metadata(path).ok()?.is_file() {
        return None;
    }
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most))).ok()?;
    let mut bytes = vec![];
    file.take(most).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
    last.iter().map(|line| printable(line)).collect::<Vec<_>>().join("\n")
}
