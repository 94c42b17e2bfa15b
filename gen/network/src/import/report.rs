//! What an importer could not take.

use std::fmt;

/// A node that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsupportedNode {
    /// Its place and what it writes.
    pub node: String,
    /// The operator, as the file names it.
    pub operator: String,
    /// What is not supported.
    pub problem: String,
    /// What to do about it.
    pub rewrite: String,
}

/// Every node of a model that cannot be taken; displays as a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unsupported {
    /// Nodes of the model.
    pub total: usize,
    /// Those that cannot be taken.
    pub nodes: Vec<UnsupportedNode>,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (some, total) = (self.nodes.len(), self.total);
        write!(f, "{some} of {total} nodes are not supported")?;
        for UnsupportedNode { node, operator, problem, rewrite } in &self.nodes {
            let [node, operator, problem] = [node, operator, problem].map(|text| printable(text));
            write!(f, "\n  {node}: {operator}: {problem}; {rewrite}")?;
        }
        Ok(())
    }
}

/// Most characters of a file's text in a message.
const MOST_CHARACTERS: usize = 400;

/// Text of a file as it may be shown: what steers a terminal or turns the direction of writing is
/// spelt out, what is very long is cut.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::new();
    for (n, character) in text.chars().enumerate() {
        if n == MOST_CHARACTERS {
            shown.push_str("...");
            break;
        }
        match character {
            '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => shown.extend(character.escape_unicode()),
            character if character.is_control() => shown.extend(character.escape_default()),
            character => shown.push(character),
        }
    }
    shown
}

/// Why a node cannot be taken, and what to do about it.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) problem: String,
    pub(super) rewrite: String,
}

impl Problem {
    pub(super) fn new(problem: impl Into<String>, rewrite: impl Into<String>) -> Problem {
        Problem { problem: problem.into(), rewrite: rewrite.into() }
    }
}
