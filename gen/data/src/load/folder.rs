//! Folders with a folder a class.

use crate::random::{Purpose, stream};
use crate::{DataError, MAX_CLASSES, MAX_ITEMS};
use hwgen_files::{FileError, printable};
use rand::seq::SliceRandom;
use std::fs;
use std::path::{Path, PathBuf};

/// Names in a folder that are looked at, at most.
const MOST_NAMES: usize = MAX_ITEMS;

/// A file and what class it is of.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) class: usize,
}

/// A folder's classes and their files.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(crate) classes: Vec<String>,
    pub(crate) files: Vec<File>,
}

/// What lies in a folder by name, sorted; nothing if it is none.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, DataError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if !folder.is_dir() {
        return Ok(vec![]);
    }
    let failed = || FileError::io("read folder", folder);
    let mut names = vec![];
    for entry in fs::read_dir(folder).map_err(failed())? {
        names.push(entry.map_err(failed())?.file_name().to_string_lossy().into_owned());
        if names.len() > MOST_NAMES {
            let (set, what) = (crate::error::shown(folder), "names in a folder");
            let (value, most) = (names.len(), MOST_NAMES);
            return Err(DataError::Count { set, what, value, least: 0, most });
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether a name ends in one of these.
pub(crate) fn ends(name: &str, extensions: &[&str]) -> bool {
    let extension = Path::new(name).extension().unwrap_or_default().to_ascii_lowercase();
    extensions.iter().any(|known| extension == *known)
}

impl Listing {
    /// The folders of a folder that have files of these extensions, but for `not` among them; hidden
    /// names are passed over.
    pub(crate) fn of(
        folder: &Path,
        extensions: &[&str],
        not: &[&str],
    ) -> Result<Listing, DataError> {
        let mut listing = Listing { classes: vec![], files: vec![] };
        let inside = names(folder)?;
        let visible = |name: &&String| !name.starts_with('.') && !not.contains(&name.as_str());
        for name in inside.iter().filter(visible) {
            let (below, class) = (folder.join(name), listing.classes.len());
            let files = names(&below)?.into_iter();
            let ours = files.filter(|name| !name.starts_with('.') && ends(name, extensions));
            let paths = ours.map(|name| below.join(name)).filter(|path| path.is_file());
            let before = listing.files.len();
            listing.files.extend(paths.map(|path| File { path, class }));
            if listing.files.len() > before {
                listing.classes.push(printable(name));
            }
        }
        let counts = [
            ("classes", listing.classes.len(), MAX_CLASSES),
            ("files", listing.files.len(), MAX_ITEMS),
        ];
        match counts.into_iter().find(|(_, value, most)| value > most) {
            Some((what, value, most)) => {
                let set = crate::error::shown(folder);
                Err(DataError::Count { set, what, value, least: 0, most })
            }
            None => Ok(listing),
        }
    }

    /// The same files with another folder's classes.
    pub(crate) fn relabeled(mut self, classes: &[String]) -> Result<Listing, DataError> {
        let new = |name: &String| classes.iter().position(|class| class == name);
        let places: Vec<_> = self.classes.iter().map(|name| new(name).ok_or(name)).collect();
        for file in &mut self.files {
            file.class = match places[file.class] {
                Ok(class) => class,
                Err(name) => {
                    let problem = format!("class `{name}` is not among those trained on");
                    return Err(DataError::damaged(&file.path, "a file of the set", problem));
                }
            };
        }
        self.classes = classes.to_vec();
        Ok(self)
    }
}

/// At most `most` files, of each class its share, drawn by seed; in their old order.
pub(crate) fn limit<F>(
    files: Vec<F>,
    class: impl Fn(&F) -> usize,
    most: Option<usize>,
    seed: u64,
) -> Vec<F> {
    let Some(most) = most.filter(|&most| most < files.len()) else { return files };
    let mut counts = vec![0; files.iter().map(|file| class(file) + 1).max().unwrap_or_default()];
    files.iter().for_each(|file| counts[class(file)] += 1);
    let mut left = crate::split::shares(&counts, most);
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.shuffle(&mut stream(seed, Purpose::Choose, 2));
    let mut stays = vec![false; files.len()];
    for at in order {
        let left = &mut left[class(&files[at])];
        stays[at] = *left > 0;
        *left = left.saturating_sub(1);
    }
    files.into_iter().zip(stays).filter_map(|(file, stays)| stays.then_some(file)).collect()
}

/// The folder `train` of a folder, if that has one, and what lies beside it; else the folder itself.
#[derive(Debug, Clone)]
pub(crate) struct Roles {
    pub(crate) train: PathBuf,
    pub(crate) validation: Option<PathBuf>,
    pub(crate) test: Option<PathBuf>,
}

impl Roles {
    pub(crate) fn of(folder: &Path) -> Roles {
        let below =
            |names: &[&str]| names.iter().map(|name| folder.join(name)).find(|path| path.is_dir());
        let (test, validation) = (below(&["test"]), below(&["validation", "val"]));
        match below(&["train"]) {
            Some(train) if test.is_some() || validation.is_some() => {
                Roles { train, validation, test }
            }
            _ => Roles { train: folder.into(), validation: None, test: None },
        }
    }
}
