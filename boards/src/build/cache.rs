//! Steps of a build that have been done before are not done again.
//!
//! A step is a tool, its arguments, files that go in and names of files that come out. Its key is the
//! SHA-256 of all that goes in, the tool's version included. It runs in a folder of its own inside
//! the cache, which takes the key's name when all is there: a build that was killed resumes at the
//! step it was in. What is kept counts only if it is as it was made, to the bit.

use super::run::{self, Failed};
use hwgen_files::FileError;
use hwgen_tools::Found;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// Results that are kept; the oldest go first.
const KEPT: usize = 256;
/// What a tool printed, beside its outputs.
const LOG: &str = "log.txt";
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
    Disk(FileError),
}

impl From<FileError> for StepError {
    fn from(error: FileError) -> StepError {
        StepError::Disk(error)
    }
}

/// A folder of results.
#[derive(Clone, Debug)]
pub(super) struct Cache(hwgen_files::Cache);

impl Cache {
    /// Opens a cache, made if need be.
    pub(super) fn open(folder: &Path) -> Result<Cache, FileError> {
        let cache = Cache(hwgen_files::Cache::open(folder)?);
        cache.sweep();
        Ok(cache)
    }

    /// The step's result, from the cache or from a run.
    pub(super) fn run(
        &self,
        step: &Step,
        on_line: &mut dyn FnMut(&str),
    ) -> Result<Done, StepError> {
        let (began, key) = (Instant::now(), key(step));
        if let Some(place) = self.0.get(&key)
            && let Ok((files, log)) = read(&place, step)
        {
            let seconds = began.elapsed().as_secs_f64();
            return Ok(Done { files, log, cached: true, seconds });
        }
        let making = self.0.make()?;
        let at = |name: &str| making.path().join(name);
        let write = |name: &str, bytes: &[u8]| {
            fs::write(at(name), bytes).map_err(FileError::io("write", &at(name)))
        };
        for (name, bytes) in &step.inputs {
            write(name, bytes)?;
        }
        let mut command = step.tool.command();
        command.args(&step.arguments).current_dir(making.path());
        let log = run::run(&command, LIMIT, on_line).map_err(StepError::Tool)?;
        for output in &step.outputs {
            if !fs::metadata(at(output)).is_ok_and(|made| made.len() > 0) {
                return Err(StepError::Missing(output));
            }
        }
        for (name, _) in &step.inputs {
            fs::remove_file(at(name)).map_err(FileError::io("remove", &at(name)))?;
        }
        write(LOG, log.join("\n").as_bytes())?;
        let (files, _) = read(making.path(), step)?;
        making.keep(&key)?;
        Ok(Done { files, log, cached: false, seconds: began.elapsed().as_secs_f64() })
    }

    /// Removes what is too much. A cache that cannot be swept is no reason not to build.
    fn sweep(&self) {
        let entries = fs::read_dir(self.0.folder()).into_iter().flatten().flatten();
        let results = entries.filter(|entry| is_key(&entry.file_name().to_string_lossy()));
        let mut kept: Vec<_> = results
            .map(|entry| {
                let made = entry.metadata().and_then(|data| data.modified());
                (made.unwrap_or(UNIX_EPOCH), entry.path())
            })
            .collect();
        kept.sort();
        for (_, path) in &kept[..kept.len().saturating_sub(KEPT)] {
            let _ = fs::remove_dir_all(path);
        }
    }
}

fn is_key(name: &str) -> bool {
    name.len() == 64 && name.chars().all(|c| c.is_ascii_hexdigit())
}

fn read(folder: &Path, step: &Step) -> Result<(Vec<Vec<u8>>, Vec<String>), FileError> {
    let file = |name: &str| hwgen_files::read(&folder.join(name), MOST_BYTES);
    let log = String::from_utf8_lossy(&file(LOG)?).lines().map(String::from).collect();
    let files = step.outputs.iter().map(|name| file(name)).collect::<Result<_, _>>()?;
    Ok((files, log))
}

/// All that a result depends on: parts with their lengths before them, so that none runs into the
/// next.
fn key(step: &Step) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(step.tool.identity().as_bytes());
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
    fn a_damaged_result_is_made_anew_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let copy = step("cat in > out", b"bytes");
        run(&cache, &copy);
        let place = folder.path().join(key(&copy));
        let damages: [&dyn Fn(); 3] = [
            &|| fs::remove_file(place.join("out")).unwrap(),
            &|| fs::write(place.join("out"), b"bytez").unwrap(),
            &|| fs::write(place.join(LOG), b"timing met").unwrap(),
        ];
        for damage in damages {
            damage();
            let done = run(&cache, &copy);
            assert_eq!((done.cached, &done.files[0][..]), (false, &b"bytes"[..]));
            assert!(run(&cache, &copy).cached);
        }
        for n in 0..KEPT {
            fs::create_dir(folder.path().join(format!("{n:064x}"))).unwrap();
        }
        Cache::open(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), KEPT);
    }
}
