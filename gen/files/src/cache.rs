//! Results that are kept, and believed only if they are as they were made.

use crate::FileError;
use crate::manifest::Manifest;
use crate::private::{is_ours, private_folder};
use crate::scratch::Scratch;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// In each result, the digests of its files.
const MANIFEST: &str = "manifest.sha256";
/// Results in the making begin with it.
const PARTIAL: &str = ".partial-";
/// After this long who was making one is dead, and by a power cut, else it would be gone.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// A folder of results, each a folder of files under a key that names all it depends on.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// A result in the making; nothing is left of it unless it is kept.
#[derive(Debug)]
pub struct Making {
    cache: Cache,
    folder: Scratch,
}

impl Cache {
    /// Opens a cache, made if need be; what was abandoned in it long ago is removed.
    ///
    /// # Errors
    /// It cannot be made; it is somebody else's.
    pub fn open(folder: &Path) -> Result<Cache, FileError> {
        private_folder(folder)?;
        let folder = folder.canonicalize().map_err(FileError::io("use folder", folder))?;
        let cache = Cache { folder };
        cache.sweep();
        Ok(cache)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of a result, whose files are those that were kept, to the bit; a damaged one is
    /// removed.
    pub fn get(&self, key: &str) -> Option<PathBuf> {
        let place = self.folder.join(key);
        let data = fs::symlink_metadata(&place).ok()?;
        if data.is_dir() && is_ours(&data) && is_whole(&place) {
            return Some(place);
        }
        // another may be doing the same
        let _ = fs::remove_dir_all(&place);
        None
    }

    /// Begins a result.
    ///
    /// # Errors
    /// What the system says.
    pub fn make(&self) -> Result<Making, FileError> {
        let folder = Scratch::in_folder(&self.folder, PARTIAL);
        let folder = folder.map_err(FileError::io("create a folder in", &self.folder))?;
        Ok(Making { cache: self.clone(), folder })
    }

    fn sweep(&self) {
        let age = |when| SystemTime::now().duration_since(when).unwrap_or_default();
        let changed = |entry: &fs::DirEntry| entry.metadata().and_then(|data| data.modified());
        let old = |entry: &fs::DirEntry| {
            entry.file_name().to_string_lossy().starts_with(PARTIAL)
                && changed(entry).is_ok_and(|when| age(when) > ABANDONED)
        };
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten().filter(old) {
            // a cache that cannot be swept still serves
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

impl Making {
    /// Where its files go.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Keeps what is in the folder under a key. If another was faster, what he made is taken.
    ///
    /// # Errors
    /// What the system says.
    pub fn keep(self, key: &str) -> Result<PathBuf, FileError> {
        let manifest = Manifest::of(self.path(), MANIFEST)?.text();
        let path = self.path().join(MANIFEST);
        fs::write(&path, manifest).map_err(FileError::io("write", &path))?;
        let place = self.cache.folder.join(key);
        if fs::rename(self.path(), &place).is_err() {
            if let Some(theirs) = self.cache.get(key) {
                return Ok(theirs);
            }
            // what lay there was damaged and is gone
            fs::rename(self.path(), &place).map_err(FileError::io("create", &place))?;
        }
        Ok(place)
    }
}

/// Whether a folder has exactly the files it was made with, all of them ours.
fn is_whole(folder: &Path) -> bool {
    let known = Manifest::read(&folder.join(MANIFEST));
    let ours =
        |name: &String| fs::symlink_metadata(folder.join(name)).is_ok_and(|data| is_ours(&data));
    known.0.keys().all(ours)
        && Manifest::of(folder, MANIFEST).is_ok_and(|is| is == known)
        && folder.join(MANIFEST).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn made(cache: &Cache, key: &str) -> PathBuf {
        let making = cache.make().unwrap();
        fs::write(making.path().join("one"), "1").unwrap();
        fs::create_dir(making.path().join("in")).unwrap();
        fs::write(making.path().join("in/two"), "22").unwrap();
        making.keep(key).unwrap()
    }

    #[test]
    fn any_damage_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("cache")).unwrap();
        let damages: [&dyn Fn(&Path); 6] = [
            &|place| fs::write(place.join("in/two"), "23").unwrap(),
            &|place| fs::write(place.join("one"), "").unwrap(),
            &|place| fs::remove_file(place.join("one")).unwrap(),
            &|place| fs::write(place.join("three"), "3").unwrap(),
            &|place| fs::remove_file(place.join(MANIFEST)).unwrap(),
            &|place| {
                let mut file = fs::OpenOptions::new().write(true).open(place.join(MANIFEST));
                file.as_mut().unwrap().write_all(b"0123").unwrap();
            },
        ];
        for damage in damages {
            let place = made(&cache, "key");
            assert_eq!(cache.get("key").as_ref(), Some(&place));
            damage(&place);
            assert_eq!(cache.get("key"), None);
            assert_eq!(fs::read_dir(cache.folder()).unwrap().count(), 0);
        }
    }

    #[test]
    fn the_first_is_kept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let place = made(&cache, "key");
        assert_eq!(made(&cache, "key"), place);
        fs::write(place.join("one"), "damaged").unwrap();
        assert_eq!(made(&cache, "key"), place);
        assert!(cache.get("key").is_some());
        drop(cache.make().unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
