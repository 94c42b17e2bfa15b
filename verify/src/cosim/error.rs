//! What can go wrong between us and a simulator.

use hwgen_files::{FileError, reason};
use hwgen_hdl::sim::SimError;
use hwgen_tools::ToolError;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a co-simulation cannot be made, or ended early.
#[derive(Debug, thiserror::Error)]
pub enum CosimError {
    /// A tool is missing or failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// Our own engine refuses.
    #[error(transparent)]
    Simulator(#[from] SimError),
    /// The module cannot be printed.
    #[error("module `{module}` cannot be printed: {reason}")]
    Emission {
        /// Its name.
        module: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the cache cannot be made or read.
    #[error("cannot {what} {}: {} (HWGEN_CACHE names another folder)", path.display(), reason(source))]
    File {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] FileError),
    /// A simulator ended, or was stopped because it did not answer.
    #[error(
        "`{command}` gave no answer ({}); it ended, or was stopped after {} s:\n{tail}",
        reason(source), limit.as_secs()
    )]
    Died {
        /// Its command line.
        command: String,
        /// What the pipe said.
        source: io::Error,
        /// The time it has for an answer.
        limit: Duration,
        /// The last lines it printed.
        tail: String,
    },
    /// A tool printed something else than expected.
    #[error("unexpected answer: {what}")]
    Protocol {
        /// What was seen.
        what: String,
    },
    /// The shims know 32 clocks.
    #[error("module `{module}` has {clocks} clocks; co-simulation takes at most 32")]
    TooManyClocks {
        /// Its name.
        module: String,
        /// How many it has.
        clocks: usize,
    },
    /// There is no engine of that name.
    #[error("no engine `{name}`; there are {known}")]
    UnknownEngine {
        /// What was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// Traffic names an input that is not there.
    #[error("module `{module}` has no input `{input}`")]
    NoInput {
        /// The module's name.
        module: String,
        /// What was named.
        input: String,
    },
    /// A tool that only reads the text found something.
    #[error(transparent)]
    Unclean(Finding),
}

/// What a lint or a check found.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{tool}, module `{module}`:\n{text}")]
pub struct Finding {
    /// The tool.
    pub tool: &'static str,
    /// The top module of the text.
    pub module: String,
    /// What it said.
    pub text: String,
}

impl CosimError {
    /// Makes an error of a failed file operation.
    pub(super) fn file(
        what: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> CosimError {
        let path = path.as_ref().to_path_buf();
        move |source| CosimError::File { what, path, source }
    }
}
