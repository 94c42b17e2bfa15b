//! hwgen's designs on real boards: what a board is, the top level around a design, the way from
//! Verilog to a bitstream, and the host's side of the serial line.

pub mod asic;
