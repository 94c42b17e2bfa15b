//! Files that are complete or not there.

use anyhow::{Context, Result};
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Writes one file: under a temporary name beside it, then renamed. What is there already and is
/// no plain file (a device, a pipe) is written to as it is.
pub(crate) fn write_file(path: &Path, text: &str) -> Result<()> {
    let special = std::fs::metadata(path).is_ok_and(|there| !there.is_file());
    if special {
        return std::fs::write(path, text).with_context(|| cannot_write(path));
    }
    // a link stays, the file it names is replaced
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    put(stage(&target, text.as_bytes())?)
}

/// Writes files, given by name and content, into a folder, which is made if need be. None takes its
/// place before all are written.
pub(crate) fn write_folder<T: AsRef<[u8]>>(folder: &Path, files: &[(String, T)]) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create folder {}", folder.display()))?;
    let staged = files.iter().map(|(name, text)| stage(&folder.join(name), text.as_ref()));
    let staged = staged.collect::<Result<Vec<_>>>()?;
    staged.into_iter().try_for_each(put)
}

/// A complete file, waiting under a temporary name, and the path it will take.
type Staged = (NamedTempFile, PathBuf);

fn stage(path: &Path, content: &[u8]) -> Result<Staged> {
    anyhow::ensure!(!path.is_dir(), "{}: it is a folder", cannot_write(path));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hwgen-");
    #[cfg(unix)]
    {
        // readable for others as any new file; the umask still applies
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let write = || {
        let mut file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(content)?;
        Ok(file)
    };
    let file = write().map_err(|error: std::io::Error| match error.raw_os_error() {
        // the temporary name tells nobody anything
        Some(code) => std::io::Error::from_raw_os_error(code),
        None => error,
    });
    Ok((file.with_context(|| cannot_write(path))?, path.to_path_buf()))
}

fn put((file, path): Staged) -> Result<()> {
    let renamed = file.persist(&path).map_err(|error| error.error);
    renamed.map(|_| ()).with_context(|| cannot_write(&path))
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
