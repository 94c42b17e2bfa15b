//! Whether bits can be 1 together: a search backwards through the logic, as far as a budget goes.

use super::graph::{Bit, Gate, Graph};
use std::collections::HashMap;

/// Steps of a search; beyond, it is said that they can.
const BUDGET: usize = 5_000;

/// Whether all bits may be 1 at once.
pub(super) fn together(graph: &Graph, bits: &[Bit]) -> bool {
    let mut search = Search { graph, values: HashMap::new(), trail: vec![], steps: 0 };
    search.justify(bits.iter().map(|bit| (bit.gate(), !bit.inverted())).collect())
}

/// A gate and the value it is to have.
type Aim = (usize, bool);

struct Search<'a> {
    graph: &'a Graph,
    values: HashMap<usize, bool>,
    trail: Vec<usize>,
    steps: usize,
}

/// Two ways on, of which the first is tried.
struct Fork {
    /// What was settled before.
    mark: usize,
    /// What is to be reached either way.
    rest: Vec<Aim>,
    second: Option<Vec<Aim>>,
}

/// How far aims lead without a choice.
enum Way {
    /// All are reached, or the budget is spent.
    Holds,
    Contradiction,
    Fork([Vec<Aim>; 2]),
}

impl Search<'_> {
    /// Whether sources can be chosen so that each gate has its value. The stack is our own: logic
    /// is deeper than the call stack.
    fn justify(&mut self, mut aims: Vec<Aim>) -> bool {
        let mut forks: Vec<Fork> = vec![];
        loop {
            match self.follow(&mut aims) {
                Way::Holds => return true,
                Way::Fork([first, second]) => {
                    let (mark, rest) = (self.trail.len(), aims.clone());
                    forks.push(Fork { mark, rest, second: Some(second) });
                    aims.extend(first);
                }
                Way::Contradiction => loop {
                    let Some(fork) = forks.last_mut() else {
                        return false;
                    };
                    for gate in self.trail.drain(fork.mark..) {
                        self.values.remove(&gate);
                    }
                    if let Some(second) = fork.second.take() {
                        aims.clone_from(&fork.rest);
                        aims.extend(second);
                        break;
                    }
                    forks.pop();
                },
            }
        }
    }

    fn follow(&mut self, aims: &mut Vec<Aim>) -> Way {
        while let Some((gate, value)) = aims.pop() {
            self.steps += 1;
            if self.steps > BUDGET {
                return Way::Holds;
            }
            match self.values.get(&gate) {
                Some(&known) if known == value => continue,
                Some(_) => return Way::Contradiction,
                None => {}
            }
            self.values.insert(gate, value);
            self.trail.push(gate);
            let want = |bit: Bit, value: bool| (bit.gate(), value ^ bit.inverted());
            match (self.graph.gates[gate], value) {
                (Gate::Zero, true) => return Way::Contradiction,
                (Gate::Zero, false) | (Gate::Source, _) => {}
                (Gate::And(a, b), true) => aims.extend([want(a, true), want(b, true)]),
                (Gate::And(a, b), false) => {
                    return Way::Fork([vec![want(a, false)], vec![want(b, false)]]);
                }
                (Gate::Xor(a, b), value) => {
                    let first = vec![want(a, true), want(b, !value)];
                    return Way::Fork([first, vec![want(a, false), want(b, value)]]);
                }
            }
        }
        Way::Holds
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
