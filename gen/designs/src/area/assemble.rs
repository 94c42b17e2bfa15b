//! Counts a circuit: what every block, flip-flop and table takes.

use super::circuit::{Circuit, Origin};
use super::cover::cover;
use super::delay;
use super::graph::{Bit, Gate};
use super::memory::Macro;
use super::pack;
use super::sums::{self, Adder};
use super::{Family, Resources};
use std::collections::{HashMap, HashSet};

/// Counts.
pub(super) fn count(mut circuit: Circuit, family: Family) -> Resources {
    pack::pack(&mut circuit, family);
    sums::merge(&mut circuit);
    legalise(&mut circuit, family);
    let mut resources = Resources::default();
    if family == Family::Xilinx7 {
        resources.lut += delay::take(&mut circuit);
    }
    let live = circuit.live();
    let adders: Vec<Adder> =
        (0..circuit.sums.len()).filter(|&at| !circuit.sums[at].merged).collect::<Vec<_>>().into_iter()
            .filter_map(|at| sums::adder(&mut circuit, at, &live)).collect();
    let mut roots: Vec<Bit> = circuit.outputs.clone();
    let alive = |bit: Bit| live.get(bit.gate()).is_some_and(|&live| live);
    for (at, flip_flop) in circuit.flip_flops.iter().enumerate() {
        if flip_flop.absorbed || !alive(flip_flop.q) {
            continue;
        }
        resources.ff += u64::from(!circuit.lines.contains(&at));
        roots.extend([flip_flop.d, flip_flop.enable, flip_flop.reset]);
        roots.extend(flip_flop.asynchronous);
    }
    for product in &circuit.products {
        if product.out.iter().any(|&bit| alive(bit)) {
            resources.dsp += 1;
            roots.extend(&product.controls);
            roots.extend(&product.addend);
            roots.extend(product.operands.iter().flat_map(|term| &term.bits));
        }
    }
    for memory in &circuit.memories {
        if !memory.reads.iter().flat_map(|read| &read.out).any(|&bit| alive(bit)) {
            continue;
        }
        match memory.what {
            Macro::Block(count) => resources.bram += count as u64,
            Macro::Tables(count) => resources.lut += count as u64,
        }
        for write in &memory.writes {
            roots.extend(write.address.iter().chain(&write.data).chain(&write.enables));
        }
        for read in &memory.reads {
            roots.extend(&read.address);
            roots.extend(read.sync.map(|(_, enable)| enable));
        }
    }
    let used: HashSet<usize> = (circuit.origins.iter())
        .filter(|(gate, _)| live[**gate])
        .filter_map(|(_, origin)| match origin {
            Origin::Chain(chain, _) => Some(*chain),
            _ => None,
        })
        .collect();
    for &chain in &used {
        let chain = &circuit.chains[chain];
        resources.carry += chain.data.len() as u64;
        roots.extend(chain.data.iter().chain(&chain.select));
    }
    let mut extra = vec![];
    for adder in &adders {
        logic_of(&mut circuit, adder, family, &mut roots, &mut resources, &mut extra);
    }
    roots.retain(|root| !root.is_known());
    let tables = cover(&circuit.graph, &roots, family.tables());
    let counts = family.tables().count;
    resources.lut += tables.iter().map(|table| counts[table.leaves.len()]).sum::<u64>();
    resources.lut += inverters(&circuit, &roots);
    let _ = (extra, HashMap::<usize, usize>::new());
    if std::env::var_os("HIST").is_some() { let mut h = [0; 9]; for t in &tables { h[t.leaves.len()] += 1; } 
        let by: HashMap<usize, usize> = tables.iter().map(|t| (t.gate, t.leaves.len())).collect();
        let mut cat: std::collections::BTreeMap<(&str, usize), HashSet<usize>> = Default::default();
        let mut add = |name: &'static str, b: Bit| if let Some(&n) = by.get(&b.gate()) { cat.entry((name, n)).or_default().insert(b.gate()); };
        for f in circuit.flip_flops.iter().filter(|f| !f.absorbed && live[f.q.gate()]) { add("ff d", f.d); add("ff en", f.enable); add("ff rst", f.reset); }
        for p in &circuit.products { p.operands.iter().flat_map(|t| &t.bits).for_each(|&b| add("dsp in", b)); p.addend.iter().for_each(|&b| add("dsp add", b)); p.controls.iter().for_each(|&b| add("dsp ctl", b)); }
        for m in &circuit.memories { for w in &m.writes { w.address.iter().for_each(|&b| add("mem wa", b)); w.data.iter().for_each(|&b| add("mem wd", b)); w.enables.iter().for_each(|&b| add("mem we", b)); } for r in &m.reads { r.address.iter().for_each(|&b| add("mem ra", b)); } }
        for a in &adders { a.a.iter().for_each(|&b| add("sum a", b)); for (x, y) in a.a.iter().zip(&a.b) { let g = circuit.graph.xor(*x, *y); add("sum x", g); } }
        circuit.outputs.iter().for_each(|&b| add("out", b));
        for ((n, k), v) in &cat { eprintln!("{n} lut{k}: {}", v.len()); }
        eprintln!("hist {h:?} inv {} roots {}", inverters(&circuit, &roots), roots.len()); }
    resources
}

/// Makes flip-flops' controls what the family has.
fn legalise(circuit: &mut Circuit, family: Family) {
    let graph = &mut circuit.graph;
    for flip_flop in &mut circuit.flip_flops {
        let (enabled, resets) = (flip_flop.enable != Bit::ONE, flip_flop.reset != Bit::ZERO);
        if !enabled || !resets {
            continue;
        }
        match family {
            // a reset beside the enable
            Family::Xilinx7 if flip_flop.enable_first => {
                flip_flop.reset = graph.and(flip_flop.reset, flip_flop.enable);
                flip_flop.enable_first = false;
            }
            // a reset under the enable
            Family::Ice40 if !flip_flop.enable_first => {
                flip_flop.enable = graph.or(flip_flop.enable, flip_flop.reset);
                flip_flop.enable_first = true;
            }
            _ => {}
        }
    }
}

/// The tables beside a carry chain.
fn logic_of(
    circuit: &mut Circuit,
    adder: &Adder,
    family: Family,
    roots: &mut Vec<Bit>,
    resources: &mut Resources,
    extra: &mut Vec<Bit>,
) {
    let width = adder.out.len();
    // what the lowest operand passes through untouched needs no chain
    let quiet = |at: usize| adder.b[at] == Bit::ZERO && adder.carry == Bit::ZERO;
    let low = (0..width).find(|&at| !quiet(at) || adder.out[at].is_some()).unwrap_or(width);
    resources.carry += (width - low) as u64;
    for at in low..width {
        let (a, b) = (adder.a[at], adder.b[at]);
        match family {
            Family::Xilinx7 => {
                let select = circuit.graph.xor(a, b);
                roots.extend([select, a]);
            }
            Family::Ice40 => {
                roots.extend([a, b]);
                if adder.out[at].is_some() {
                    resources.lut += 1;
                    extra.push(a);
                }
            }
        }
    }
}

/// Inverters: sources that are needed inverted, and gates that are needed both ways.
fn inverters(circuit: &Circuit, roots: &[Bit]) -> u64 {
    let wanted: HashSet<Bit> = roots.iter().copied().collect();
    let inverted = wanted.iter().filter(|bit| bit.inverted());
    let needed = inverted.filter(|bit| match circuit.graph.gates[bit.gate()] {
        Gate::Source => true,
        _ => wanted.contains(&!**bit),
    });
    needed.count() as u64
}
