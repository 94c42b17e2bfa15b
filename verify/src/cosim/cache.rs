//! Compiled simulations and netlists are kept: one folder each, named by the hash of all that went
//! into it, and believed only if every file is as it was made.

use super::CosimError;
use hwgen_files::{Cache, cache_folder as users_folder, private_folder};
use hwgen_tools::Found;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Where compiled simulations are kept: `$HWGEN_CACHE`, or `hwgen-cosim` in the target folder the
/// program runs from if that is this user's, or the user's cache.
pub fn cache_folder() -> PathBuf {
    let named = std::env::var_os("HWGEN_CACHE").is_some();
    let program = std::env::current_exe().unwrap_or_default();
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    let beside = target.filter(|_| !named).map(|target| target.join("hwgen-cosim"));
    beside.filter(|folder| private_folder(folder).is_ok()).unwrap_or_else(users_folder)
}

/// The name of a folder made from these ingredients by these tools.
pub(crate) fn key(kind: &str, ingredients: &[&str], tools: &[&Found]) -> String {
    let tools: Vec<String> = tools.iter().map(|tool| tool.identity()).collect();
    let mut hash = Sha256::new();
    for ingredient in ingredients.iter().copied().chain(tools.iter().map(String::as_str)) {
        hash.update((ingredient.len() as u64).to_le_bytes());
        hash.update(ingredient);
    }
    let digest: String = hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{kind}-{digest}")
}

/// The folder of that key, built first if it is not there or damaged.
pub(crate) fn cached(
    key: &str,
    build: impl FnOnce(&Path) -> Result<(), CosimError>,
) -> Result<PathBuf, CosimError> {
    let cache = Cache::open(&cache_folder())?;
    if let Some(folder) = cache.get(key) {
        return Ok(folder);
    }
    let making = cache.make()?;
    build(making.path())?;
    Ok(making.keep(key)?)
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
    use std::time::SystemTime;

    #[test]
    fn a_folder_is_built_once_and_again_when_damaged() {
        let unique = format!("{:?}", SystemTime::now());
        let (key, built) = (key("test", &["a", &unique], &[]), AtomicUsize::new(0));
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
        fs::write(folder.join("two"), "3").unwrap();
        make().unwrap();
        assert_eq!(built.load(Ordering::Relaxed), before + 1);
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
        assert_ne!(key("k", &["ab", "c"], &[]), key("k", &["a", "bc"], &[]));
    }
}
