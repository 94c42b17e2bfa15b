//! hwgen's designs on real boards: what a board is, the top level around a design, the way from
//! Verilog to a bitstream, and the host's side of the serial line.

pub mod asic;
pub mod board;
pub mod build;
pub mod clocking;
pub mod constraints;
pub mod echo;
pub mod eembc;
pub mod host;
pub mod link;
pub mod program;
pub mod proof;
pub mod sim;
pub mod top;
pub mod wrapper;
