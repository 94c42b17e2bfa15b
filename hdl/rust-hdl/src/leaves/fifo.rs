//! A queue within one clock domain.

use super::with_width;
use crate::{Error, Leaf, LeafBuilder};
use rust_hdl::prelude::*;

/// rust-hdl's synchronous FIFO of `depth` words, 4 or 16, of `width` bits, 2 to 32.
///
/// Ports: `write`, `data_in[width]`, `full`, `almost_full` (one free word or none), `overflow`
/// (sticky: written while full); `read`, `data_out[width]`, `empty`, `almost_empty` (no word),
/// `underflow` (sticky: read while empty); `clock`. `data_out` holds the oldest word whenever
/// `empty` is low (undefined otherwise) and `read` moves on. A word shows up two edges after it
/// was written.
///
/// # Errors
/// [`Error::OutOfTable`] for a width or depth that is not compiled in.
pub fn synchronous_fifo(width: u32, depth: u32) -> Result<Leaf, Error> {
    let name = format!("synchronous_fifo_w{width}_d{depth}");
    with_width!("synchronous_fifo", "width" = width in "2 to 32", of_width(name, depth))
}

fn of_width<const WIDTH: usize>(name: String, depth: u32) -> Result<Leaf, Error> {
    // rust-hdl wants log2 of the depth and that plus one, both as constants; every depth in this
    // table adds 14 s to a clean build.
    match depth {
        4 => fifo::<WIDTH, 2, 3>(name),
        16 => fifo::<WIDTH, 4, 5>(name),
        got => Err(Error::OutOfTable {
            leaf: "synchronous_fifo",
            parameter: "depth",
            got,
            allowed: "4 or 16",
        }),
    }
}

fn fifo<const WIDTH: usize, const LOG2: usize, const LOG2_PLUS_1: usize>(
    name: String,
) -> Result<Leaf, Error> {
    type Fifo<const W: usize, const N: usize, const NP1: usize> =
        SynchronousFIFO<Bits<W>, N, NP1, 1>;
    LeafBuilder::new(name, Fifo::<WIDTH, LOG2, LOG2_PLUS_1>::default)
        .input(|block| &mut block.clock)
        .input(|block| &mut block.read)
        .input(|block| &mut block.write)
        .input(|block| &mut block.data_in)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_and_depths_outside_the_table_are_refused_by_name() {
        let text = |width, depth| synchronous_fifo(width, depth).err().unwrap().to_string();
        let advice = "rust-hdl fixes sizes when it is compiled; \
                      build other sizes from hwgen's own library";
        assert_eq!(
            text(33, 4),
            format!("synchronous_fifo: width is 33, allowed is 2 to 32: {advice}")
        );
        assert_eq!(
            text(8, 5),
            format!("synchronous_fifo: depth is 5, allowed is 4 or 16: {advice}")
        );
    }
}
