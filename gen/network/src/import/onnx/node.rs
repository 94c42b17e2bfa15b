//! A node's attributes with their defaults.

use super::proto::{AttributeProto, NodeProto};
use crate::import::report::Problem;

/// What a file that an exporter wrote does not have.
pub(super) fn broken(problem: impl Into<String>) -> Problem {
    Problem::new(problem, "the file is damaged: export it again")
}

impl NodeProto {
    pub(super) fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.attribute.iter().find(|attribute| attribute.name() == name)
    }

    /// The name of input `n`.
    pub(super) fn reads(&self, n: usize) -> &str {
        self.input.get(n).map(String::as_str).unwrap_or_default()
    }

    pub(super) fn integer(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).and_then(|attribute| attribute.i).unwrap_or(default)
    }

    pub(super) fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).and_then(|attribute| attribute.f).unwrap_or(default)
    }

    pub(super) fn integers(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|attribute| &attribute.ints[..])
    }

    /// A text attribute.
    pub(super) fn text(&self, name: &str, default: &str) -> String {
        let text = self.attribute(name).and_then(|attribute| attribute.s.as_deref());
        text.map_or_else(|| default.to_owned(), |text| String::from_utf8_lossy(text).into_owned())
    }

    /// A pair of small numbers above 0, absent as `default`.
    pub(super) fn pair(&self, name: &str, default: [usize; 2]) -> Result<[usize; 2], Problem> {
        let Some(list) = self.integers(name) else { return Ok(default) };
        let size = |n: i64| usize::try_from(n).ok().filter(|n| (1..=4096).contains(n));
        match *list {
            [rows, columns] => size(rows).zip(size(columns)).map(|(rows, columns)| [rows, columns]),
            // along a line
            [columns] => size(columns).map(|columns| [1, columns]),
            _ => None,
        }
        .ok_or_else(|| broken(format!("its {name} are {list:?}: must be one or two of 1 to 4096")))
    }
}

/// A node's place, its name and what it writes.
pub(super) fn describe(n: usize, node: &NodeProto) -> String {
    let name = Some(node.name()).filter(|name| !name.is_empty());
    let name = name.map(|name| format!(" `{name}`")).unwrap_or_default();
    match node.output.first() {
        Some(output) => format!("node {n}{name} (writes `{output}`)"),
        None => format!("node {n}{name}"),
    }
}
