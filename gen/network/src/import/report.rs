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
            write!(f, "\n  {node}: {operator}: {problem}; {rewrite}")?;
        }
        Ok(())
    }
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
