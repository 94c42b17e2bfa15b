//! How a command ends when it does not end well.

use hwgen_boards::board::BoardError;
use hwgen_designs::spec::LoadError;
use hwgen_files::{FileError, causes};
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
    /// A program that we stand for ended so, and said why.
    Told(u8),
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
            tell!("error: {}", causes(error.as_ref()));
            ExitCode::from(2)
        }
        Failure::Error(error) => {
            tell!("error: {}", causes(error.as_ref()));
            ExitCode::FAILURE
        }
        Failure::Check => ExitCode::FAILURE,
        Failure::Told(code) => ExitCode::from(code),
        Failure::ReaderLeft => ExitCode::SUCCESS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_said_once_and_without_numbers() {
        let system = || std::io::Error::from_raw_os_error(2);
        let none = "No such file or directory";
        let error = anyhow::Error::from(system()).context(format!("no `x`: {}", system()));
        assert_eq!(causes(error.as_ref()), format!("no `x`: {none}"));
        let error = anyhow::Error::from(system()).context("no `x`").context("cannot go on");
        assert_eq!(causes(error.as_ref()), format!("cannot go on: no `x`: {none}"));
        assert_eq!(causes(anyhow::anyhow!("a (os error 13) and b").as_ref()), "a and b");
    }
}
