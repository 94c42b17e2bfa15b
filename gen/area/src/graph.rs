//! Logic bit by bit: two-input gates, shared when equal, folded when known.

use std::collections::HashMap;

/// A bit: a gate's output, inverted if the lowest bit is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Bit(pub(super) u32);

impl Bit {
    /// The bit that is always 0.
    pub(super) const ZERO: Bit = Bit(0);
    /// The bit that is always 1.
    pub(super) const ONE: Bit = Bit(1);

    /// 0 or 1.
    pub(super) fn known(value: bool) -> Bit {
        Bit(u32::from(value))
    }

    /// Position in [`Graph::gates`].
    pub(super) fn gate(self) -> usize {
        (self.0 >> 1) as usize
    }

    /// Whether it is the gate's inverse.
    pub(super) fn inverted(self) -> bool {
        self.0 & 1 == 1
    }

    /// Whether its value is known.
    pub(super) fn is_known(self) -> bool {
        self.0 <= 1
    }

    fn of(gate: usize) -> Bit {
        Bit(u32::try_from(gate << 1).expect("a circuit has fewer than 2^31 gates"))
    }
}

impl std::ops::Not for Bit {
    type Output = Bit;

    fn not(self) -> Bit {
        Bit(self.0 ^ 1)
    }
}

/// What makes a bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Gate {
    /// Always 0: gate 0 alone.
    Zero,
    /// Comes from outside the logic: a port, a flip-flop, a carry, a block.
    Source,
    /// Both.
    And(Bit, Bit),
    /// One of the two; neither is inverted.
    Xor(Bit, Bit),
}

/// A choice as the author wrote it: `(select, on_true, on_false)`.
pub(super) type Choice = (Bit, Bit, Bit);

/// All logic of a circuit.
#[derive(Debug)]
pub(super) struct Graph {
    /// Operands stand before their users.
    pub(super) gates: Vec<Gate>,
    /// Which gate computes something already.
    shared: HashMap<Gate, Bit>,
    /// Bits that a multiplexer made: registers look for their enables and resets among these.
    pub(super) choices: HashMap<Bit, Choice>,
}

impl Graph {
    pub(super) fn new() -> Graph {
        Graph { gates: vec![Gate::Zero], shared: HashMap::new(), choices: HashMap::new() }
    }

    /// A bit from outside.
    pub(super) fn source(&mut self) -> Bit {
        self.gates.push(Gate::Source);
        Bit::of(self.gates.len() - 1)
    }

    /// Bits from outside.
    pub(super) fn sources(&mut self, width: usize) -> Vec<Bit> {
        (0..width).map(|_| self.source()).collect()
    }

    fn share(&mut self, gate: Gate) -> Bit {
        if let Some(&known) = self.shared.get(&gate) {
            return known;
        }
        self.gates.push(gate);
        let bit = Bit::of(self.gates.len() - 1);
        self.shared.insert(gate, bit);
        bit
    }

    /// The operands of an uninverted conjunction.
    fn conjunction(&self, bit: Bit) -> Option<(Bit, Bit)> {
        match self.gates[bit.gate()] {
            Gate::And(a, b) => Some((a, b)),
            _ => None,
        }
    }

    pub(super) fn and(&mut self, a: Bit, b: Bit) -> Bit {
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        if a == Bit::ZERO || a == !b {
            return Bit::ZERO;
        }
        if a == Bit::ONE || a == b {
            return b;
        }
        // one operand among those of the other: absorbed, or a contradiction
        for (one, other) in [(a, b), (b, a)] {
            let Some((x, y)) = self.conjunction(other) else {
                continue;
            };
            match other.inverted() {
                false if one == x || one == y => return other,
                false if one == !x || one == !y => return Bit::ZERO,
                true if one == !x || one == !y => return one,
                true if one == x => return self.and(one, !y),
                true if one == y => return self.and(one, !x),
                _ => {}
            }
        }
        if let Some(bit) = self.two_level(a, b) {
            return bit;
        }
        self.share(Gate::And(a, b))
    }

