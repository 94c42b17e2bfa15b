//! The host's side of the link: a driver that asks until it is answered.
//!
//! ```no_run
//! use hwgen_boards::host::{Board, Serial};
//!
//! let mut board = Board::open(Serial::open("/dev/ttyUSB0", 115_200)?)?;
//! println!("{} at {} Hz", board.identity().design, board.identity().clock_hz);
//! # Ok::<(), hwgen_boards::host::BoardError>(())
//! ```
//!
//! - [`Transport`]: what carries bytes; [`Serial`]: a serial port or pseudo-terminal;
//! - [`Board`]: sessions, questions, answers; [`cnn`]: a network on the core `cnn`.

pub mod cnn;
mod driver;
mod error;
mod line;
mod transport;

pub use driver::Board;
pub use error::BoardError;
pub use line::{Settings, Traffic};
pub use transport::{Serial, Transport};
