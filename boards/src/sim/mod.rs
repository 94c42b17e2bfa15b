//! A board that is not there: the link's top in our compiled engine, serial line or SPI and all.
//!
//! - [`SimBoard`]: bytes in, bytes out, over the simulated line or pins; [`faults`]: damage to them;
//! - [`SimLine`]: the driver's line to such a board in the same process;
//! - [`Terminal`]: a pseudo-terminal, which looks like a serial port; [`serve`]: a board behind one.

mod board;
mod far;
pub mod faults;
mod line;
mod serve;
mod terminal;

pub use board::{SimBoard, bench};
pub use line::SimLine;
pub use serve::serve;
pub use terminal::Terminal;
