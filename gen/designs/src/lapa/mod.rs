//! LAPA attention predictor: finds the keys worth attending to, without a multiplier.
//!
//! - ALOC: the query becomes signs and leading-one positions, so a product is a shift.
//! - MRSA: the key is read in slices, most significant first; each slice is one round.
//! - DDF: after each round a filter set by the row's own statistics drops keys.
//!
//! Source: "LAPA" (arXiv 2512.07855) names the three; formats, rounds and thresholds are our
//! definition, written out in `docs/lapa.md`.

pub mod spec;
mod widths;

pub use spec::{Filter, LapaSpec, RoundFilter};
