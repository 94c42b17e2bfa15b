//! How the command ends when it does not end well: the exit codes of hwgen.

use hwgen_boards::board::BoardError;
use hwgen_data::DataError;
use hwgen_files::{FileError, causes};
use hwgen_search::search::SearchError;
use hwgen_search::space::SpaceError;
use std::io::ErrorKind;
use std::process::ExitCode;

/// Why it stops.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A wrong parameter: exit code 2.
    Usage(anyhow::Error),
    /// A file failed, or nothing was found: exit code 1.
    Error(anyhow::Error),
    /// Whoever reads our output has enough: exit code 0.
    ReaderLeft,
}

/// A wrong parameter, in words.
pub(super) fn wrong<T>(text: impl std::fmt::Display) -> Result<T, Failure> {
    Err(Failure::Usage(anyhow::anyhow!("{text}")))
}

impl From<SpaceError> for Failure {
    fn from(error: SpaceError) -> Failure {
        Failure::Usage(error.into())
    }
}

impl From<BoardError> for Failure {
    fn from(error: BoardError) -> Failure {
        match error {
            BoardError::Unknown { .. } => Failure::Usage(error.into()),
            // a file that is damaged or is not there
            _ => Failure::Error(error.into()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        match error.kind() {
            // `hwgen search .. | head` is no mistake
            ErrorKind::BrokenPipe => Failure::ReaderLeft,
            _ => Failure::Error(anyhow::Error::from(error).context("cannot write to stdout")),
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Failure {
        Failure::Error(error.into())
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Failure {
        Failure::Error(error.into())
    }
}

impl From<SearchError> for Failure {
    fn from(error: SearchError) -> Failure {
        match error {
            SearchError::Space(error) => error.into(),
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
    let (error, code) = match failure {
        Failure::Usage(error) => (error, 2),
        Failure::Error(error) => (error, 1),
        Failure::ReaderLeft => return ExitCode::SUCCESS,
    };
    tell!("error: {}", causes(error.as_ref()));
    ExitCode::from(code)
}
