//! How a command ends when it does not end well.

use hwgen_boards::board::BoardError;
use hwgen_designs::spec::LoadError;
use hwgen_files::FileError;
use std::process::ExitCode;

/// Why a command stops.
///
/// `?` on a [`LoadError`] makes it [`Failure::Usage`], on any other error [`Failure::Error`]; what is
/// wrong with a parameter is said with [`usage`].
#[derive(Debug)]
pub(crate) enum Failure {
    /// A wrong parameter: exit code 2.
    Usage(anyhow::Error),
    /// A file or a tool failed: exit code 1.
    Error(anyhow::Error),
    /// A check failed and was reported: exit code 1.
    Check,
    /// Whoever reads our output has enough: exit code 0.
    ReaderLeft,
}

/// A wrong parameter, for `map_err` and `ok_or_else`: exit code 2.
pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Failure {
    Failure::Usage(error.into())
}

/// A wrong parameter, in words: exit code 2.
pub(crate) fn wrong<T>(text: impl std::fmt::Display) -> Result<T, Failure> {
    Err(Failure::Usage(anyhow::anyhow!("{text}")))
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        Failure::Usage(anyhow::anyhow!("{error}"))
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Failure {
        Failure::Error(error.into())
    }
}

impl From<BoardError> for Failure {
    fn from(error: BoardError) -> Failure {
        match error {
            BoardError::Unknown { .. } => usage(error),
            // a file that is damaged or is not there
            _ => Failure::Error(error.into()),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        Failure::Error(error)
    }
}

/// Tells it on stderr; returns the exit code.
pub(crate) fn report(failure: Failure) -> ExitCode {
    match failure {
        Failure::Usage(error) => {
            tell!("error: {}", plain(&error));
            ExitCode::from(2)
        }
        Failure::Error(error) => {
            tell!("error: {}", plain(&error));
            ExitCode::FAILURE
        }
        Failure::Check => ExitCode::FAILURE,
        Failure::ReaderLeft => ExitCode::SUCCESS,
    }
}

/// An error and its causes, each said once, without `(os error 2)`, which tells nobody anything.
fn plain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let said = without_numbers(&cause.to_string());
        if text.is_empty() {
            text = said;
        } else if !text.contains(&said) {
            text += &format!(": {said}");
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_said_once_and_without_numbers() {
        let system = || std::io::Error::from_raw_os_error(2);
        let none = "No such file or directory";
        let error = anyhow::Error::from(system()).context(format!("no `x`: {}", system()));
        assert_eq!(plain(&error), format!("no `x`: {none}"));
        let error = anyhow::Error::from(system()).context("no `x`").context("cannot go on");
        assert_eq!(plain(&error), format!("cannot go on: no `x`: {none}"));
        assert_eq!(without_numbers("a (os error 13) and b"), "a and b");
    }
}
