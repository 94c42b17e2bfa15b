//! Passes: each takes a module and returns one that behaves the same.
