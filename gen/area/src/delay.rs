//! Delay lines: rows of flip-flops that only feed the next one fit in look-up tables on Xilinx.

use super::circuit::{Circuit, FlipFlop, Origin};
use super::graph::Bit;
use super::sums::uses;

/// The shortest row that is worth a table.
const SHORTEST: usize = 3;

/// The longest row in one table.
const LONGEST: usize = 32;

/// Absorbs rows of flip-flops, the first of each aside, which keeps what it takes; the tables
/// they fill.
pub(super) fn take(circuit: &mut Circuit) -> u64 {
    let live = circuit.live();
    let uses = uses(circuit, &live);
    let simple = |f: &FlipFlop| {
        !f.absorbed && f.reset == Bit::ZERO && f.asynchronous.is_none() && live[f.q.gate()]
    };
    let before = |f: &FlipFlop| match circuit.origins.get(&f.d.gate()) {
        Some(&Origin::FlipFlop(at)) if !f.d.inverted() && uses[f.d.gate()] == 1 => {
            let other = &circuit.flip_flops[at];
            let same = (other.enable, other.clock) == (f.enable, f.clock);
            (simple(other) && same).then_some(at)
        }
        _ => None,
    };
    let mut previous = vec![None; circuit.flip_flops.len()];
    let mut last = vec![true; circuit.flip_flops.len()];
    for (at, flip_flop) in circuit.flip_flops.iter().enumerate() {
        if simple(flip_flop)
            && let Some(other) = before(flip_flop)
        {
            previous[at] = Some(other);
            last[other] = false;
        }
    }
    let mut tables = 0;
    for end in 0..previous.len() {
        if !last[end] || previous[end].is_none() {
            continue;
        }
        let row: Vec<usize> = std::iter::successors(Some(end), |&at| previous[at]).collect();
        if row.len() < SHORTEST {
            continue;
        }
        tables += row.len().div_ceil(LONGEST) as u64;
        circuit.lines.extend(row);
    }
    tables
}
