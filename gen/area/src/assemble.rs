//! Counts a circuit: what every block, flip-flop and table takes.

use super::circuit::{Circuit, Origin};
use super::cover::{Table, cover};
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
    let mut adders: Vec<Adder> = vec![];
    for at in 0..circuit.sums.len() {
        if !circuit.sums[at].merged {
            adders.extend(sums::adder(&mut circuit, at, &live));
        }
    }
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
    let mut own = HashMap::new();
    for adder in &adders {
        logic_of(&mut circuit, adder, family, &mut roots, &mut resources, &mut own);
    }
    roots.extend(circuit.shown.iter().filter(|(word, _)| alive(**word)).map(|(_, shown)| *shown));
    roots.retain(|root| !root.is_known());
    let tables = cover(&circuit.graph, &roots, family.tables());
    let tables_of = family.tables();
    let covered: u64 = tables.iter().map(|table| tables_of.count[table.leaves.len()]).sum();
    resources.lut += covered * tables_of.kept_percent / 100;
    resources.lut += inverters(&circuit, &roots);
    resources.lut += own.len() as u64 - joined(&own, &tables, &roots, family.inputs());
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
    own: &mut HashMap<usize, usize>,
) {
    let width = adder.out.len();
    let mut carry = adder.carry;
    let mut at = 0;
    // as long as the carry is known and an operand is the same, the other passes through
    while at < width && carry.is_known() && (adder.a[at] == carry || adder.b[at] == carry) {
        let passes = if adder.b[at] == carry { adder.a[at] } else { adder.b[at] };
        if adder.out[at].is_some() {
            roots.push(passes);
        }
        at += 1;
    }
    resources.carry += match family {
        Family::Xilinx7 => (width - at).div_ceil(4) as u64,
        Family::Ice40 => (width - at) as u64,
    };
    for at in at..width {
        let (a, b) = (adder.a[at], adder.b[at]);
        match family {
            Family::Xilinx7 => {
                let select = circuit.graph.xor(a, b);
                roots.extend([select, a]);
            }
            Family::Ice40 => {
                roots.extend([a, b]);
                if let Some(out) = adder.out[at] {
                    let known = [a, b, carry].iter().filter(|bit| bit.is_known()).count();
                    own.insert(out.gate(), 3 - known);
                }
            }
        }
        carry = adder.out.first().copied().flatten().unwrap_or(Bit(2));
    }
}

/// Tables of sums that fit into the one table that reads them.
fn joined(own: &HashMap<usize, usize>, tables: &[Table], roots: &[Bit], inputs: usize) -> u64 {
    let mut readers: HashMap<usize, Vec<usize>> = HashMap::new();
    for (number, table) in tables.iter().enumerate() {
        for &leaf in &table.leaves {
            if own.contains_key(&leaf) {
                readers.entry(leaf).or_default().push(number);
            }
        }
    }
    let direct: HashSet<usize> = roots.iter().map(|root| root.gate()).collect();
    let mut taken = HashSet::new();
    let mut sums: Vec<_> = own.iter().collect();
    sums.sort_unstable();
    let fits = sums.into_iter().filter(|&(sum, support)| {
        let [reader] = readers.get(sum).map_or(&[][..], Vec::as_slice) else {
            return false;
        };
        !direct.contains(sum)
            && tables[*reader].leaves.len() - 1 + support <= inputs
            && taken.insert(*reader)
    });
    fits.count() as u64
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
