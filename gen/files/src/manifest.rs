//! What lies in a folder, by digest: lines as `sha256sum` has them, which can check them.

use crate::FileError;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// A manifest is short.
const MOST_BYTES: u64 = 1 << 24;

/// Names of files, with slashes if they lie deeper, and the SHA-256 of their content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest(pub(crate) BTreeMap<String, String>);

impl Manifest {
    /// What is written down in a file; nothing if it is not there or is none.
    pub(crate) fn read(path: &Path) -> Manifest {
        let text = crate::read_text(path, MOST_BYTES).unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.split_once("  "));
        Manifest(lines.map(|(digest, name)| (name.to_owned(), digest.to_owned())).collect())
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect()
    }

    /// All that a folder has, but for the file of this name. A link or a device is an error: no
    /// digest stands for it.
    pub(crate) fn of(folder: &Path, but: &str) -> Result<Manifest, FileError> {
        let mut manifest = Manifest::default();
        manifest.add(folder, "", but)?;
        Ok(manifest)
    }

    fn add(&mut self, folder: &Path, before: &str, but: &str) -> Result<(), FileError> {
        let failed = || FileError::io("read folder", folder);
        for entry in fs::read_dir(folder).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(failed())?);
            let name = format!("{before}{}", entry.file_name().to_string_lossy());
            if kind.is_dir() {
                self.add(&path, &format!("{name}/"), but)?;
            } else if kind.is_file() {
                if name != but {
                    let digest = digest_of(&path).map_err(FileError::io("read", &path))?;
                    self.0.insert(name, digest);
                }
            } else {
                return Err(FileError::NoFile { act: "keep", path, what: "a link or a device" });
            }
        }
        Ok(())
    }
}

/// The SHA-256 of bytes, in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    hexadecimal(Sha256::new().chain_update(bytes))
}

/// The SHA-256 of a file.
pub(crate) fn digest_of(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(hexadecimal(hash))
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
