//! What an engine does for the [`Simulator`](super::Simulator).

use crate::netlist::NodeId;
use crate::ty::{Int, Type};
use num_traits::ToPrimitive;

/// An engine that runs a flat module. Values are checked before they get here.
pub(super) trait Core: Send {
    /// Sets an input.
    fn poke(&mut self, input: usize, value: &Int);

    /// Sets an input to a value that fits and is not negative.
    fn poke_word(&mut self, input: usize, value: u64) {
        self.poke(input, &value.into());
    }

    /// Sets an input to a bit pattern: 64-bit words, the lowest first, zeros above the width.
    fn poke_pattern(&mut self, input: usize, ty: Type, words: &[u64]) {
        self.poke(input, &ty.from_pattern(words));
    }

    /// The settled bit pattern of a node, into as many words as it takes.
    fn peek_pattern(&mut self, node: NodeId, ty: Type, words: &mut [u64]) {
        ty.to_pattern(&self.peek(node), words);
    }

    /// The settled value of a node of at most 64 bits, unsigned.
    fn peek_word(&mut self, node: NodeId) -> u64 {
        self.peek(node).to_u64().unwrap_or_default()
    }

    /// The settled value of any node.
    fn peek(&mut self, node: NodeId) -> Int;

    /// Prepares for these nodes to be looked at together.
    fn show(&mut self, _nodes: &[NodeId]) {}

    /// Rising edges of the flat clocks that are `ticking`; whether every assertion held.
    fn tick(&mut self, ticking: &[bool]) -> bool;

    /// Up to `n` ticks with unchanged inputs, ending early after one at which an assertion failed;
    /// returns how many there were.
    fn run(&mut self, ticking: &[bool], n: u64) -> u64 {
        (0..n).find(|_| !self.tick(ticking)).map_or(n, |last| last + 1)
    }

    /// From now on counts the changes of these nodes' bits from one tick to the next.
    fn count(&mut self, nodes: Vec<NodeId>);

    /// For each counted node, the bits that changed, summed over all ticks.
    fn toggles(&self) -> Vec<u64>;

    /// The assertions that failed at the last tick.
    fn failed(&self) -> &[usize];
}
