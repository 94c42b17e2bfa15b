//! What can be wrong with a network.

use std::{fmt, path::PathBuf};
use thiserror::Error;

/// A fault in a network. `place` is as in ``layer `conv_1` ``.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NetworkError {
    /// A value outside its range.
    #[error("{place}: `{field}` = {value} is out of range: must be {range}")]
    OutOfRange {
        /// The layer or tensor.
        place: String,
        /// The value's name, as in `linear.weights[3]`.
        field: String,
        /// The value given.
        value: String,
        /// The values allowed, in words.
        range: String,
    },
    /// A list whose length does not fit.
    #[error("{place}: `{field}` has {length} entries: must have {expected}")]
    WrongLength {
        /// The layer or tensor.
        place: String,
        /// The list.
        field: String,
        /// Entries given.
        length: usize,
        /// The lengths allowed, in words.
        expected: String,
    },
    /// Two things of one name.
    #[error("there are two {kind} named `{name}`: rename one")]
    Duplicate {
        /// `tensors` or `layers`.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A name that no tensor has.
    #[error("{place} names tensor `{name}`, which does not exist")]
    UnknownTensor {
        /// Who names it.
        place: String,
        /// The name.
        name: String,
    },
    /// A tensor that is read too early or never written.
    #[error(
        "{place} reads tensor `{name}`, which is no input of the network and no output of a layer before"
    )]
    NotWritten {
        /// Who reads it.
        place: String,
        /// The tensor.
        name: String,
    },
    /// A tensor that is written twice.
    #[error("{place} writes tensor `{name}`, which has its value already")]
    WrittenTwice {
        /// Who writes it.
        place: String,
        /// The tensor.
        name: String,
    },
    /// Shapes that do not go together.
    #[error("{place}: {problem}")]
    Shape {
        /// The layer.
        place: String,
        /// What does not go together, in words.
        problem: String,
    },
    /// A sum that may not fit into 32 bits.
    #[error("{place}: a sum may reach {reach}, beyond the 32-bit accumulator's {}", i32::MAX)]
    Overflow {
        /// The layer.
        place: String,
        /// The largest magnitude.
        reach: i64,
    },
}

impl NetworkError {
    pub(crate) fn out_of_range(
        place: &str,
        field: impl Into<String>,
        value: impl fmt::Display,
        range: impl fmt::Display,
    ) -> Self {
        let (value, range) = (value.to_string(), range.to_string());
        NetworkError::OutOfRange { place: place.to_owned(), field: field.into(), value, range }
    }

    pub(crate) fn wrong_length(
        place: &str,
        field: impl Into<String>,
        length: usize,
        expected: impl fmt::Display,
    ) -> Self {
        let expected = expected.to_string();
        NetworkError::WrongLength { place: place.to_owned(), field: field.into(), length, expected }
    }
}

/// What can be wrong with a network's file.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be read or written.
    #[error(transparent)]
    File(#[from] hwgen_files::FileError),
    /// Its text would be longer than is read again.
    #[error(
        "{} would have {bytes} bytes, of which {most} can be read: put the weights into a binary file (-b)",
        path.display()
    )]
    LongText {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: usize,
        /// The limit.
        most: u64,
    },
    /// It is no JSON of this format.
    #[error("{}:{line}:{column}: {problem}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
        /// What the reader said.
        problem: String,
    },
    /// It is a candidate of a search.
    #[error("{} is a candidate, which has no weights: `hwgen cost` alone takes it; train it, then import what was trained", path.display())]
    Candidate {
        /// The file.
        path: PathBuf,
    },
    /// The binary file is another one than that which was written.
    #[error("{} has sha256 {found}: {} was written with {expected}", binary.display(), path.display())]
    WrongDigest {
        /// The network.
        path: PathBuf,
        /// The binary file.
        binary: PathBuf,
        /// What was promised.
        expected: String,
        /// What it is.
        found: String,
    },
    /// Lists that are longer than the binary file all together.
    #[error("{}: its lists take {bytes} bytes of the {has} of the binary file: they must not overlap", path.display())]
    Overlap {
        /// The network.
        path: PathBuf,
        /// Of all lists.
        bytes: u64,
        /// Of the file.
        has: usize,
    },
    /// A list that lies outside the binary file.
    #[error("{}: layer `{layer}` has numbers at byte {offset}, beyond the end of the binary file", path.display())]
    Outside {
        /// The network.
        path: PathBuf,
        /// The layer.
        layer: String,
        /// Where it should lie.
        offset: u64,
    },
    /// The binary file is to lie somewhere else than beside the network.
    #[error("{}: `binary.file` = {file:?} is out of range: must be a plain file name in the same folder", path.display())]
    Elsewhere {
        /// The network.
        path: PathBuf,
        /// The name given.
        file: String,
    },
    /// The network is faulty.
    #[error("{}: {problem}", path.display())]
    Network {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: NetworkError,
    },
}
