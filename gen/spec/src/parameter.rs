//! One row of a design's parameter table.

use super::SpecError;
use std::fmt;

/// A parameter: its name, what it may be and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Path in the specification, as in `rows` or `filter.alpha16`.
    pub name: &'static str,
    /// Allowed values.
    pub range: Range,
    /// One line of help.
    pub meaning: &'static str,
}

/// The values a parameter may take; displays as the text an error or a help page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// `min..=max`.
    Integer(i64, i64),
    /// A power of two in `min..=max`.
    PowerOfTwo(i64, i64),
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list, each of whose entries lies in `min..=max`.
    List(i64, i64),
}

impl Range {
    fn contains(self, value: i64) -> bool {
        match self {
            Range::Integer(min, max) | Range::List(min, max) => (min..=max).contains(&value),
            Range::PowerOfTwo(min, max) => (min..=max).contains(&value) && value.count_ones() == 1,
            Range::Flag | Range::Choice(_) => true,
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Range::Integer(min, max) => write!(f, "{min}..={max}"),
            Range::PowerOfTwo(min, max) => write!(f, "a power of two in {min}..={max}"),
            Range::Flag => write!(f, "true or false"),
            Range::Choice(words) => write!(f, "one of {}", words.join(", ")),
            Range::List(min, max) => write!(f, "a list, each entry {min}..={max}"),
        }
    }
}

impl Parameter {
    /// Checks an integer parameter.
    ///
    /// # Errors
    /// [`SpecError::OutOfRange`] naming the parameter.
    pub fn check(&self, value: impl Into<i64>) -> Result<(), SpecError> {
        let value = value.into();
        if self.range.contains(value) {
            return Ok(());
        }
        Err(SpecError::out_of_range(self.name, value, self.range))
    }

    /// Checks every entry of a list parameter.
    ///
    /// # Errors
    /// [`SpecError::OutOfRange`] naming the first bad entry, as in `key_slices[1]`.
    pub fn check_entries<T: Copy + Into<i64>>(&self, values: &[T]) -> Result<(), SpecError> {
        for (i, &value) in values.iter().enumerate() {
            let value = value.into();
            if !self.range.contains(value) {
                let range = match self.range {
                    Range::List(min, max) => Range::Integer(min, max),
                    range => range,
                };
                let field = format!("{}[{i}]", self.name);
                return Err(SpecError::out_of_range(field, value, range));
            }
        }
        Ok(())
    }
}
