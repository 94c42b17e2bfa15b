//! Covers gates with look-up tables: cuts of few leaves, first the shallowest, then the cheapest.
//!
//! The method is priority cuts (Mishchenko, Cho, Chatterjee, Brayton: "Combinational and
//! sequential mapping with priority cuts", ICCAD 2007): every gate keeps a few cuts; a pass for
//! depth, one for area flow, then passes for exact area within the depth found.

use super::graph::{Bit, Gate, Graph};

/// The most inputs of a table.
pub(super) const MOST_INPUTS: usize = 8;

/// Cuts kept a gate.
const CUTS: usize = 6;

/// What a wire costs beside a table.
const WIRE: f32 = 0.01;

/// Passes for exact area.
const EXACT_PASSES: usize = 2;

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
    flow: f32,
    /// A bit for each leaf, modulo 64.
    sign: u64,
}

impl Cut {
    fn single(gate: usize) -> Cut {
        let mut leaves = [0; MOST_INPUTS];
        leaves[0] = gate as u32;
        Cut { leaves, count: 1, depth: 0, flow: 0.0, sign: 1 << (gate % 64) }
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
        Some(Cut { leaves, count: count as u8, depth: 0, flow: 0.0, sign })
    }

    /// Whether this cut's leaves are among the other's.
    fn within(&self, other: &Cut) -> bool {
        self.count <= other.count
            && self.sign & !other.sign == 0
            && self.leaves().iter().all(|leaf| other.leaves().contains(leaf))
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Goal {
    Depth,
    Flow,
    Exact,
}

struct Cover<'a> {
    graph: &'a Graph,
    tables: Tables,
    /// Gates in use, operands first.
    order: Vec<u32>,
    cuts: Vec<Vec<Cut>>,
    best: Vec<Cut>,
    depth: Vec<u32>,
    flow: Vec<f32>,
    /// Users of a gate in the cover.
    uses: Vec<u32>,
    /// Users of a gate in the graph, then a running mean with those in the cover.
    share: Vec<f32>,
    required: Vec<u32>,
    roots: Vec<usize>,
}

/// The tables that give `roots`.
pub(super) fn cover(graph: &Graph, roots: &[Bit], tables: Tables) -> Vec<Table> {
    let count = graph.gates.len();
    let mut used = vec![false; count];
    for root in roots {
        used[root.gate()] = true;
    }
    let mut share = vec![0.0; count];
    for root in roots {
        share[root.gate()] += 1.0;
    }
    for root in roots {
        mark(graph, root.gate(), &mut used);
    }
    let order: Vec<u32> = (0..count as u32).filter(|&gate| used[gate as usize]).collect();
    for &gate in &order {
        if let Gate::And(a, b) | Gate::Xor(a, b) = graph.gates[gate as usize] {
            share[a.gate()] += 1.0;
            share[b.gate()] += 1.0;
        }
    }
    let roots = roots.iter().map(|root| root.gate()).collect();
    let mut cover = Cover {
        graph,
        tables,
        order,
        cuts: vec![vec![]; count],
        best: vec![Cut::single(0); count],
        depth: vec![0; count],
        flow: vec![0.0; count],
        uses: vec![0; count],
        share,
        required: vec![u32::MAX; count],
        roots,
    };
    cover.pass(Goal::Depth);
    cover.settle();
    cover.pass(Goal::Flow);
    cover.settle();
    for _ in 0..EXACT_PASSES {
        cover.pass(Goal::Exact);
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
        for index in 0..self.order.len() {
            let gate = self.order[index] as usize;
            let (Gate::And(a, b) | Gate::Xor(a, b)) = self.graph.gates[gate] else {
                if self.cuts[gate].is_empty() {
                    self.cuts[gate] = vec![Cut::single(gate)];
                }
                continue;
            };
            let mapped = self.uses[gate] > 0;
            if goal == Goal::Exact && mapped {
                let old = self.best[gate];
                self.release(&old);
            }
            let found = self.candidates(gate, a.gate(), b.gate(), goal);
            let best = found[0];
            (self.depth[gate], self.best[gate]) = (best.depth, best);
            self.flow[gate] = best.flow / self.share[gate].max(1.0);
            if goal == Goal::Exact && mapped {
                self.take(&best);
            }
            let mut found = found;
            found.push(Cut::single(gate));
            self.cuts[gate] = found;
        }
    }

    /// The best few cuts of a gate, the best first.
    fn candidates(&mut self, gate: usize, a: usize, b: usize, goal: Goal) -> Vec<Cut> {
        let mut found: Vec<Cut> = Vec::with_capacity(CUTS + 1);
        let slack = self.required[gate];
        let (left, right) = (std::mem::take(&mut self.cuts[a]), std::mem::take(&mut self.cuts[b]));
        let own = (goal != Goal::Depth).then_some(self.best[gate]);
        let joined =
            left.iter().flat_map(|x| right.iter().filter_map(|y| x.join(y, self.tables.inputs)));
        let joined: Vec<Cut> = joined.collect();
        (self.cuts[a], self.cuts[b]) = (left, right);
        for mut cut in joined.into_iter().chain(own) {
            if found.iter().any(|other| other.within(&cut)) {
                continue;
            }
            self.rate(&mut cut, goal);
            if cut.depth > slack && goal != Goal::Depth {
                continue;
            }
            found.retain(|other| !cut.within(other));
            let better = |x: &Cut, y: &Cut| match goal {
                Goal::Depth => (x.depth, x.count, x.flow) < (y.depth, y.count, y.flow),
                _ => (x.flow, x.depth, x.count) < (y.flow, y.depth, y.count),
            };
            let at = found.iter().position(|other| better(&cut, other)).unwrap_or(found.len());
            if at < CUTS {
                found.insert(at, cut);
                found.truncate(CUTS);
            }
        }
        if found.is_empty() {
            // required times leave the old cut alone
            let mut own = self.best[gate];
            self.rate(&mut own, goal);
            found.push(own);
        }
        found
    }

    fn rate(&mut self, cut: &mut Cut, goal: Goal) {
        let leaves = cut.leaves.map(|leaf| leaf as usize);
        let leaves = &leaves[..usize::from(cut.count)];
        cut.depth = 1 + leaves.iter().map(|&leaf| self.depth[leaf]).max().unwrap_or(0);
        cut.flow = match goal {
            Goal::Exact => {
                let area = self.take(cut);
                self.release(cut);
                area
            }
            _ => self.cost(cut) + leaves.iter().map(|&leaf| self.flow[leaf]).sum::<f32>(),
        };
    }

    /// Of two covers that cost the same, the one with fewer wires is taken.
    fn cost(&self, cut: &Cut) -> f32 {
        self.tables.cost[usize::from(cut.count)] + WIRE * f32::from(cut.count)
    }

    fn is_gate(&self, gate: usize) -> bool {
        matches!(self.graph.gates[gate], Gate::And(..) | Gate::Xor(..))
    }

    /// Counts a cut's leaves as used; what that adds to the area.
    fn take(&mut self, cut: &Cut) -> f32 {
        let mut area = self.cost(cut);
        for at in 0..usize::from(cut.count) {
            let leaf = cut.leaves[at] as usize;
            self.uses[leaf] += 1;
            if self.uses[leaf] == 1 && self.is_gate(leaf) {
                let best = self.best[leaf];
                area += self.take(&best);
            }
        }
        area
    }

    fn release(&mut self, cut: &Cut) {
        for at in 0..usize::from(cut.count) {
            let leaf = cut.leaves[at] as usize;
            self.uses[leaf] -= 1;
            if self.uses[leaf] == 0 && self.is_gate(leaf) {
                let best = self.best[leaf];
                self.release(&best);
            }
        }
    }

    /// Takes the best cuts as the cover: uses, and the times by which gates must be there.
    fn settle(&mut self) {
        let deepest = self.roots.iter().map(|&root| self.depth[root]).max().unwrap_or(0);
        self.uses.fill(0);
        self.required.fill(u32::MAX);
        for at in 0..self.roots.len() {
            let root = self.roots[at];
            self.uses[root] += 1;
            self.required[root] = deepest;
        }
        for index in (0..self.order.len()).rev() {
            let gate = self.order[index] as usize;
            if self.uses[gate] == 0 || !self.is_gate(gate) {
                continue;
            }
            let best = self.best[gate];
            for &leaf in best.leaves() {
                let leaf = leaf as usize;
                self.uses[leaf] += 1;
                self.required[leaf] =
                    self.required[leaf].min(self.required[gate].saturating_sub(1));
            }
        }
        for &gate in &self.order {
            let gate = gate as usize;
            self.share[gate] = (self.share[gate] + 2.0 * self.uses[gate] as f32) / 3.0;
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
