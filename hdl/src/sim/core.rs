//! What an engine does for the [`Simulator`](super::Simulator).

use crate::netlist::NodeId;
use crate::ty::Int;

/// An engine that runs a flat module. Values are checked before they get here.
pub(super) trait Core: Send {
    /// Sets an input.
    fn poke(&mut self, input: usize, value: &Int);

    /// The settled value of any node.
    fn peek(&mut self, node: NodeId) -> Int;

    /// Prepares for these nodes to be looked at together.
    fn show(&mut self, _nodes: &[NodeId]) {}

    /// Rising edges of the flat clocks that are `ticking`; whether every assertion held.
    fn tick(&mut self, ticking: &[bool]) -> bool;

    /// Up to `n` ticks with unchanged inputs, ending early after one at which an assertion failed;
    /// returns how many there were.
    fn run(&mut self, ticking: &[bool], n: u64) -> u64 {
        (0..n)
            .find(|_| !self.tick(ticking))
            .map_or(n, |last| last + 1)
    }

    /// The assertions that failed at the last tick.
    fn failed(&self) -> &[usize];
}
