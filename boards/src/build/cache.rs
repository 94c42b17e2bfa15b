//! Steps of a build that have been done before are not done again.
//!
//! A step is a tool, its arguments, files that go in and names of files that come out. Its key is the
//! SHA-256 of all that goes in, the tool's version included. It runs in a folder of its own inside
//! the cache, which takes the key's name when all is there: a build that was killed resumes at the
//! step it was in.

use super::run::{self, Failed};
use hwgen_verify::tools::Found;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fs, io};

/// Results that are kept; the oldest go first.
const KEPT: usize = 256;
/// What a tool printed, beside its outputs.
const LOG: &str = "log.txt";
/// Folders of steps under way begin with it.
const PARTIAL: &str = ".partial-";
/// The longest file that is read back.
const MOST_BYTES: u64 = 1 << 30;
/// How long a step may take.
const LIMIT: Duration = Duration::from_secs(2 * 3600);

/// A run of a tool.
pub(super) struct Step<'a> {
    /// What it does: `synthesis`.
    pub(super) name: String,
    /// The tool.
    pub(super) tool: Found,
    /// Its arguments; files are named as in `inputs` and `outputs`.
    pub(super) arguments: Vec<String>,
    /// Files by name.
    pub(super) inputs: Vec<(&'a str, &'a [u8])>,
    /// Files it makes.
    pub(super) outputs: Vec<&'static str>,
}

/// What came out of a step.
#[derive(Debug)]
pub(super) struct Done {
    /// Files, in the order of the step's outputs.
    pub(super) files: Vec<Vec<u8>>,
    /// What the tool printed.
    pub(super) log: Vec<String>,
    /// Whether it had been done before.
    pub(super) cached: bool,
    /// How long it took now.
    pub(super) seconds: f64,
}

/// Why a step did not end.
pub(super) enum StepError {
    /// The tool failed.
    Tool(Failed),
    /// The tool says that all is well, and a file is missing.
    Missing(&'static str),
    /// The cache's disk.
    Disk(PathBuf, io::Error),
}

/// A folder of results.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens a cache, made if need be.
    pub(super) fn open(folder: &Path) -> io::Result<Cache> {
        fs::create_dir_all(folder)?;
        let cache = Cache { folder: folder.canonicalize()? };
        cache.sweep();
        Ok(cache)
    }

    /// The step's result, from the cache or from a run.
    pub(super) fn run(
        &self,
        step: &Step,
        on_line: &mut dyn FnMut(&str),
    ) -> Result<Done, StepError> {
        let began = Instant::now();
        let place = self.folder.join(key(step));
        if let Ok((files, log)) = read(&place, step) {
            let seconds = began.elapsed().as_secs_f64();
            return Ok(Done { files, log, cached: true, seconds });
        }
        let disk = |error| StepError::Disk(self.folder.clone(), error);
        let partial = tempfile::Builder::new().prefix(PARTIAL).tempdir_in(&self.folder);
        let partial = partial.map_err(disk)?;
        for (name, bytes) in &step.inputs {
            fs::write(partial.path().join(name), bytes).map_err(disk)?;
        }
        let mut command = step.tool.command();
        command.args(&step.arguments).current_dir(partial.path());
        let log = run::run(&mut command, LIMIT, on_line).map_err(StepError::Tool)?;
        for output in &step.outputs {
            let made = fs::metadata(partial.path().join(output));
            if !made.is_ok_and(|made| made.len() > 0) {
                return Err(StepError::Missing(output));
            }
        }
        for (name, _) in &step.inputs {
            fs::remove_file(partial.path().join(name)).map_err(disk)?;
        }
        fs::write(partial.path().join(LOG), log.join("\n")).map_err(disk)?;
        let (files, _) = read(partial.path(), step).map_err(disk)?;
        // what lies there under the key could not be read
        let _ = fs::remove_dir_all(&place);
        match fs::rename(partial.path(), &place) {
            Ok(()) => drop(partial.keep()),
            // another build was faster: its result is ours
            Err(_) if place.is_dir() => {}
            Err(error) => return Err(disk(error)),
        }
        Ok(Done { files, log, cached: false, seconds: began.elapsed().as_secs_f64() })
    }

