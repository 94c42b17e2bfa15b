//! Getting a bitstream onto a board.

mod header;

use crate::board::{Board, Family};
use hwgen_tools::{ToolError, require_in, run};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

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
        source: io::Error,
    },
    /// It is none.
    #[error(
        "{} begins as no bitstream does: .bin of iCE40, .bit of ECP5 and Xilinx, .fs of Gowin are known",
        path.display()
    )]
    NoBitstream {
        /// The file.
        path: PathBuf,
    },
    /// It is for another FPGA.
    #[error("{} is a bitstream for {found}; board `{board}` has {has}", path.display())]
    OtherFpga {
        /// The file.
        path: PathBuf,
        /// What it is for.
        found: String,
        /// The board.
        board: String,
        /// Its FPGA.
        has: String,
    },
    /// The program is older than the board.
    #[error(
        "the openFPGALoader here does not know board `{board}`, which it calls {name}: a later version may (`openFPGALoader --list-boards`)"
    )]
    UnknownBoard {
        /// The board.
        board: String,
        /// Its name there.
        name: String,
    },
}

/// How long openFPGALoader may take to list its boards.
const LIST_LIMIT: Duration = Duration::from_secs(20);

/// The names of boards that openFPGALoader knows; `None` if it is not here or does not tell.
pub fn known_boards(folders: &[PathBuf]) -> Option<Vec<String>> {
    let mut loader = require_in("openFPGALoader", folders).ok()?.command();
    let listed = run(loader.arg("--list-boards"), LIST_LIMIT).ok()?.stdout;
    let names = listed.lines().filter_map(|line| line.split_whitespace().next());
    let names: Vec<_> = names.map(str::to_owned).collect();
    // a head line alone is no list
    (names.len() > 1).then_some(names)
}

/// Whether a file is a bitstream for a board's FPGA.
fn check(board: &Board, path: &Path) -> Result<(), ProgramError> {
    let failed = |source| ProgramError::File { path: path.into(), source };
    let mut begins = vec![];
    let file = File::open(path).map_err(failed)?;
    file.take(header::BYTES as u64).read_to_end(&mut begins).map_err(failed)?;
    let none = || ProgramError::NoBitstream { path: path.into() };
    let told = header::read(&begins).ok_or_else(none)?;
    if header::fits(&told, &board.fpga) {
        return Ok(());
    }
    let family = told.family.title();
    let found = told.part.map_or(family.to_owned(), |part| format!("{family} {part}"));
    let has = format!("{} {}", board.fpga.family.title(), board.fpga.device);
    Err(ProgramError::OtherFpga { path: path.into(), found, board: board.name.clone(), has })
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
    if loader == Loader::Iceprog && !board.program.iceprog {
        return Err(ProgramError::NotIce40(board.name.clone()));
    }
    check(board, &file)?;
    let mut command = match loader {
        Loader::OpenFpgaLoader => {
            let name = &board.program.openfpgaloader;
            if known_boards(folders).is_some_and(|known| !known.contains(name)) {
                let (board, name) = (board.name.clone(), name.clone());
                return Err(ProgramError::UnknownBoard { board, name });
            }
            let mut command = require_in("openFPGALoader", folders)?.command();
            command.args(["-b", &board.program.openfpgaloader]);
            if flash && board.fpga.family != Family::Ice40 {
                command.arg("-f");
            }
            command
        }
        Loader::Iceprog => {
            let mut command = require_in("iceprog", folders)?.command();
            if !flash && board.fpga.device == "hx8k" {
                command.arg("-S");
            }
            command
        }
    };
    command.arg(file);
    Ok(command)
}
