//! Components every design needs, one a file.
//!
//! A combinational component is a function on signals, placed in the caller's module
//! ([`leading_one()`]). Every component is also a module of its own, which can be printed, linted and
//! synthesized alone: `leading_one::module(8)`, `fifo(16, &fields)`. Modules with one stream in and
//! one out call them `in` and `out`, so that `stream.through("queue", &fifo(16, &fields))` works.
//! A module's name tells every parameter: one name, one circuit.
//!
//! Constructors take plain numbers and panic on one outside its documented range, naming the
//! component, the parameter, the value and the range.
//!
//! Control registers are reset; data registers that a valid bit guards are not. No component
//! relies on a value at power-up.

pub mod adder_tree;
pub mod async_fifo;
pub mod barrel_shifter;
mod catalogue;
pub mod crc;
pub mod divider;
pub mod extrema;
pub mod fifo;
pub mod integer_sqrt;
pub mod leading_one;
pub mod lfsr;
pub mod microphone;
mod naming;
pub mod pipeline;
pub mod popcount;
pub mod priority_encoder;
pub mod ram;
pub mod reciprocal;
pub mod register_slice;
pub mod requantize;
pub mod round_robin;
pub mod rounding;
pub mod saturate;
pub mod spi;
pub mod stream_fork;
pub mod stream_select;
pub mod synchronizer;
pub mod uart;

#[cfg(test)]
mod testing;

pub use adder_tree::{adder_tree, pipelined_adder_tree, sum_type};
pub use async_fifo::async_fifo;
pub use barrel_shifter::{Shift, barrel_shift};
pub use catalogue::{Sample, catalogue};
pub use crc::{Crc, crc};
pub use divider::{divide, pipelined_divide};
pub use extrema::{maximum, minimum, running_extrema};
pub use fifo::{Storage, fifo, fifo_with};
pub use integer_sqrt::{integer_sqrt, pipelined_integer_sqrt};
pub use leading_one::leading_one;
pub use lfsr::lfsr;
pub use pipeline::Pipeline;
pub use popcount::popcount;
pub use priority_encoder::{lowest_one, one_hot_index, priority_encoder};
pub use reciprocal::reciprocal_table;
pub use register_slice::{Cut, register_slice, skid_buffer, slice_stream};
pub use requantize::{Requantize, RunTimeScale, requantize, requantize_by};
pub use round_robin::round_robin;
pub use rounding::{Rounding, round_shift, round_shift_by};
pub use saturate::saturate;
pub use stream_fork::{broadcast, fork, fork_stream, join, join_streams};
pub use stream_select::{stream_arbiter, stream_mux};
pub use synchronizer::{reset_synchronizer, synchronize};
