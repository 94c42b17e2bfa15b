//! Why a farm does not go on.

use hwgen_files::FileError;
use hwgen_tools::ToolError;

/// Why jobs could not be taken, started or looked after. What is wrong with one job alone is
/// told with its end.
#[derive(Debug, thiserror::Error)]
pub enum FarmError {
    /// An engine's description that says nothing.
    #[error("no engine `{got}`: {why}; write local, local:4, slurm, slurm:partition=NAME or hq")]
    Engine {
        /// What was asked for.
        got: String,
        /// What is wrong with it.
        why: String,
    },
    /// No program can be given such a word.
    #[error("job `{kind}`: {what} has a zero byte in it, which no program can be given")]
    Zero {
        /// The job's kind.
        kind: String,
        /// Which word.
        what: &'static str,
    },
    /// More than a request may have.
    #[error("job `{kind}`: its request has {got} bytes, more than {most}: put the data in a file")]
    Large {
        /// The job's kind.
        kind: String,
        /// Its request's bytes.
        got: usize,
        /// What it may have.
        most: u64,
    },
    /// A file of the farm.
    #[error(transparent)]
    File(#[from] FileError),
    /// A command of Slurm or HyperQueue.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A command answered what we do not understand.
    #[error("`{command}` answered `{got}`, not {expected}")]
    Answer {
        /// The command.
        command: &'static str,
        /// Its answer's beginning.
        got: String,
        /// What was expected.
        expected: &'static str,
    },
}

impl FarmError {
    pub(crate) fn answer(command: &'static str, got: &str, expected: &'static str) -> FarmError {
        let got = hwgen_files::printable(&got.chars().take(200).collect::<String>());
        FarmError::Answer { command, got, expected }
    }
}
