//! Getting a bitstream onto a board.

use crate::board::{Board, Family};
use hwgen_verify::tools::{ToolError, require_in};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which program loads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loader {
    /// `openFPGALoader`, which knows all our boards.
    #[default]
    OpenFpgaLoader,
    /// icestorm's `iceprog`.
    Iceprog,
}

/// Why it cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// The program is missing.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// iceprog is for iCE40.
    #[error("iceprog does not load board `{0}`: use openFPGALoader")]
    NotIce40(String),
    /// No such file.
    #[error("cannot read the bitstream {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// The command that loads a bitstream into the FPGA, or with `flash` into what it starts from. An
/// iCE40 is always loaded through its flash, but for iceprog without `flash` on a board whose
/// jumpers let it.
pub fn command(
    board: &Board,
    file: &Path,
    loader: Loader,
    flash: bool,
    folders: &[PathBuf],
) -> Result<Command, ProgramError> {
    // absolute: a file named `-e` stays a file
    let file =
        file.canonicalize().map_err(|source| ProgramError::File { path: file.into(), source })?;
    let mut command = match loader {
        Loader::OpenFpgaLoader => {
            let mut command = require_in("openFPGALoader", folders)?.command();
            command.args(["-b", &board.program.openfpgaloader]);
            if flash && board.fpga.family != Family::Ice40 {
                command.arg("-f");
            }
            command
        }
        Loader::Iceprog if board.program.iceprog => {
            let mut command = require_in("iceprog", folders)?.command();
            if !flash && board.fpga.device == "hx8k" {
                command.arg("-S");
            }
            command
        }
        Loader::Iceprog => return Err(ProgramError::NotIce40(board.name.clone())),
    };
    command.arg(file);
    Ok(command)
}
