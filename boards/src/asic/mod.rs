//! From Verilog to a layout in the OSU 0.18 um cells: qflow with Yosys, graywolf, qrouter, magic
//! and netgen.
//!
//! [`build`] runs the steps in a folder of its own, which takes its name when all is there, and
//! [`Report`] tells what came out: cells, die, routes, design rules, layout against netlist,
//! clock after routing. `docs/asic.md` has the figures seen and what is not tested.

mod flow;
mod layout;
mod picture;
mod report;

pub use flow::{Built, build};
pub use layout::{Layout, Wire};
pub use report::Report;

use hwgen_files::{FileError, reason};
use hwgen_tools::ToolError;
use std::path::PathBuf;

/// Why there is no layout.
#[derive(Debug, thiserror::Error)]
pub enum AsicError {
    /// A tool is missing or failed.
    #[error("{step}: {source}")]
    Tool {
        /// The step of the flow.
        step: &'static str,
        /// What happened.
        source: ToolError,
    },
    /// The module has no text.
    #[error("cannot print `{module}`: {reason}")]
    Emission {
        /// The module's name.
        module: String,
        /// Why.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("cannot {what} {}: {}", path.display(), reason(source))]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A step left no result, or one that cannot be read.
    #[error("{step} left nothing to read in {}: {what}", path.display())]
    Unread {
        /// The step of the flow.
        step: &'static str,
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// A file or folder cannot be used.
    #[error(transparent)]
    Whole(#[from] FileError),
    /// Something in the output folder is not as it was built.
    #[error("{} is not as hwgen built it: move its folder away, or name another", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The output folder is somebody else's.
    #[error("{} is there and no layout of hwgen's: name another folder", path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
    },
}

impl AsicError {
    fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| AsicError::File { what, path, source }
    }
}
