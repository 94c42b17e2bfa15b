//! Compiled simulations are kept: one folder each, named by the hash of all that went into it.
//!
//! A folder is built under a temporary name and renamed when complete, so tests that run at once,
//! or die in the middle, never see half of one.

use super::CosimError;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What unfinished folders are called.
const UNFINISHED: &str = "building-";

/// After this long an unfinished folder's maker is dead.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// Where compiled simulations are kept: `$HWGEN_CACHE`, or `hwgen-cosim` in the target folder the
/// program runs from, or a folder among the system's temporary files.
pub fn cache_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("HWGEN_CACHE") {
        return PathBuf::from(folder);
    }
    let program = std::env::current_exe().unwrap_or_default();
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.map_or_else(std::env::temp_dir, Path::to_path_buf).join("hwgen-cosim")
}

/// The name of a folder made from these ingredients.
pub(crate) fn key(kind: &str, ingredients: &[&str]) -> String {
    let mut hash = Sha256::new();
    for ingredient in ingredients {
        hash.update((ingredient.len() as u64).to_le_bytes());
        hash.update(ingredient);
    }
    let digest: String = hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{kind}-{digest}")
}

/// The folder of that key, built first if it is not there.
pub(crate) fn cached(
    key: &str,
    build: impl FnOnce(&Path) -> Result<(), CosimError>,
) -> Result<PathBuf, CosimError> {
    let cache = cache_folder();
    let folder = cache.join(key);
    if folder.is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(&cache).map_err(CosimError::file("create", &cache))?;
    sweep(&cache);
    let making = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(&cache);
    let making = making.map_err(CosimError::file("create a folder in", &cache))?;
    build(making.path())?;
    match fs::rename(making.path(), &folder) {
        // Someone else was faster; what he made is the same.
        Err(_) if folder.is_dir() => Ok(folder),
        renamed => renamed.map(|()| folder.clone()).map_err(CosimError::file("create", &folder)),
    }
}

/// Removes what builders that were killed left behind.
fn sweep(cache: &Path) {
    let old = |entry: &fs::DirEntry| {
        let changed = entry.metadata().and_then(|data| data.modified());
        let age = changed.map(|when| SystemTime::now().duration_since(when).unwrap_or_default());
        entry.file_name().to_string_lossy().starts_with(UNFINISHED)
            && age.is_ok_and(|age| age > ABANDONED)
    };
    for entry in fs::read_dir(cache).into_iter().flatten().flatten().filter(old) {
        // It may be gone already, or someone else's: neither matters here.
        let _ = fs::remove_dir_all(entry.path());
    }
}

/// Writes a file of a folder under construction.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> Result<(), CosimError> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(CosimError::file("write", &path))
}

/// Reads a file of a finished folder.
pub(crate) fn read(folder: &Path, name: &str) -> Result<String, CosimError> {
    let path = folder.join(name);
    fs::read_to_string(&path).map_err(CosimError::file("read", &path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_folder_is_built_once_and_complete() {
        let unique = format!("{:?}", SystemTime::now());
        let (key, built) = (key("test", &["a", &unique]), AtomicUsize::new(0));
        let make = || {
            cached(&key, |folder| {
                built.fetch_add(1, Ordering::Relaxed);
                write(folder, "one", "1")?;
                write(folder, "two", "2")
            })
        };
        let folder = std::thread::scope(|scope| {
            let other = scope.spawn(make);
            make().unwrap();
            other.join().unwrap().unwrap()
        });
        let before = built.load(Ordering::Relaxed);
        make().unwrap();
        assert_eq!(built.load(Ordering::Relaxed), before);
        assert_eq!(read(&folder, "two").unwrap(), "2");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_failed_build_leaves_nothing() {
        let fail = |_: &Path| Err(CosimError::Protocol { what: "test".into() });
        assert!(cached("test-failing", fail).is_err());
        assert!(!cache_folder().join("test-failing").exists());
    }

    #[test]
    fn ingredients_do_not_run_together() {
        assert_ne!(key("k", &["ab", "c"]), key("k", &["a", "bc"]));
    }
}
