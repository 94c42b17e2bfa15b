//! A job and its name.

use crate::FarmError;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

/// Bytes of a request at most.
pub(crate) const MOST_REQUEST: u64 = 16 << 20;

/// A program's run on a request.
///
/// The program is started as `PROGRAM ARGUMENTS.. FOLDER`, in that folder, where `request.json` is. It
/// writes `result.json` there and ends with exit code 0; what else it leaves there is kept beside the
/// result. [`work`](crate::work) is the program's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The program: a path, or a name to be found on the `PATH` of the machine that runs it.
    pub program: PathBuf,
    /// Its arguments, before the folder.
    pub arguments: Vec<OsString>,
    /// Which build of the program it is: results of another are not taken.
    pub version: String,
    /// What is done: `evaluate`, `train`.
    pub kind: String,
    /// What the result depends on, all of it; JSON, as the program likes it.
    pub request: Vec<u8>,
    /// How long an attempt may take; in whole seconds, rounded up, on Slurm and HyperQueue.
    pub limit: Option<Duration>,
}

/// A job's name and that of its folder: the digest of version, kind and request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Job {
    /// Its name. Arguments and limit are not in it: what changes the result belongs into the request.
    pub fn key(&self) -> Key {
        let parts = [self.version.as_bytes(), self.kind.as_bytes(), &self.request];
        // lengths first, or the end of one could be the beginning of the next
        let lengths = parts.map(|part| (part.len() as u64).to_le_bytes());
        Key(hwgen_files::digest(&[lengths.concat(), parts.concat()].concat()))
    }

    /// Whether it can be run at all.
    pub(crate) fn check(&self) -> Result<(), FarmError> {
        let zero = |word: &OsStr| word.as_bytes().contains(&0);
        let of = |what| FarmError::Zero { kind: hwgen_files::printable(&self.kind), what };
        if zero(self.program.as_os_str()) {
            return Err(of("the program"));
        }
        if self.arguments.iter().any(|word| zero(word)) {
            return Err(of("an argument"));
        }
        let got = self.request.len();
        if got as u64 > MOST_REQUEST {
            let kind = hwgen_files::printable(&self.kind);
            return Err(FarmError::Large { kind, got, most: MOST_REQUEST });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(version: &str, kind: &str, request: &str) -> Job {
        Job {
            program: "sh".into(),
            arguments: vec![],
            version: version.into(),
            kind: kind.into(),
            request: request.into(),
            limit: None,
        }
    }

    #[test]
    fn names_tell_jobs_apart() {
        let same = job("1", "train", "{}");
        assert_eq!(same.key(), Job { arguments: vec!["-v".into()], ..same.clone() }.key());
        let others = [
            job("2", "train", "{}"),
            job("1", "rain", "{}"),
            job("1", "train", "{ }"),
            job("1t", "rain", "{}"),
            job("1", "train{", "}"),
        ];
        for other in others {
            assert_ne!(same.key(), other.key(), "{other:?}");
        }
        assert_eq!(same.key().as_str().len(), 64);
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        let mut bad = job("1", "train", "{}");
        bad.arguments.push("a\0b".into());
        let error = bad.check().unwrap_err().to_string();
        let told = "job `train`: an argument has a zero byte in it, which no program can be given";
        assert_eq!(error, told);
        let large = Job { request: vec![b' '; (16 << 20) + 1], ..job("1", "a\n", "") };
        let error = large.check().unwrap_err().to_string();
        assert!(error.starts_with("job `a\\n`: its request has 16777217 bytes"), "{error}");
    }
}
