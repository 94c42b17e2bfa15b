//! Two flip-flops in a row, the classic way into a clock domain.

use super::with_width;
use crate::{Error, LeafBuilder};
use hwgen_hdl::Module;
use rust_hdl::prelude::*;
use std::sync::Arc;

/// `lanes` independent bit synchronisers: 1 is rust-hdl's own widget, 2 to 32 a row of them.
///
/// Ports: `sig_in[lanes]`, `sig_out[lanes]` two edges of `clock` later. The lanes are not a word:
/// bits that change together may arrive one cycle apart.
///
/// # Errors
/// [`Error::OutOfTable`] for other lane counts.
pub fn bit_synchronizer(lanes: u32) -> Result<Arc<Module>, Error> {
    if lanes == 1 {
        return LeafBuilder::new("bit_synchronizer_w1", BitSynchronizer::default)
            .input(|block| &mut block.sig_in)
            .input(|block| &mut block.clock)
            .registered()
            .build();
    }
    with_width!("bit_synchronizer", "lanes" = lanes in "1 to 32", row(lanes))
}

#[derive(LogicBlock, Default)]
struct SynchronizerRow<const N: usize> {
    pub sig_in: Signal<In, Bits<N>>,
    pub sig_out: Signal<Out, Bits<N>>,
    pub clock: Signal<In, Clock>,
    dff0: DFF<Bits<N>>,
    dff1: DFF<Bits<N>>,
}

impl<const N: usize> Logic for SynchronizerRow<N> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, dff0, dff1);
        self.dff0.d.next = self.sig_in.val();
        self.dff1.d.next = self.dff0.q.val();
        self.sig_out.next = self.dff1.q.val();
    }
}

fn row<const N: usize>(lanes: u32) -> Result<Arc<Module>, Error> {
    LeafBuilder::new(format!("bit_synchronizer_w{lanes}"), SynchronizerRow::<N>::default)
        .input(|block| &mut block.sig_in)
        .input(|block| &mut block.clock)
        .registered()
        .build()
}

#[cfg(test)]
mod tests {
    #[test]
    fn lanes_outside_the_table_are_refused_by_name() {
        let error = super::bit_synchronizer(33).err().unwrap();
        assert_eq!(
            error.to_string(),
            "bit_synchronizer: lanes is 33, allowed is 1 to 32: rust-hdl fixes sizes when it is \
             compiled; build other sizes from hwgen's own library"
        );
        assert!(super::bit_synchronizer(0).is_err());
    }
}
