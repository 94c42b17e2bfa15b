//! Results that are folders of files, which others may share.

use crate::manifest::{Manifest, digest, digest_of};
use crate::{FileError, write_all};
use std::path::{Path, PathBuf};

/// What we wrote into a folder, as `sha256sum` has it.
const MANIFEST: &str = ".hwgen.sha256";

/// What became of a folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files of an earlier result that were removed.
    pub removed: Vec<String>,
    /// Files of an earlier result that somebody changed since, and that were left.
    pub left: Vec<String>,
}

/// Writes the files of a result, by name and content, into a folder, which is made if need be. A
/// file of that name is replaced only if we wrote it and nobody changed it since; what an earlier
/// result left is removed on the same terms. A list of digests in the folder tells.
///
/// # Errors
/// What the system says; a file is there that is not ours: nothing is written then.
pub fn write_folder<T: AsRef<[u8]>>(
    folder: &Path,
    files: &[(String, T)],
) -> Result<Written, FileError> {
    std::fs::create_dir_all(folder).map_err(FileError::io("create folder", folder))?;
    let before = Manifest::read(&folder.join(MANIFEST));
    let mut now = Manifest::default();
    for (name, content) in files {
        let new = digest(content.as_ref());
        check(folder, name, &before, Some(&new))?;
        now.0.insert(name.clone(), new);
    }
    let mut written = Written::default();
    let stale = before.0.iter().filter(|(name, _)| !now.0.contains_key(*name) && is_plain(name));
    for (name, known) in stale {
        match digest_of(&folder.join(name)) {
            Ok(digest) if digest == *known => written.removed.push(name.clone()),
            Ok(_) => written.left.push(name.clone()),
            Err(_) => {}
        }
    }
    // the list comes last: what is on no list is nobody's to remove
    let list = now.text();
    let mut all: Vec<(PathBuf, &[u8])> =
        files.iter().map(|(name, content)| (folder.join(name), content.as_ref())).collect();
    all.push((folder.join(MANIFEST), list.as_bytes()));
    let all: Vec<_> = all.iter().map(|(path, content)| (path.as_path(), *content)).collect();
    write_all(&all)?;
    for name in &written.removed {
        let path = folder.join(name);
        std::fs::remove_file(&path).map_err(FileError::io("remove", &path))?;
    }
    Ok(written)
}

/// Checks what [`write_folder`] will check, for results that take long to make.
///
/// # Errors
/// A file is there that is not ours.
pub fn may_write(folder: &Path, names: &[String]) -> Result<(), FileError> {
    let before = Manifest::read(&folder.join(MANIFEST));
    names.iter().try_for_each(|name| check(folder, name, &before, None))
}

/// Whether a file of that name, if there is one, is as we wrote it, or as it will be.
fn check(
    folder: &Path,
    name: &str,
    before: &Manifest,
    new: Option<&String>,
) -> Result<(), FileError> {
    let path = folder.join(name);
    let Ok(data) = std::fs::symlink_metadata(&path) else {
        return Ok(());
    };
    let there = data.is_file().then(|| digest_of(&path)).transpose();
    let there = there.map_err(FileError::io("read", &path))?;
    if there.is_some() && (there.as_ref() == before.0.get(name) || there.as_ref() == new) {
        return Ok(());
    }
    let what =
        "hwgen did not write it, or it was changed since: move it away, or name another folder";
    Err(FileError::Foreign { path, what })
}

/// Writes into a folder of ours what all its files are, so that [`changed_in`] can tell.
///
/// # Errors
/// What the system says; a link or a device is in it.
pub fn seal_folder(folder: &Path) -> Result<(), FileError> {
    let list = Manifest::of(folder, MANIFEST)?.text();
    crate::write(&folder.join(MANIFEST), list.as_bytes())
}

/// A file that is missing from a folder, new in it, or changed since it was sealed, if one is; one that
/// was never sealed has changed.
///
/// # Errors
/// As [`seal_folder`].
pub fn changed_in(folder: &Path) -> Result<Option<PathBuf>, FileError> {
    let (known, is) = (Manifest::read(&folder.join(MANIFEST)), Manifest::of(folder, MANIFEST)?);
    let mut names = known.0.keys().chain(is.0.keys());
    let differs = names.find(|name| known.0.get(*name) != is.0.get(*name));
    let never = known.0.is_empty().then(|| folder.to_path_buf());
    Ok(differs.map(|name| folder.join(name)).or(never))
}

/// Whether a name on a list leads nowhere but into the folder.
fn is_plain(name: &str) -> bool {
    !name.contains('/') && name != ".." && name != "."
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn files(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn own_files_are_replaced_and_stale_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rtl");
        let nothing = Written::default();
        assert_eq!(
            write_folder(&path, &files(&[("a.v", "1"), ("b.v", "2"), ("c.v", "3")])).unwrap(),
            nothing
        );
        fs::write(path.join("c.v"), "edited").unwrap();
        fs::write(path.join("mine.v"), "mine").unwrap();
        let written = write_folder(&path, &files(&[("a.v", "4")])).unwrap();
        assert_eq!(written, Written { removed: vec!["b.v".into()], left: vec!["c.v".into()] });
        assert_eq!(fs::read_to_string(path.join("a.v")).unwrap(), "4");
        assert!(!path.join("b.v").exists());
        // from now on it is on no list
        assert_eq!(write_folder(&path, &files(&[("a.v", "5")])).unwrap(), nothing);
        assert_eq!(fs::read_to_string(path.join("mine.v")).unwrap(), "mine");
    }

    #[test]
    fn a_sealed_folder_tells_what_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert_eq!(changed_in(path).unwrap(), Some(path.into()));
        fs::create_dir(path.join("in")).unwrap();
        fs::write(path.join("in/a"), "1").unwrap();
        assert_eq!(changed_in(path).unwrap(), Some(path.join("in/a")));
        seal_folder(path).unwrap();
        assert_eq!(changed_in(path).unwrap(), None);
        fs::write(path.join("b"), "2").unwrap();
        assert_eq!(changed_in(path).unwrap(), Some(path.join("b")));
        fs::remove_file(path.join("b")).unwrap();
        fs::write(path.join("in/a"), "3").unwrap();
        assert_eq!(changed_in(path).unwrap(), Some(path.join("in/a")));
    }

    #[test]
    fn a_file_of_anybody_else_stops_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::write(path.join("b.v"), "mine").unwrap();
        let error = write_folder(path, &files(&[("a.v", "1"), ("b.v", "2")])).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("b.v is there: hwgen did not write it"), "{error}");
        assert!(!path.join("a.v").exists());
        // the same content harms nobody
        write_folder(path, &files(&[("a.v", "1"), ("b.v", "mine")])).unwrap();
        fs::write(path.join("a.v"), "edited").unwrap();
        write_folder(path, &files(&[("a.v", "2")])).unwrap_err();
        assert_eq!(fs::read_to_string(path.join("a.v")).unwrap(), "edited");
    }
}
