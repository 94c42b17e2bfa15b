//! The text protocol of the MLPerf Tiny runner (EEMBC's energyrunner), in front of a board.
//!
//! The runner expects a device under test at a serial port that understands lines such as `infer 10 0%`. Our boards
//! speak packets (`docs/link.md`): a [`Bridge`] on the host speaks to both. Its timestamps are the board's
//! cycles, so what the line to the board takes between packets counts, and the host's clock does not.
//!
//! Commands and answers are those of `benchmark/api/internally_implemented.cpp` and the reference
//! `submitter_implemented.cpp` of github.com/mlcommons/tiny, the runner's that of `benchmark/runner`.

mod bridge;
mod clock;
mod commands;

pub use bridge::{Bridge, serve};
pub use clock::Clock;
pub use commands::{Commands, Device, Names};
