//! Features of a second of speech, again and again: what a microphone says becomes what a keyword
//! spotting network takes.
//!
//! The last samples stand in a ring. Whenever enough new ones have come, the clip that ends with
//! them is read twice: for its largest sample, which the front end [`mfcc`](hwgen_designs::speech::mfcc) must be
//! told first, and for its features. The definition is in `docs/listen.md`.

mod check;
mod circuit;
pub mod golden;
mod spec;

pub use spec::ListenSpec;