    /// A conjunction of conjunctions, or of their inverses, that is less than its four operands
    /// (Brummayer and Biere: "Local two-level And-Inverter Graph minimization without blowup",
    /// MEMICS 2006).
    fn two_level(&mut self, a: Bit, b: Bit) -> Option<Bit> {
        let (w, x) = self.conjunction(a)?;
        let (y, z) = self.conjunction(b)?;
        let pairs = [(w, x, y, z), (w, x, z, y), (x, w, y, z), (x, w, z, y)];
        for (one, rest, other, last) in pairs {
            match (a.inverted(), b.inverted()) {
                // one in both: the inverse of the rest is all that is left of the inverted one
                (true, false) if one == other => return Some(self.and(b, !rest)),
                (false, true) if one == other => return Some(self.and(a, !last)),
                (false, false) if one == !other => return Some(Bit::ZERO),
                (true, false) if one == !other => return Some(b),
                (false, true) if one == !other => return Some(a),
                (true, true) if one == !other && rest == last => return Some(!rest),
                _ => {}
            }
        }
        None
    }

    pub(super) fn or(&mut self, a: Bit, b: Bit) -> Bit {
        !self.and(!a, !b)
    }

    pub(super) fn xor(&mut self, a: Bit, b: Bit) -> Bit {
        let inverted = a.inverted() ^ b.inverted();
        let (a, b) = (Bit(a.0 & !1), Bit(b.0 & !1));
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        let bit = match () {
            () if a == b => Bit::ZERO,
            () if a == Bit::ZERO => b,
            () => self.share(Gate::Xor(a, b)),
        };
        Bit(bit.0 ^ u32::from(inverted))
    }

    pub(super) fn mux(&mut self, select: Bit, on_true: Bit, on_false: Bit) -> Bit {
        let bit = match () {
            () if select == Bit::ONE || on_true == on_false => return on_true,
            () if select == Bit::ZERO => return on_false,
            () if on_true == !on_false => self.xor(select, on_false),
            () if on_true == Bit::ZERO || on_true == !select => self.and(!select, on_false),
            () if on_true == Bit::ONE || on_true == select => self.or(select, on_false),
            () if on_false == Bit::ZERO || on_false == select => self.and(select, on_true),
            () if on_false == Bit::ONE || on_false == !select => self.or(!select, on_true),
            () => {
                let (one, other) = (self.and(select, on_true), self.and(!select, on_false));
                self.or(one, other)
            }
        };
        // a choice that came out as one of its legs tells nothing; what the legs were made of first
        // is made of them still
        let older = |leg: Bit| leg.gate() < bit.gate();
        if !bit.is_known() && older(on_true) && older(on_false) {
            self.choices.insert(bit, (select, on_true, on_false));
        }
        bit
    }

    /// All of them, as a balanced tree.
    pub(super) fn all(&mut self, bits: &[Bit]) -> Bit {
        self.tree(bits, Bit::ONE, Graph::and)
    }

    /// Any of them, as a balanced tree.
    pub(super) fn any(&mut self, bits: &[Bit]) -> Bit {
        self.tree(bits, Bit::ZERO, Graph::or)
    }

    /// Their parity, as a balanced tree.
    pub(super) fn parity(&mut self, bits: &[Bit]) -> Bit {
        self.tree(bits, Bit::ZERO, Graph::xor)
    }

    fn tree(&mut self, bits: &[Bit], none: Bit, join: fn(&mut Graph, Bit, Bit) -> Bit) -> Bit {
        match bits {
            [] => none,
            [one] => *one,
            _ => {
                let (low, high) = bits.split_at(bits.len() / 2);
                let (low, high) = (self.tree(low, none, join), self.tree(high, none, join));
                join(self, low, high)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_folds_and_what_is_equal_is_shared() {
        let mut graph = Graph::new();
        let (a, b) = (graph.source(), graph.source());
        assert_eq!(graph.and(a, !a), Bit::ZERO);
        assert_eq!(graph.or(a, Bit::ONE), Bit::ONE);
        assert_eq!(graph.and(a, b), graph.and(b, a));
        let both = graph.and(a, b);
        assert_eq!(graph.and(both, a), both);
        assert_eq!(graph.and(!both, a), graph.and(a, !b));
        let (c, only_b) = (graph.source(), graph.and(!a, b));
        let ac = graph.and(a, c);
        assert_eq!(graph.and(ac, only_b), Bit::ZERO);
        assert_eq!(graph.and(!both, !only_b), !b);
        assert_eq!(graph.and(!both, only_b), only_b);
        assert_eq!(graph.and(!both, ac), graph.and(ac, !b));
        assert_eq!(graph.xor(!a, b), !graph.xor(a, b));
        assert_eq!(graph.mux(a, b, !b), !graph.xor(a, b));
        assert_eq!(graph.mux(a, b, Bit::ZERO), both);
    }
}
