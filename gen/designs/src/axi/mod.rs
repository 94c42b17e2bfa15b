//! A top around any design: its streams on AXI4-Stream, its plain ports in registers behind
//! AXI4-Lite. Signals, layouts and registers are defined in `docs/axi.md`.
//!
//! ```text
//! s_axil ----> register file ---> plain inputs, reset
//!                    ^----------- plain outputs, state of the streams
//! s_axis_* --> slice -> join --+
//!                              +--> core --+
//!                                          +--> cut -> slice --> m_axis_*
//! ```
//!
//! [`wrap()`] makes the top, [`map`] the table of registers that circuit, documents and headers come
//! from. [`sequence()`] goes between an attention engine and its top: it marks rows in hardware.

pub mod drive;
pub mod golden;
pub mod map;
mod registers;
pub mod sequence;
mod text;
mod width;
pub mod wrap;

pub use map::RegisterMap;
pub use sequence::sequence;
pub use wrap::{Wrapped, Wrapping, wrap};

use thiserror::Error;

/// A core that cannot have a top.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs)] // each variant's text says what its fields are
pub enum AxiError {
    #[error("`{module}` has {count} clocks; a top has one")]
    Clocks { module: String, count: usize },
    #[error("stream `{stream}`: a payload needs a field beside `last`, and `last` is one bit")]
    Payload { stream: String },
    #[error("stream `{stream}`: a bus of {bits} bits; it must be a multiple of 8 in 8..=4096")]
    BusWidth { stream: String, bits: u32 },
    #[error("{count} registers for plain {what}; there is room for {most}")]
    TooManyRegisters { what: &'static str, count: u32, most: u32 },
    #[error("{count} streams; there is room for the state of {most}")]
    TooManyStreams { count: usize, most: usize },
}
