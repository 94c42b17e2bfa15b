//! Covers gates with look-up tables: cuts of few leaves, first the shallowest, then the cheapest.
//!
//! The method is priority cuts (Mishchenko, Cho, Chatterjee, Brayton: "Combinational and
//! sequential mapping with priority cuts", ICCAD 2007), with the passes of ABC's `if`: every gate
//! keeps a few cuts; the depth is found, then cuts that are cheap however deep, and then, within
//! the depth found, what is cheapest by area flow and by exact area.

use super::graph::{Bit, Gate, Graph};
use std::cmp::Ordering;

/// The most inputs of a table.
pub(super) const MOST_INPUTS: usize = 8;

/// Cuts kept a gate.
const CUTS: usize = 8;

/// Tables that are there for one alone are followed so far; in a long chain each is there for all
/// behind it, and looking at all of them for each would take time with the square.
const FARTHEST: usize = 256;

/// Areas closer than this are the same.
const CLOSE: f32 = 0.005;

/// What a target's tables are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tables {
    /// The most inputs of one.
    pub(super) inputs: usize,
    /// What one of 0, 1, 2, .. inputs costs while covers are compared.
    pub(super) cost: [f32; MOST_INPUTS + 1],
    /// Tables of the chip that it takes: those of more inputs are made of several.
    pub(super) count: [u64; MOST_INPUTS + 1],
    /// Tables that are left when ABC has rewritten the gates, in percent of those found here,
    /// where gates are taken as they are. Measured once, over all designs.
    pub(super) kept_percent: u64,
}

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// What it reads, ascending.
    pub(super) leaves: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Cut {
    leaves: [u32; MOST_INPUTS],
    count: u8,
    depth: u32,
    area: f32,
    /// Wires, counted as the area is: of two covers that cost the same, the one with fewer is taken.
    wires: f32,
    /// Users of its leaves, on average.
    users: f32,
    /// A bit for each leaf, modulo 64.
    sign: u64,
}

impl Cut {
    fn single(gate: usize) -> Cut {
        let mut leaves = [0; MOST_INPUTS];
        leaves[0] = gate as u32;
        let sign = 1 << (gate % 64);
        Cut { leaves, count: 1, depth: 0, area: 0.0, wires: 0.0, users: 0.0, sign }
    }

    fn leaves(&self) -> &[u32] {
        &self.leaves[..usize::from(self.count)]
    }

    /// Both cuts' leaves, if they are no more than `most`.
    fn join(&self, other: &Cut, most: usize) -> Option<Cut> {
        let sign = self.sign | other.sign;
        if sign.count_ones() as usize > most {
            return None;
        }
        let (a, b) = (self.leaves(), other.leaves());
        let (mut i, mut j, mut count) = (0, 0, 0);
        let mut leaves = [0; MOST_INPUTS];
        while i < a.len() || j < b.len() {
            if count == most {
                return None;
            }
            let next = match (a.get(i), b.get(j)) {
                (Some(&x), Some(&y)) if x == y => {
                    (i, j) = (i + 1, j + 1);
                    x
                }
                (Some(&x), Some(&y)) if x < y => {
                    i += 1;
                    x
                }
                (_, Some(&y)) => {
                    j += 1;
                    y
                }
                (Some(&x), None) => {
                    i += 1;
                    x
                }
                (None, None) => break,
            };
            leaves[count] = next;
            count += 1;
        }
        let count = count as u8;
        Some(Cut { leaves, count, depth: 0, area: 0.0, wires: 0.0, users: 0.0, sign })
    }

    /// Whether this cut's leaves are among the other's.
    fn within(&self, other: &Cut) -> bool {
        self.count <= other.count
            && self.sign & !other.sign == 0
            && self.leaves().iter().all(|leaf| other.leaves().contains(leaf))
    }
}

/// What a pass is after. All but the first start from a cover.
#[derive(Clone, Copy, PartialEq)]
enum Goal {
    /// The shallowest cuts, those of few leaves first.
    Depth,
    /// The shallowest cuts, the cheap ones first.
    CheapDepth,
    /// The cheapest cuts, deep ones among them for those that build on them.
    Cheap,
    /// The least area flow within the depth.
    Flow,
    /// The least exact area within the depth.
    Exact,
}

