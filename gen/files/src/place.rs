//! Where a path leads that is written to.

use crate::FileError;
use rustix::fs::{Access, access};
use std::fs::FileType;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// Links that are followed; more are a circle.
const MOST_LINKS: usize = 40;

/// What is written to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Our standard output.
    Stdout,
    /// A terminal, a pipe, `/dev/null`: written to as it is.
    Device(PathBuf),
    /// A file, which is there or not; what takes its place is put there by a new name. No link.
    File(PathBuf),
}

/// Where a path leads: links stay, what they name is written.
pub(crate) fn place(path: &Path) -> Result<Place, FileError> {
    let own = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    if own.iter().any(|own| path == Path::new(own)) {
        return Ok(Place::Stdout);
    }
    let failed = || FileError::io("write", path);
    let Ok(data) = std::fs::metadata(path) else {
        return new_file(path).map(Place::File);
    };
    if let Some(what) = refused(data.file_type()) {
        return Err(FileError::NoFile { act: "write", path: path.into(), what });
    }
    if !data.is_file() || path.starts_with("/dev") || path.starts_with("/proc") {
        return Ok(Place::Device(path.into()));
    }
    // a new name would take the place of a file that nobody may write
    access(path, Access::WRITE_OK).map_err(|error| failed()(error.into()))?;
    std::fs::canonicalize(path).map(Place::File).map_err(failed())
}

/// Whether both are one file, or would be.
pub fn same(one: &Path, other: &Path) -> bool {
    let file = |path| match place(path) {
        Ok(Place::File(path)) => Some(path),
        _ => None,
    };
    one == other || file(one).is_some_and(|one| file(other) == Some(one))
}

/// The absolute path of a file that is not there, which a link may name.
fn new_file(path: &Path) -> Result<PathBuf, FileError> {
    let mut file = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Ok(target) = std::fs::read_link(&file) else {
            let parent =
                std::fs::canonicalize(folder(&file)).map_err(FileError::io("write", path))?;
            let name = file.file_name().ok_or_else(|| FileError::NoFile {
                act: "write",
                path: path.into(),
                what: "a folder",
            })?;
            return Ok(parent.join(name));
        };
        file = folder(&file).join(target);
    }
    Err(FileError::NoFile { act: "write", path: path.into(), what: "a circle of links" })
}

/// The folder that a file lies in.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What it is if nothing is to be written there.
fn refused(kind: FileType) -> Option<&'static str> {
    match () {
        () if kind.is_dir() => Some("a folder"),
        () if kind.is_block_device() => Some("a disk"),
        () if kind.is_socket() => Some("a socket"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_lead_to_files_that_are_there_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (file, link, early) = (root.join("file"), root.join("link"), root.join("early"));
        std::fs::write(&file, "").unwrap();
        symlink("file", &link).unwrap();
        symlink("later", &early).unwrap();
        assert_eq!(place(&link).unwrap(), Place::File(file.clone()));
        assert_eq!(place(&early).unwrap(), Place::File(root.join("later")));
        assert!(same(&file, &link) && same(&early, &root.join("later")) && !same(&file, &early));
        symlink("circle", root.join("circle")).unwrap();
        let error = place(&root.join("circle")).unwrap_err().to_string();
        assert!(error.ends_with("it is a circle of links, not a file"), "{error}");
    }

    #[test]
    fn devices_are_written_as_they_are() {
        assert_eq!(place(Path::new("/dev/null")).unwrap(), Place::Device("/dev/null".into()));
        assert_eq!(place(Path::new("/dev/stdout")).unwrap(), Place::Stdout);
        assert_eq!(place(Path::new("-")).unwrap(), Place::Stdout);
        assert!(place(Path::new("/")).unwrap_err().to_string().contains("a folder"));
    }
}
