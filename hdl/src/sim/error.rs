//! What can be wrong with a request to a simulator.

use crate::place::Place;
use crate::ty::{Int, Type};
use thiserror::Error;

/// A request that a simulator cannot fulfil.
#[derive(Debug, Error)]
#[allow(missing_docs)] // each variant's text says what its fields are
pub enum SimError {
    #[error("module `{module}` has no {what} `{name}`; it has {available}")]
    NoSuchName { module: String, what: &'static str, name: String, available: String },
    #[error(
        "input `{input}` of module `{module}`: {value} does not fit {ty} ({}..={})",
        Type::min(*ty), Type::max(*ty)
    )]
    ValueDoesNotFit { module: String, input: String, value: Int, ty: Type },
    #[error("`{name}` of module `{module}` is {value}, which does not fit {wanted}; use `peek`")]
    PeekDoesNotFit { module: String, name: String, value: Int, wanted: &'static str },
    #[error("stream `{stream}` has {fields} payload fields, but a payload of {given} was queued")]
    PayloadFields { stream: String, fields: usize, given: usize },
    #[error("{what}: not within {cycles} cycles")]
    TimedOut { what: String, cycles: u64 },
    #[error("the compiled engine cannot be made: {reason}; use the interpreter")]
    Engine { reason: String },
    #[error("wave file `{path}`: {reason}")]
    Wave { path: String, reason: String },
}

/// A broken promise or stream contract.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// What was promised, and by which part of the design.
    pub message: String,
    /// The author's line.
    pub place: Place,
    /// The rising edge at which it was seen, counted from 0 since power-up.
    pub cycle: u64,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: cycle {}: {}", self.place, self.cycle, self.message)
    }
}
