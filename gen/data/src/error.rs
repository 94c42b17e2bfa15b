//! What may be wrong with data.

use hwgen_audio::{AudioError, RecipeError};
use hwgen_files::{FileError, printable};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Data that cannot be used.
#[derive(Debug, Error)]
pub enum DataError {
    /// A file cannot be opened or read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file is no clip.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// A recipe of features that cannot be.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// Nothing that we know lies there.
    #[error("{}: no data set is known of what is there ({found}); {LOOKED_FOR}", shown(path))]
    Unknown {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// Several sets, of which one is to be named.
    #[error("{}: {} sets are there ({}): name a file of one", shown(path), sets.len(), sets.join(", "))]
    Several {
        /// The folder.
        path: PathBuf,
        /// Their names.
        sets: Vec<String>,
    },
    /// A file that belongs to another is missing.
    #[error("{}: {missing} is not there, which {}", shown(path), reason)]
    Missing {
        /// The folder.
        path: PathBuf,
        /// The file's name.
        missing: String,
        /// What it is for.
        reason: &'static str,
    },
    /// A file is not of the format that it seems to be.
    #[error("{}: not {format} that can be used: {problem}", shown(path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The format, with its article.
        format: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Too few or too many of a thing.
    #[error("{set}: {value} {what}: must be {least}..={most}")]
    Count {
        /// The set.
        set: String,
        /// What was counted.
        what: &'static str,
        /// How many there are.
        value: usize,
        /// The least.
        least: usize,
        /// The most.
        most: usize,
    },
    /// Integers that are no whole items.
    #[error("{set}: {values} integers are not {items} items of {elements}")]
    Uneven {
        /// The set.
        set: String,
        /// Integers.
        values: usize,
        /// Labels.
        items: usize,
        /// Integers of an item.
        elements: usize,
    },
    /// A label that is no class.
    #[error("{set}: item {item} has label {label}, but there are {classes} classes")]
    Label {
        /// The set.
        set: String,
        /// The item.
        item: usize,
        /// Its label.
        label: u16,
        /// Classes.
        classes: usize,
    },
    /// Groups that do not fit the items.
    #[error("{set}: groups of {told} items, among {names}, do not fit {items} items")]
    Groups {
        /// The set.
        set: String,
        /// Items.
        items: usize,
        /// Items that a group was told of.
        told: usize,
        /// Groups.
        names: usize,
    },
    /// Names that do not fit the items.
    #[error("{set}: {names} names for {items} items")]
    Names {
        /// The set.
        set: String,
        /// Items.
        items: usize,
        /// Names.
        names: usize,
    },
    /// Fewer groups or items than parts.
    #[error("{set}: {pieces} groups (or items without one) cannot make {parts} parts, none empty")]
    Parts {
        /// The set.
        set: String,
        /// What there is to divide.
        pieces: usize,
        /// Parts.
        parts: usize,
    },
    /// A number that is out of range.
    #[error("`{name}` = {value} is out of range: must be {range}")]
    Number {
        /// The number's name.
        name: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        range: &'static str,
    },
    /// A change that these items do not have.
    #[error("{set}: {change} need {kind}")]
    Kind {
        /// The set.
        set: String,
        /// The change.
        change: &'static str,
        /// What it is for.
        kind: &'static str,
    },
}

/// What [`crate::Source::open`] looks for.
const LOOKED_FOR: &str = "looked for: IDX files (*-images-idx3-ubyte[.gz] with labels), CIFAR-10 \
    binaries (*.bin of 3,073-byte records), mfcc_int8.npy with labels_u8.npy, folders of .wav or \
    .flac clips or of images, one a class, or the names shapes, shapes-rgb, tones, tones-cenet";

impl DataError {
    /// A file that is not of its format.
    pub(crate) fn damaged(
        path: &Path,
        format: &'static str,
        problem: impl std::fmt::Display,
    ) -> Self {
        let problem = printable(&problem.to_string());
        DataError::Damaged { path: path.into(), format, problem }
    }

    /// A number that is out of range.
    pub(crate) fn number(
        name: &'static str,
        value: impl std::fmt::Display,
        range: &'static str,
    ) -> Self {
        DataError::Number { name, value: value.to_string(), range }
    }
}

/// A path as it may be printed.
pub(crate) fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}