    /// Removes what is too much, and steps that were killed a day ago or earlier. A cache that
    /// cannot be swept is no reason not to build.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        let mut kept = vec![];
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let made = entry.metadata().and_then(|data| data.modified()).unwrap_or(UNIX_EPOCH);
            let age = SystemTime::now().duration_since(made).unwrap_or_default();
            if name.starts_with(PARTIAL) && age > Duration::from_secs(24 * 3600) {
                let _ = fs::remove_dir_all(entry.path());
            } else if is_key(&name) {
                kept.push((made, entry.path()));
            }
        }
        kept.sort();
        for (_, path) in &kept[..kept.len().saturating_sub(KEPT)] {
            let _ = fs::remove_dir_all(path);
        }
    }
}

fn is_key(name: &str) -> bool {
    name.len() == 64 && name.chars().all(|c| c.is_ascii_hexdigit())
}

fn read(folder: &Path, step: &Step) -> io::Result<(Vec<Vec<u8>>, Vec<String>)> {
    let file = |name: &str| {
        let path = folder.join(name);
        if fs::metadata(&path)?.len() > MOST_BYTES {
            return Err(io::Error::other(format!("{name} has more than {MOST_BYTES} bytes")));
        }
        fs::read(path)
    };
    let log =
        String::from_utf8_lossy(&file(LOG).unwrap_or_default()).lines().map(String::from).collect();
    let files = step.outputs.iter().map(|name| file(name)).collect::<io::Result<_>>()?;
    // a result without its log is not whole
    if folder.join(LOG).is_file() { Ok((files, log)) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// All that a result depends on: parts with their lengths before them, so that none runs into the
/// next. A tool that does not tell its version is known by its file.
fn key(step: &Step) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    let path = step.tool.path.canonicalize().unwrap_or_else(|_| step.tool.path.clone());
    let data = fs::metadata(&path).ok();
    let made = data.as_ref().and_then(|data| data.modified().ok());
    let made = made.and_then(|made| made.duration_since(UNIX_EPOCH).ok());
    let identity = (data.map(|data| data.len()), made.map(|made| made.as_nanos()));
    for part in [step.tool.version.clone(), path.display().to_string(), format!("{identity:?}")] {
        add(part.as_bytes());
    }
    step.arguments.iter().for_each(|argument| add(argument.as_bytes()));
    add(b"inputs");
    for (name, bytes) in &step.inputs {
        add(name.as_bytes());
        add(bytes);
    }
    add(b"outputs");
    step.outputs.iter().for_each(|name| add(name.as_bytes()));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step<'a>(script: &str, input: &'a [u8]) -> Step<'a> {
        Step {
            name: "copying".into(),
            tool: Found { path: "/bin/sh".into(), version: "1".into() },
            arguments: vec!["-c".into(), script.into()],
            inputs: vec![("in", input)],
            outputs: vec!["out"],
        }
    }

    fn run(cache: &Cache, step: &Step) -> Done {
        cache.run(step, &mut |_| {}).ok().unwrap()
    }

    #[test]
    fn a_step_is_done_once() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("cache")).unwrap();
        let copy = step("cat in > out; echo copied", b"bytes");
        for cached in [false, true] {
            let done = run(&cache, &copy);
            assert_eq!((done.cached, &done.files[0][..]), (cached, &b"bytes"[..]));
            assert_eq!(done.log, ["copied"]);
        }
        assert!(!run(&cache, &step("cat in > out; echo copied", b"byteS")).cached);
        assert!(!run(&cache, &step("cat in > out", b"bytes")).cached);
        let mut newer = step("cat in > out; echo copied", b"bytes");
        newer.tool.version = "2".into();
        assert!(!run(&cache, &newer).cached);
    }

    #[test]
    fn what_failed_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        for _ in 0..2 {
            let failed = cache.run(&step("cat in > out; exit 1", b"x"), &mut |_| {});
            assert!(matches!(failed, Err(StepError::Tool(_))));
            let empty = cache.run(&step("true", b"x"), &mut |_| {});
            assert!(matches!(empty, Err(StepError::Missing("out"))));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_spoilt_result_is_made_anew_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let copy = step("cat in > out", b"bytes");
        run(&cache, &copy);
        fs::remove_file(folder.path().join(key(&copy)).join("out")).unwrap();
        assert!(!run(&cache, &copy).cached);
        for n in 0..KEPT {
            fs::create_dir(folder.path().join(format!("{n:064x}"))).unwrap();
        }
        Cache::open(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), KEPT);
    }
}
