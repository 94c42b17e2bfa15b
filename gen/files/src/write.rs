//! Files that are complete or not there.

use crate::pending::Pending;
use crate::{FileError, tidy};
use std::path::Path;

/// Writes one file: under an unpredictable name beside it, synced, then renamed. `-` is standard
/// output; of a link, the file it names is written; a device or a pipe is written to as it is.
///
/// # Errors
/// What the system says; there is a folder, a disk or a socket of that name.
pub fn write(path: &Path, content: &[u8]) -> Result<(), FileError> {
    write_all(&[(path, content)])
}

/// Writes the files of one result: none takes its place before all are complete, and if we are
/// killed on the way either all do or none.
///
/// # Errors
/// As [`write`].
pub fn write_all(files: &[(&Path, &[u8])]) -> Result<(), FileError> {
    let id = tidy::result_id();
    let begin = |(path, _): &(&Path, &[u8])| Pending::part(path, id);
    let pending = files.iter().map(begin).collect::<Result<Vec<_>, _>>()?;
    for (file, (_, content)) in pending.iter().zip(files) {
        file.fill(content)?;
    }
    pending.iter().try_for_each(Pending::sync)?;
    tidy::whole(id);
    pending.into_iter().try_for_each(Pending::put)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn files_are_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        write(&a, b"old").unwrap();
        fs::set_permissions(&a, fs::Permissions::from_mode(0o640)).unwrap();
        write_all(&[(&a, b"new"), (&b, b"beside")]).unwrap();
        assert_eq!(fs::read(&a).unwrap(), b"new");
        assert_eq!(fs::metadata(&a).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read(&b).unwrap(), b"beside");
        // the second cannot be written: the first stays as it was
        let nowhere = folder.path().join("none/b");
        write_all(&[(&a, b"newer"), (&nowhere, b"")]).unwrap_err();
        assert_eq!(fs::read(&a).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn links_and_devices_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "mine").unwrap();
        symlink("file", &link).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("file"));
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(write(folder.path(), b"x").unwrap_err().to_string().contains("a folder"));
        let null = folder.path().join("null");
        symlink("/dev/null", &null).unwrap();
        write(&null, b"gone").unwrap();
        assert_eq!(fs::read_link(&null).unwrap(), Path::new("/dev/null"));
        let error = write(Path::new("/dev/full"), b"x").unwrap_err().to_string();
        assert_eq!(error, "cannot write /dev/full: No space left on device");
    }
}
