//! The protocol between host and board: frames, questions, answers. Definition in `docs/link.md`.
//!
//! - [`slip`]: bytes of the line to bodies and back; [`packet`]: what a body says; [`spi`]: what SPI adds;
//! - [`channel`]: which streams and ports a design has for it; [`identity`]: what a board says of itself;
//! - [`model`]: the board's side as an integer model, written from the definition.

pub mod channel;
pub mod identity;
pub mod model;
pub mod packet;
pub mod slip;
pub mod spi;

/// The protocol's version.
pub const VERSION: u8 = 2;

/// The incoming channel whose bytes are the core's contents: program, weights, tables.
pub const CONTENTS_CHANNEL: &str = "load";

/// The most data bytes of a packet.
pub const MOST_DATA: usize = 192;

/// Bytes before the data.
pub const HEADER_BYTES: usize = 6;

/// Bytes behind the data.
pub const CRC_BYTES: usize = 4;

/// Begins and ends a frame.
pub const END: u8 = 0xc0;

/// Begins what stands for an END or an ESCAPE in a body.
pub const ESCAPE: u8 = 0xdb;

/// Behind an ESCAPE: an END.
pub const ESCAPED_END: u8 = 0xdc;

/// Behind an ESCAPE: an ESCAPE.
pub const ESCAPED_ESCAPE: u8 = 0xdd;

/// An answer's kind has this bit.
pub const ANSWER: u8 = 0x80;

/// The refusal: out of sequence.
pub const OUT_OF_SEQUENCE: u8 = 0xe0;

/// The refusal: no such question, no such channel.
pub const UNKNOWN: u8 = 0xe1;
