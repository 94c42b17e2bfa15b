//! Folders for what is needed for a while.

use crate::tidy::Ward;
use std::fs::{DirBuilder, remove_dir_all};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf, absolute};

/// A temporary folder. It goes with all that is in it when this is dropped, and when we die, however we
/// do.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    _ward: Ward,
}

impl Scratch {
    /// A new one, in the system's folder of temporary files.
    ///
    /// # Errors
    /// What the system says.
    pub fn new() -> io::Result<Scratch> {
        Scratch::in_folder(&std::env::temp_dir(), "hwgen-")
    }

    /// A new one in a folder, with a name that begins so.
    ///
    /// # Errors
    /// What the system says.
    pub fn in_folder(parent: &Path, prefix: &str) -> io::Result<Scratch> {
        let mut ward = None;
        // on the list before it is there: we may be killed in between
        let make = |path: &Path| {
            ward = Some(Ward::folder(path));
            DirBuilder::new().mode(0o700).create(path)
        };
        let made = tempfile::Builder::new().prefix(prefix).make_in(absolute(parent)?, make)?;
        let path = made.into_temp_path().keep()?;
        Ok(Scratch { path, _ward: ward.ok_or(io::ErrorKind::Other)? })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // it may have been put in its place under another name
        let _ = remove_dir_all(&self.path);
    }
}