const PASSES: [Goal; 6] =
    [Goal::Depth, Goal::CheapDepth, Goal::Cheap, Goal::Flow, Goal::Exact, Goal::Exact];

impl Goal {
    /// Whether the cover so far says how often a gate is used, and how deep it may be.
    fn refines(self) -> bool {
        matches!(self, Goal::Flow | Goal::Exact)
    }

    /// Which of two cuts is better.
    fn compare(self, x: &Cut, y: &Cut) -> Ordering {
        let close = |x: f32, y: f32| match (x - y).abs() <= CLOSE {
            true => Ordering::Equal,
            false => x.total_cmp(&y),
        };
        let (depth, count) = (x.depth.cmp(&y.depth), x.count.cmp(&y.count));
        let (area, wires) = (close(x.area, y.area), close(x.wires, y.wires));
        match self {
            Goal::Depth => depth.then(count).then(area).then(wires),
            Goal::CheapDepth => depth.then(area).then(wires).then(count),
            Goal::Cheap => area.then(wires).then(count).then(depth),
            Goal::Flow | Goal::Exact => {
                area.then(wires).then(y.users.total_cmp(&x.users)).then(count).then(depth)
            }
        }
    }
}

struct Cover<'a> {
    graph: &'a Graph,
    tables: Tables,
    /// Gates in use, operands first.
    order: Vec<u32>,
    cuts: Vec<Vec<Cut>>,
    best: Vec<Cut>,
    /// Users of a gate in the graph.
    fanout: Vec<u32>,
    /// The same in the cover; in passes that do not refine one, in the graph.
    uses: Vec<u32>,
    /// A running mean of `uses`.
    share: Vec<f32>,
    required: Vec<u32>,
    roots: Vec<usize>,
    /// Tables that a walk has come to.
    walk: Vec<Cut>,
}

/// The tables that give `roots`.
pub(super) fn cover(graph: &Graph, roots: &[Bit], tables: Tables) -> Vec<Table> {
    let count = graph.gates.len();
    let mut used = vec![false; count];
    for root in roots {
        used[root.gate()] = true;
    }
    for root in roots {
        mark(graph, root.gate(), &mut used);
    }
    let mut fanout = vec![0; count];
    for root in roots {
        fanout[root.gate()] += 1;
    }
    let order: Vec<u32> = (0..count as u32).filter(|&gate| used[gate as usize]).collect();
    for &gate in &order {
        if let Gate::And(a, b) | Gate::Xor(a, b) = graph.gates[gate as usize] {
            fanout[a.gate()] += 1;
            fanout[b.gate()] += 1;
        }
    }
    let mut cover = Cover {
        graph,
        tables,
        order,
        cuts: vec![vec![]; count],
        best: (0..count).map(Cut::single).collect(),
        uses: fanout.clone(),
        share: vec![0.0; count],
        fanout,
        required: vec![u32::MAX; count],
        roots: roots.iter().map(|root| root.gate()).collect(),
        walk: vec![],
    };
    for goal in PASSES {
        cover.pass(goal);
        cover.settle();
    }
    cover.tables()
}

/// Marks what a gate is made of.
fn mark(graph: &Graph, gate: usize, used: &mut [bool]) {
    let mut pending = vec![gate];
    while let Some(gate) = pending.pop() {
        if let Gate::And(a, b) | Gate::Xor(a, b) = graph.gates[gate] {
            for operand in [a.gate(), b.gate()] {
                if !used[operand] {
                    used[operand] = true;
                    pending.push(operand);
                }
            }
        }
    }
}

