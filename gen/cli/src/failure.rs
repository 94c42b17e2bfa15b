//! How a command ends when it does not end well.

use hwgen_designs::spec::LoadError;
use std::process::ExitCode;

/// Why a command stops.
pub(crate) enum Failure {
    /// A wrong parameter: exit code 2.
    Usage(LoadError),
    /// A file or a tool failed: exit code 1.
    Error(anyhow::Error),
    /// A check failed and was reported: exit code 1.
    Check,
    /// Whoever reads our output has enough: exit code 0.
    ReaderLeft,
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        Failure::Usage(error)
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
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
        Failure::Error(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
        Failure::Check => ExitCode::FAILURE,
        Failure::ReaderLeft => ExitCode::SUCCESS,
    }
}
