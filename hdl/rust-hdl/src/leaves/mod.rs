//! rust-hdl parts ready for use: what it does well is small control cells.
//!
//! rust-hdl fixes widths at compile time, so each part is compiled once for every width of a
//! table and picked at run time; outside the table there is [`Error::OutOfTable`](crate::Error).
//! None has a reset: like all of rust-hdl's widgets they start from their power-up values, which
//! FPGAs honor and ASIC libraries do not. So what controls them must be defined before the first
//! edge: `write.and(!domain.in_reset())` rather than a register that is still undefined.

mod edge_detector;
mod fifo;
mod spi;
mod synchronizer;

pub use edge_detector::{Edge, edge_detector};
pub use fifo::synchronous_fifo;
pub use spi::spi_master;
pub use synchronizer::bit_synchronizer;

/// `$part::<WIDTH>(arguments)` for the constant `WIDTH` of 2 to 32 that equals `$width`, or the
/// error that says which `$parameter` of which `$leaf` is not `$allowed`.
macro_rules! with_width {
    ($leaf:literal, $parameter:literal = $width:ident in $allowed:literal,
        $part:ident $arguments:tt) => {
        $crate::leaves::with_width!(@table $leaf, $parameter, $width, $allowed, $part $arguments,
            2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17
            18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)
    };
    (@table $leaf:literal, $parameter:literal, $width:ident, $allowed:literal,
        $part:ident $arguments:tt, $($n:literal)*) => {
        match $width {
            $($n => $part::<$n> $arguments,)*
            got => Err($crate::Error::OutOfTable {
                leaf: $leaf,
                parameter: $parameter,
                got,
                allowed: $allowed,
            }),
        }
    };
}
pub(crate) use with_width;
