//! Accelerator designs: a specification becomes a netlist.
//!
//! - [`spec`]: what every design's specification shares: parameter tables, loading, errors.
//! - [`lapa`]: a predictor of the keys a Transformer's query will attend to.

pub mod lapa;
pub mod spec;
