//! One pulse a transition.

use super::with_width;
use crate::{Error, LeafBuilder};
use hwgen_hdl::Module;
use rust_hdl::prelude::*;
use std::sync::Arc;

/// Which transition an [`edge_detector`] reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// 0 to 1.
    Rising,
    /// 1 to 0.
    Falling,
}

/// `lanes` independent edge detectors: 1 is rust-hdl's own widget, 2 to 32 a row of them.
///
/// Ports: `input_signal[lanes]`, `edge_signal[lanes]`: high for one cycle, from the edge of
/// `clock` that first sees the new level. The level at power-up is not an edge.
///
/// # Errors
/// [`Error::OutOfTable`] for other lane counts.
pub fn edge_detector(lanes: u32, edge: Edge) -> Result<Arc<Module>, Error> {
    let rising = edge == Edge::Rising;
    let name = format!("{}_edge_w{lanes}", if rising { "rising" } else { "falling" });
    if lanes == 1 {
        return LeafBuilder::new(name, move || EdgeDetector::new(rising))
            .input(|block| &mut block.input_signal)
            .input(|block| &mut block.clock)
            .registered()
            .build();
    }
    with_width!("edge_detector", "lanes" = lanes in "1 to 32", row(name, rising))
}

#[derive(LogicBlock)]
struct EdgeDetectorRow<const N: usize> {
    pub input_signal: Signal<In, Bits<N>>,
    pub edge_signal: Signal<Out, Bits<N>>,
    pub clock: Signal<In, Clock>,
    prev: DFF<Bits<N>>,
    current: DFF<Bits<N>>,
    /// All ones turns the rises of the input into the falls that the logic below looks for.
    invert: Constant<Bits<N>>,
}

impl<const N: usize> EdgeDetectorRow<N> {
    fn new(rising: bool) -> Self {
        Self {
            input_signal: Signal::default(),
            edge_signal: Signal::default(),
            clock: Signal::default(),
            prev: DFF::default(),
            current: DFF::default(),
            invert: Constant::new(if rising { Bits::mask() } else { Bits::default() }),
        }
    }
}

impl<const N: usize> Logic for EdgeDetectorRow<N> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, prev, current);
        self.prev.d.next = self.current.q.val();
        self.current.d.next = self.invert.val() ^ self.input_signal.val();
        self.edge_signal.next = (!self.current.q.val()) & self.prev.q.val();
    }
}

fn row<const N: usize>(name: String, rising: bool) -> Result<Arc<Module>, Error> {
    LeafBuilder::new(name, move || EdgeDetectorRow::<N>::new(rising))
        .input(|block| &mut block.input_signal)
        .input(|block| &mut block.clock)
        .registered()
        .build()
}
