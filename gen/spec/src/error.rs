//! What can be wrong with a specification, and where it was said.

use std::{fmt, path::PathBuf};
use thiserror::Error;

/// A fault in a specification. `field` is a path such as `key_slices[1]` or `filter.alpha16`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpecError {
    /// A value outside its parameter's range.
    #[error("`{field}` = {value} is out of range: must be {range}")]
    OutOfRange {
        /// The parameter.
        field: String,
        /// The value given.
        value: String,
        /// The values allowed, in words.
        range: String,
    },
    /// A list whose length does not fit the rest of the specification.
    #[error("`{field}` has {length} entries: must have {expected}")]
    WrongLength {
        /// The parameter.
        field: String,
        /// Entries given.
        length: usize,
        /// The lengths allowed and what they go with, in words.
        expected: String,
    },
    /// A value of the wrong type, as text for a number.
    #[error("`{}` = {} cannot be read: {}{}", short(.field), short(.value), short(.problem), allowed(.range))]
    WrongType {
        /// The parameter.
        field: String,
        /// The value given.
        value: String,
        /// What the reader said.
        problem: String,
        /// The values allowed, in words; empty when not known.
        range: String,
    },
    /// A word that is none of the choices.
    #[error("`{field}` = \"{}\" is unknown: must be one of {}{}", short(.value), .known.join(", "), did_you_mean(.nearest))]
    UnknownChoice {
        /// The parameter.
        field: String,
        /// The word given.
        value: String,
        /// The choices.
        known: Vec<String>,
        /// The choice closest to the word given, if one is close.
        nearest: Option<String>,
    },
    /// A parameter that does not exist.
    #[error("unknown parameter `{}`{}: known here are {}", short(.field), did_you_mean(.nearest), .known.join(", "))]
    UnknownField {
        /// The name given.
        field: String,
        /// The parameters that exist at that place.
        known: Vec<String>,
        /// The parameter closest to the name given, if one is close.
        nearest: Option<String>,
    },
    /// A parameter given twice in one file.
    #[error("`{}` is given twice: keep one", short(.field))]
    Duplicate {
        /// The parameter.
        field: String,
    },
    /// Text that is not JSON.
    #[error("not valid JSON at column {column}: {problem}")]
    Syntax {
        /// Column, counted from 1.
        column: usize,
        /// What the reader said.
        problem: String,
    },
    /// A file whose outermost value is not an object.
    #[error("a specification is a JSON object, as in {{\"rows\": 8}}")]
    NotAnObject,
    /// A path of more names than any parameter has.
    #[error("no parameter lies {most} names deep")]
    TooDeep {
        /// Names that are read.
        most: usize,
    },
    /// An override that is not `key=value`.
    #[error("an override is key=value, as in rows=8 or filter.mode=top_k")]
    NotAnOverride,
}

impl SpecError {
    /// A value that does not fit, and what would.
    pub fn out_of_range(
        field: impl Into<String>,
        value: impl fmt::Display,
        range: impl fmt::Display,
    ) -> Self {
        let (value, range) = (value.to_string(), range.to_string());
        SpecError::OutOfRange { field: field.into(), value, range }
    }

    /// The parameter at fault, if the fault is one parameter's.
    pub fn field(&self) -> Option<&str> {
        match self {
            SpecError::OutOfRange { field, .. }
            | SpecError::WrongLength { field, .. }
            | SpecError::WrongType { field, .. }
            | SpecError::UnknownChoice { field, .. }
            | SpecError::UnknownField { field, .. }
            | SpecError::Duplicate { field } => Some(field),
            SpecError::Syntax { .. }
            | SpecError::NotAnObject
            | SpecError::TooDeep { .. }
            | SpecError::NotAnOverride => None,
        }
    }
}

/// A text as a message shows it: the start of a long one.
fn short(text: &str) -> String {
    const MOST: usize = 120;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

fn allowed(range: &str) -> String {
    if range.is_empty() { String::new() } else { format!("; must be {range}") }
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or(String::new(), |name| format!(" (did you mean `{name}`?)"))
}

/// Where a value was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In a specification file.
    File {
        /// The file, as the user named it.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
    },
    /// In an override.
    Set {
        /// The override, as the user wrote it.
        text: String,
    },
    /// Nowhere: it is the default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Set { text } => write!(f, "--set {}", short(text)),
            Origin::Default => write!(f, "default"),
        }
    }
}

/// A fault and where it was said, as in `lapa.json:3: `rows` = 24 is out of range: ...`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{origin}: {problem}")]
pub struct LoadError {
    /// Where the faulty value was said.
    pub origin: Origin,
    /// What is wrong with it.
    pub problem: Box<SpecError>,
}

impl LoadError {
    pub(super) fn new(origin: Origin, problem: SpecError) -> Self {
        LoadError { origin, problem: Box::new(problem) }
    }
}
