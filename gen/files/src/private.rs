//! Folders of our own: what is run or believed must be written by nobody else.

use crate::FileError;
use rustix::process::geteuid;
use std::fs::{DirBuilder, Metadata, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Makes a folder that only this user may enter, or takes one that is there and his.
///
/// # Errors
/// It cannot be made; it belongs to somebody else.
pub fn private_folder(path: &Path) -> Result<(), FileError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(FileError::io("create folder", path))?;
    let data = std::fs::metadata(path).map_err(FileError::io("use folder", path))?;
    if !is_ours(&data) {
        return Err(FileError::NotOurs { path: path.into(), owner: data.uid() });
    }
    if data.mode() & 0o022 != 0 {
        let closed = std::fs::set_permissions(path, Permissions::from_mode(0o700));
        closed.map_err(FileError::io("close to others the folder", path))?;
    }
    Ok(())
}

/// Where this user's results are kept that can be made again: `$HWGEN_CACHE`,
/// `$XDG_CACHE_HOME/hwgen`, `~/.cache/hwgen`; without a home, a folder of his among the temporary
/// files.
pub fn cache_folder() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let own = variable("HWGEN_CACHE").map(PathBuf::from);
    let shared = || variable("XDG_CACHE_HOME").map(|folder| Path::new(&folder).join("hwgen"));
    let home = || variable("HOME").map(|folder| Path::new(&folder).join(".cache/hwgen"));
    let temporary = || std::env::temp_dir().join(format!("hwgen-{}", geteuid().as_raw()));
    own.or_else(shared).or_else(home).unwrap_or_else(temporary)
}

/// Whether nobody else could have written it: it is ours or root's, and open to no other's writing.
pub(crate) fn is_ours(data: &Metadata) -> bool {
    data.uid() == geteuid().as_raw() || data.uid() == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        private_folder(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        std::fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        private_folder(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        let error = private_folder(Path::new("/dev/null/cache")).unwrap_err().to_string();
        assert_eq!(error, "cannot create folder /dev/null/cache: Not a directory");
    }

    #[test]
    fn a_folder_of_another_is_refused() {
        // only root can give folders away
        if !geteuid().is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::chown(folder.path(), Some(12_345), None).unwrap();
        let error = private_folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("it belongs to user 12345"), "{error}");
    }
}
