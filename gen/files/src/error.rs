//! What may go wrong with a file.

use std::io;
use std::path::{Path, PathBuf};

/// Why a file was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system said no.
    #[error("cannot {act} {}: {}", shown(path), reason(cause))]
    Io {
        /// What was tried: `read`, `write`.
        act: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said; no `source`, since the text has it.
        cause: io::Error,
    },
    /// Larger than the reader takes.
    #[error("cannot read {}: it has more than {most} bytes", shown(path))]
    Large {
        /// The file.
        path: PathBuf,
        /// Bytes that are taken at most.
        most: u64,
    },
    /// A folder, a device, a socket.
    #[error("cannot {act} {}: it is {what}, not a file", shown(path))]
    NoFile {
        /// What was tried.
        act: &'static str,
        /// The path.
        path: PathBuf,
        /// What is there: `a folder`, `a device`.
        what: &'static str,
    },
    /// A file or folder of another user's, who could put anything into it.
    #[error(
        "cannot use {}: it belongs to user {owner}; name a folder of your own with HWGEN_CACHE",
        shown(path)
    )]
    NotOurs {
        /// The path.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// A file that is there and not for us to change.
    #[error("{} is there: {what}", shown(path))]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Why not, and what to do.
        what: &'static str,
    },
    /// Bytes that are no text.
    #[error("cannot read {}: it is no UTF-8 text (byte {at})", shown(path))]
    NoText {
        /// The file.
        path: PathBuf,
        /// The first byte that is none.
        at: usize,
    },
}

impl FileError {
    /// What is wrong, for who names the file himself.
    pub fn why(&self) -> String {
        let (text, path) = (self.to_string(), self.path());
        let said = text.split_once(&shown(path)).map_or(text.as_str(), |(_, said)| said);
        said.trim_start_matches(": ").to_owned()
    }

    fn path(&self) -> &Path {
        match self {
            FileError::Io { path, .. }
            | FileError::Large { path, .. }
            | FileError::NoFile { path, .. }
            | FileError::NotOurs { path, .. }
            | FileError::Foreign { path, .. }
            | FileError::NoText { path, .. } => path,
        }
    }

    /// An error of the system, for `map_err`.
    pub fn io(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
        let path = path.to_path_buf();
        move |cause| FileError::Io { act, path, cause }
    }
}

/// A path as it may be printed.
fn shown(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".into()
    } else {
        printable(&path.to_string_lossy())
    }
}

/// A text from outside as it may be printed: control characters, which could move a terminal's cursor
/// or set its title, are escaped.
pub fn printable(text: &str) -> String {
    let plain = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
    text.chars().map(plain).collect()
}

/// The system's reason without `(os error 2)`, which tells nobody anything, and without the
/// temporary name that libraries add.
pub fn reason(error: &io::Error) -> String {
    let text = match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code).to_string(),
        None => error.to_string(),
    };
    text.split(" (os error ").next().unwrap_or_default().to_string()
}

/// An error and its causes, each said once, without `(os error 2)`.
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = without_numbers(&error.to_string());
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = without_numbers(&inner.to_string());
        if !text.contains(&said) {
            text += &format!(": {said}");
        }
        cause = inner.source();
    }
    text
}

fn without_numbers(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let end = part.trim_start_matches(|c: char| c.is_ascii_digit());
        text + end.strip_prefix(')').unwrap_or(end)
    })
}