impl Cover<'_> {
    /// Finds every gate's best cut towards a goal, operands first.
    fn pass(&mut self, goal: Goal) {
        if !goal.refines() {
            self.uses.copy_from_slice(&self.fanout);
        }
        for index in 0..self.order.len() {
            let gate = self.order[index] as usize;
            let uses = self.uses[gate] as f32;
            match goal {
                Goal::Flow => self.share[gate] = (2.0 * self.share[gate] + uses) / 3.0,
                Goal::Exact => {}
                _ => self.share[gate] = uses,
            }
            let (Gate::And(a, b) | Gate::Xor(a, b)) = self.graph.gates[gate] else {
                self.cuts[gate] = vec![Cut::single(gate)];
                continue;
            };
            let mapped = goal.refines() && self.uses[gate] > 0;
            let old = self.best[gate];
            if mapped && !self.release(&old) {
                self.cuts[gate] = vec![old, Cut::single(gate)];
                continue;
            }
            let mut found = self.candidates(gate, a.gate(), b.gate(), goal);
            if goal == Goal::Depth || found[0].depth <= self.required[gate] {
                self.best[gate] = found[0];
            } else {
                let mut old = old;
                self.rate(&mut old, goal);
                self.best[gate] = old;
            }
            let new = self.best[gate];
            if mapped && self.take(&new).is_none() {
                self.best[gate] = old;
                self.take(&old);
            }
            found.push(Cut::single(gate));
            self.cuts[gate] = found;
        }
    }

    /// The best few cuts of a gate, the best first.
    fn candidates(&mut self, gate: usize, a: usize, b: usize, goal: Goal) -> Vec<Cut> {
        let mut found: Vec<Cut> = Vec::with_capacity(CUTS + 2);
        let (left, right) = (std::mem::take(&mut self.cuts[a]), std::mem::take(&mut self.cuts[b]));
        if goal.refines() {
            let mut own = self.best[gate];
            self.rate(&mut own, goal);
            found.push(own);
        }
        let most = self.tables.inputs;
        for mut cut in left.iter().flat_map(|x| right.iter().filter_map(|y| x.join(y, most))) {
            if found.iter().any(|other| other.within(&cut)) {
                continue;
            }
            found.retain(|other| !cut.within(other));
            self.rate(&mut cut, goal);
            if goal.refines() && cut.depth > self.required[gate] {
                continue;
            }
            let after = |other: &Cut| goal.compare(&cut, other) == Ordering::Less;
            let at = found.iter().position(after).unwrap_or(found.len());
            if at < CUTS {
                found.insert(at, cut);
                found.truncate(CUTS);
            }
        }
        (self.cuts[a], self.cuts[b]) = (left, right);
        found
    }

    fn rate(&mut self, cut: &mut Cut, goal: Goal) {
        let leaves = cut.leaves;
        let leaves = leaves[..usize::from(cut.count)].iter().map(|&leaf| leaf as usize);
        cut.depth = 1 + leaves.clone().map(|leaf| self.best[leaf].depth).max().unwrap_or(0);
        if goal.refines() {
            let users: u32 = leaves.clone().map(|leaf| self.uses[leaf]).sum();
            cut.users = users as f32 / f32::from(cut.count);
        }
        if goal == Goal::Exact {
            let taken = self.take(cut);
            if taken.is_some() {
                self.release(cut);
            }
            (cut.area, cut.wires) = taken.unwrap_or((f32::INFINITY, f32::INFINITY));
            return;
        }
        (cut.area, cut.wires) = self.cost(cut);
        for leaf in leaves {
            // what nobody uses yet would be made for this cut alone
            let share = if self.uses[leaf] == 0 { 1.0 } else { self.share[leaf] };
            cut.area += self.best[leaf].area / share;
            cut.wires += self.best[leaf].wires / share;
        }
    }

    /// Area and wires of a cut's table.
    fn cost(&self, cut: &Cut) -> (f32, f32) {
        (self.tables.cost[usize::from(cut.count)], f32::from(cut.count))
    }

    fn is_gate(&self, gate: usize) -> bool {
        matches!(self.graph.gates[gate], Gate::And(..) | Gate::Xor(..))
    }

    /// Counts a cut's leaves as used, and what they are made of if nothing else was; the area and
    /// wires that that adds. None, and nothing is counted, if it goes too far.
    fn take(&mut self, cut: &Cut) -> Option<(f32, f32)> {
        let (mut area, mut wires) = (0.0, 0.0);
        let mut done = 0;
        self.walk.clear();
        self.walk.push(*cut);
        while let Some(&cut) = self.walk.get(done) {
            if done > FARTHEST {
                self.undo(done, |uses| *uses -= 1);
                return None;
            }
            let more = self.cost(&cut);
            (area, wires) = (area + more.0, wires + more.1);
            for &leaf in cut.leaves() {
                let leaf = leaf as usize;
                self.uses[leaf] += 1;
                if self.uses[leaf] == 1 && self.is_gate(leaf) {
                    self.walk.push(self.best[leaf]);
                }
            }
            done += 1;
        }
        Some((area, wires))
    }

    /// The inverse of [`Cover::take`]; whether it was done.
    fn release(&mut self, cut: &Cut) -> bool {
        let mut done = 0;
        self.walk.clear();
        self.walk.push(*cut);
        while let Some(&cut) = self.walk.get(done) {
            if done > FARTHEST {
                self.undo(done, |uses| *uses += 1);
                return false;
            }
            for &leaf in cut.leaves() {
                let leaf = leaf as usize;
                self.uses[leaf] -= 1;
                if self.uses[leaf] == 0 && self.is_gate(leaf) {
                    self.walk.push(self.best[leaf]);
                }
            }
            done += 1;
        }
        true
    }

    /// Takes back what a walk has done to the leaves of its first tables.
    fn undo(&mut self, done: usize, back: impl Fn(&mut u32)) {
        for cut in &self.walk[..done] {
            cut.leaves().iter().for_each(|&leaf| back(&mut self.uses[leaf as usize]));
        }
    }

    /// Takes the best cuts as the cover: uses, and the times by which gates must be there.
    fn settle(&mut self) {
        let deepest = self.roots.iter().map(|&root| self.best[root].depth).max().unwrap_or(0);
        self.uses.fill(0);
        self.required.fill(u32::MAX);
        for &root in &self.roots {
            self.uses[root] += 1;
            self.required[root] = deepest;
        }
        for &gate in self.order.iter().rev() {
            let gate = gate as usize;
            if self.uses[gate] == 0 || !self.is_gate(gate) {
                continue;
            }
            let before = self.required[gate].saturating_sub(1);
            for &leaf in self.best[gate].leaves() {
                let leaf = leaf as usize;
                self.uses[leaf] += 1;
                self.required[leaf] = self.required[leaf].min(before);
            }
        }
    }

    fn tables(&self) -> Vec<Table> {
        let gates = self.order.iter().map(|&gate| gate as usize);
        let gates = gates.filter(|&gate| self.uses[gate] > 0 && self.is_gate(gate));
        let table = |gate: usize| Table {
            leaves: self.best[gate].leaves().iter().map(|&leaf| leaf as usize).collect(),
        };
        gates.map(table).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Family;

    /// Inputs of the tables that give these, fewest first.
    fn sizes(graph: &Graph, roots: &[Bit], family: Family) -> Vec<usize> {
        let tables = cover(graph, roots, family.tables());
        let mut sizes: Vec<usize> = tables.iter().map(|table| table.leaves.len()).collect();
        sizes.sort_unstable();
        sizes
    }

    #[test]
    fn seven_inputs_in_one_table_only_where_depth_asks_for_it() {
        let mut graph = Graph::new();
        let seven = graph.sources(7);
        let seven = graph.all(&seven);
        assert_eq!(sizes(&graph, &[seven], Family::Xilinx7), [7]);
        let nine = graph.sources(9);
        let nine = graph.parity(&nine);
        // two levels, the cheapest way: 2 and 3 inputs cost less than half of 5
        let deep = sizes(&graph, &[nine], Family::Xilinx7);
        let both = sizes(&graph, &[nine, seven], Family::Xilinx7);
        assert!(both.iter().all(|&inputs| inputs < 7), "{both:?}");
        assert!(both.len() >= deep.len() + 2, "{both:?}");
    }

    #[test]
    fn a_shared_gate_is_made_once() {
        let mut graph = Graph::new();
        let bits = graph.sources(4);
        let shared = graph.all(&bits);
        let others = graph.sources(6);
        let roots: Vec<Bit> = others.iter().map(|&other| graph.and(shared, other)).collect();
        // ten inputs in two levels: the conjunction of four, then one table a root
        let extra = graph.sources(12);
        let extra = graph.all(&extra);
        let roots: Vec<Bit> = roots.into_iter().chain([extra]).collect();
        let two_inputs = sizes(&graph, &roots, Family::Xilinx7);
        assert_eq!(
            two_inputs.iter().filter(|&&inputs| inputs == 2).count(),
            6 + 1,
            "{two_inputs:?}"
        );
    }

    #[test]
    fn four_inputs_are_the_most_on_ice40() {
        let mut graph = Graph::new();
        let bits = graph.sources(16);
        let all = graph.all(&bits);
        assert_eq!(sizes(&graph, &[all], Family::Ice40), [4; 5]);
    }
}
