//! Whether bits can be 1 together: a search backwards through the logic, as far as a budget goes.

use super::graph::{Bit, Gate, Graph};
use std::collections::HashMap;

/// Steps of a search; beyond, it is said that they can.
const BUDGET: usize = 5_000;

/// Whether all bits may be 1 at once.
pub(super) fn together(graph: &Graph, bits: &[Bit]) -> bool {
    let mut search = Search { graph, values: HashMap::new(), trail: vec![], steps: 0 };
    let goals: Vec<(usize, bool)> = bits.iter().map(|bit| (bit.gate(), !bit.inverted())).collect();
    search.justify(goals)
}

struct Search<'a> {
    graph: &'a Graph,
    values: HashMap<usize, bool>,
    trail: Vec<usize>,
    steps: usize,
}

impl Search<'_> {
    /// Whether sources can be chosen so that each gate has its value.
    fn justify(&mut self, mut goals: Vec<(usize, bool)>) -> bool {
        let mark = self.trail.len();
        while let Some((gate, value)) = goals.pop() {
            self.steps += 1;
            if self.steps > BUDGET {
                return true;
            }
            match self.values.get(&gate) {
                Some(&known) if known == value => continue,
                Some(_) => return self.fail(mark),
                None => {}
            }
            self.values.insert(gate, value);
            self.trail.push(gate);
            let want = |bit: Bit, value: bool| (bit.gate(), value ^ bit.inverted());
            let ways = match (self.graph.gates[gate], value) {
                (Gate::Zero, true) => return self.fail(mark),
                (Gate::Zero, false) | (Gate::Source, _) => continue,
                (Gate::And(a, b), true) => {
                    goals.extend([want(a, true), want(b, true)]);
                    continue;
                }
                (Gate::And(a, b), false) => [vec![want(a, false)], vec![want(b, false)]],
                (Gate::Xor(a, b), value) => {
                    [vec![want(a, true), want(b, !value)], vec![want(a, false), want(b, value)]]
                }
            };
            for way in ways {
                let next = goals.iter().copied().chain(way).collect();
                if self.justify(next) {
                    return true;
                }
            }
            return self.fail(mark);
        }
        true
    }

    fn fail(&mut self, mark: usize) -> bool {
        for gate in self.trail.drain(mark..) {
            self.values.remove(&gate);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictions_are_found() {
        let mut graph = Graph::new();
        let [a, b, c] = [graph.source(), graph.source(), graph.source()];
        let (ab, bc) = (graph.and(a, b), graph.and(!b, c));
        assert!(!together(&graph, &[ab, bc]));
        assert!(together(&graph, &[ab, c]));
        let differ = graph.xor(a, c);
        assert!(!together(&graph, &[differ, a, c]));
        assert!(together(&graph, &[differ, a]));
    }
}
