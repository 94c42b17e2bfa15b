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
//! - [`Transport`]: what carries bytes; [`Serial`]: a serial port or pseudo-terminal; [`Spi`]: the pins of
//!   an SPI bus, through [`Ftdi`] or any other [`Exchange`];
//! - [`Board`]: sessions, questions, answers; [`cnn`]: a network on the core `cnn`;
//! - [`advice`]: what to do when a port cannot be opened, or is slow.

pub mod advice;
pub mod cnn;
mod driver;
mod error;
mod ftdi;
mod line;
mod spi;
mod transport;

pub use driver::Board;
pub use error::BoardError;
pub use ftdi::Ftdi;
pub use line::{Settings, Traffic};
pub use spi::{Exchange, Spi};
pub use transport::{Serial, Transport};
