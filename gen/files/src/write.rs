//! Files that are complete or not there.

use crate::FileError;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Writes one file: under an unpredictable name beside it, synced, then renamed.
///
/// # Errors
/// What the system says; what is there already is a folder, a link or a device: these are never
/// replaced.
pub fn write(path: &Path, content: &[u8]) -> Result<(), FileError> {
    write_all(&[(path, content)])
}

/// Writes the files of one result: none takes its place before all are complete.
///
/// # Errors
/// As [`write`].
pub fn write_all(files: &[(&Path, &[u8])]) -> Result<(), FileError> {
    let staged = files.iter().map(|(path, content)| stage(path, content));
    let staged = staged.collect::<Result<Vec<_>, _>>()?;
    staged.into_iter().try_for_each(put)
}

/// A complete file, waiting under a temporary name, and the path it will take.
type Staged = (NamedTempFile, PathBuf);

fn stage(path: &Path, content: &[u8]) -> Result<Staged, FileError> {
    if let Some(what) = occupied(path) {
        return Err(FileError::NoFile { act: "write", path: path.into(), what });
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hwgen-");
    #[cfg(unix)]
    {
        // readable for others as any new file; the umask still applies
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let write = || -> io::Result<NamedTempFile> {
        let mut file = builder.tempfile_in(folder(path))?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    Ok((write().map_err(FileError::io("write", path))?, path.to_path_buf()))
}

fn put((file, path): Staged) -> Result<(), FileError> {
    let renamed = file.persist(&path).map_err(|error| error.error);
    renamed.map_err(FileError::io("write", &path))?;
    // the name, too, outlives a power cut; a file system that cannot promise that is none of ours
    let _ = File::open(folder(&path)).and_then(|folder| folder.sync_all());
    Ok(())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What is there that must not be replaced.
fn occupied(path: &Path) -> Option<&'static str> {
    let kind = std::fs::symlink_metadata(path).ok()?.file_type();
    match () {
        () if kind.is_dir() => Some("a folder"),
        () if kind.is_symlink() => Some("a link"),
        () if kind.is_file() => None,
        () => Some("a device or a pipe"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        write(&a, b"old").unwrap();
        write_all(&[(&a, b"new"), (&b, b"beside")]).unwrap();
        assert_eq!(std::fs::read(&a).unwrap(), b"new");
        assert_eq!(std::fs::read(&b).unwrap(), b"beside");
        // the second cannot be written: the first stays as it was
        let nowhere = folder.path().join("none/b");
        write_all(&[(&a, b"newer"), (&nowhere, b"")]).unwrap_err();
        assert_eq!(std::fs::read(&a).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    #[cfg(unix)]
    fn links_devices_and_folders_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "mine").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let error = write(&link, b"x").unwrap_err().to_string();
        assert!(error.ends_with("link: it is a link, not a file"), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), b"mine");
        assert!(write(folder.path(), b"x").unwrap_err().to_string().contains("a folder"));
        assert!(write(Path::new("/dev/null"), b"x").unwrap_err().to_string().contains("a device"));
    }
}
