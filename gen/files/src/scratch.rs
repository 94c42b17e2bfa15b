//! Folders for what is needed for a while.

use crate::tidy::Ward;
use std::io;
use std::path::Path;
use tempfile::TempDir;

/// A temporary folder. It goes with all that is in it when this is dropped, and when we die, however we
/// do.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
    // after it: until it is gone it is guarded
    _ward: Ward,
}

impl Scratch {
    /// A new one, in the system's folder of temporary files.
    ///
    /// # Errors
    /// What the system says.
    pub fn new() -> io::Result<Scratch> {
        let folder = tempfile::Builder::new().prefix("hwgen-").tempdir()?;
        let ward = Ward::folder(&std::path::absolute(folder.path())?);
        Ok(Scratch { folder, _ward: ward })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}
