//! A queue within one clock domain.

use super::with_width;
use crate::{Error, LeafBuilder};
use hwgen_hdl::Module;
use rust_hdl::prelude::*;
use std::sync::Arc;

/// rust-hdl's synchronous FIFO of 16 words of `width` bits, 2 to 32.
///
/// Ports: `write`, `data_in[width]`, `full`, `almost_full` (one free word or none), `overflow`
/// (sticky: written while full); `read`, `data_out[width]`, `empty`, `almost_empty` (no word),
/// `underflow` (sticky: read while empty); `clock`. `data_out` holds the oldest word whenever
/// `empty` is low (undefined otherwise) and `read` moves on. A word shows up two edges after it
/// was written.
///
/// # Errors
/// [`Error::OutOfTable`] for other widths.
pub fn synchronous_fifo(width: u32) -> Result<Arc<Module>, Error> {
    let name = format!("synchronous_fifo_w{width}_d16");
    with_width!("synchronous_fifo", "width" = width in "2 to 32", sixteen_words(name))
}

// Every further depth would compile 31 more FIFOs: 14 s of a clean build.
fn sixteen_words<const WIDTH: usize>(name: String) -> Result<Arc<Module>, Error> {
    LeafBuilder::new(name, SynchronousFIFO::<Bits<WIDTH>, 4, 5, 1>::default)
        .input(|block| &mut block.clock)
        .input(|block| &mut block.read)
        .input(|block| &mut block.write)
        .input(|block| &mut block.data_in)
        .registered()
        .build()
}

#[cfg(test)]
mod tests {
    #[test]
    fn widths_outside_the_table_are_refused_by_name() {
        assert_eq!(
            super::synchronous_fifo(33).unwrap_err().to_string(),
            "synchronous_fifo: width is 33, allowed is 2 to 32: rust-hdl fixes sizes when it is \
             compiled; build other sizes from hwgen's own library"
        );
    }
}
