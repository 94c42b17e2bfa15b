//! Lines that are believed only as they were written.

use crate::FileError;
use crate::manifest::digest;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The most that is read.
const MOST_BYTES: u64 = 1 << 30;

/// How a line begins; a digest's first digits and [`CLOSE`] follow.
const OPEN: &str = r#"{"sum":""#;
const CLOSE: &str = r#"","#;

/// Digits of the digest that a line has.
const DIGITS: usize = 16;

/// A file to which lines are added, each a JSON object that begins with the digest of the rest, so
/// that a damaged line, or one that was half written when we were killed, is passed over. Nothing in
/// the file is ever changed.
#[derive(Debug)]
pub struct SealedLines {
    path: PathBuf,
    file: File,
    /// Lines that were passed over.
    pub damaged: usize,
}

impl SealedLines {
    /// Opens a file, or starts one, and shows each good line, as the object that was added.
    ///
    /// # Errors
    /// What the system says; the file has other things in it.
    pub fn open(path: &Path, mut show: impl FnMut(&str)) -> Result<SealedLines, FileError> {
        let failed = || FileError::io("use", path);
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).open(path).map_err(failed())?;
        let bytes = crate::read(path, MOST_BYTES)?;
        let (mut good, mut damaged) = (0, 0);
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match opened(line) {
                Some(object) => {
                    show(&object);
                    good += 1;
                }
                None => damaged += 1,
            }
        }
        // one line, cut short: we were killed over the first
        let begun =
            damaged == 1 && OPEN.as_bytes().starts_with(&bytes[..bytes.len().min(OPEN.len())]);
        if good == 0 && damaged > 0 && !begun {
            let what = "it has no lines of this version's: move it away, or name another folder";
            return Err(FileError::Foreign { path: path.into(), what });
        }
        if bytes.last().is_some_and(|last| *last != b'\n') {
            file.write_all(b"\n").map_err(failed())?;
        }
        Ok(SealedLines { path: path.into(), file, damaged })
    }

    /// Adds an object, as JSON without a line's end.
    ///
    /// # Errors
    /// What the system says.
    pub fn add(&mut self, object: &str) -> Result<(), FileError> {
        let rest = object.strip_prefix('{').unwrap_or(object);
        let line = format!("{OPEN}{}{CLOSE}{rest}\n", sum(rest));
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(FileError::io("write", &self.path))
    }
}

fn sum(rest: &str) -> String {
    digest(rest.as_bytes())[..DIGITS].to_owned()
}

/// The object in a line, if the line is as it was written.
fn opened(line: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?.strip_prefix(OPEN)?;
    let (said, rest) = line.split_at_checked(DIGITS)?;
    let rest = rest.strip_prefix(CLOSE)?;
    (said == sum(rest)).then(|| format!("{{{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &Path) -> (Vec<String>, SealedLines) {
        let mut seen = vec![];
        let lines = SealedLines::open(path, |line| seen.push(line.to_owned())).unwrap();
        (seen, lines)
    }

    #[test]
    fn a_changed_byte_costs_its_line_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let objects = [r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#];
        let mut file = lines(&path).1;
        objects.iter().for_each(|object| file.add(object).unwrap());
        let whole = std::fs::read(&path).unwrap();
        let each = whole.len() / 3;
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            std::fs::write(&path, &bytes).unwrap();
            let (seen, _) = lines(&path);
            // without its end, a line runs into the next
            let lost = if at % each == each - 1 && at / each < 2 { 2 } else { 1 };
            let end = at == whole.len() - 1;
            assert_eq!(seen.len(), 3 - lost, "byte {at}");
            assert!(std::fs::read(&path).unwrap().starts_with(&bytes), "nothing is taken away");
            assert!(end || at / each == 0 || seen[0] == objects[0]);
        }
    }

    #[test]
    fn goes_on_where_it_was_killed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let mut file = lines(&path).1;
        file.add(r#"{"a":1}"#).unwrap();
        file.add(r#"{"b":2}"#).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in 0..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            lines(&path).1.add(r#"{"c":3}"#).unwrap();
            let (seen, file) = lines(&path);
            assert_eq!(seen.last().unwrap(), r#"{"c":3}"#, "{length}");
            let kept = (length + 1) / (whole.len() / 2);
            assert_eq!((seen.len(), file.damaged < 2), (kept + 1, true), "{length}");
        }
    }

    #[test]
    fn what_others_wrote_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        for text in ["mine\n", "{\"sum\":\"\n{\"sum\":\"\n", "{\"key\":\"a\"}\n"] {
            std::fs::write(&path, text).unwrap();
            let error = SealedLines::open(&path, |_| {}).unwrap_err().to_string();
            assert!(error.contains("no lines of this version"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
