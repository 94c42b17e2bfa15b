//! Adder trees that grow exactly: no partial sum can overflow, and none has a bit too many.

use super::naming::check_range;
use super::pipeline::Pipeline;
use crate::Place;
use crate::build::{Bundle, ModuleBuilder, Signal, fields, stretch};
use crate::netlist::Module;
use crate::ty::{Int, Type};
use std::sync::Arc;

/// The smallest type of the same sign that holds every sum of `count` values of type `term`.
pub fn sum_type(term: Type, count: usize) -> Type {
    let (least, most) = (term.min() * Int::from(count), term.max() * Int::from(count));
    let mut sum = term;
    while !(sum.holds(&least) && sum.holds(&most)) {
        sum.width += 1;
    }
    sum
}

/// The exact sum of one or more terms of one type, of type [`sum_type`]. Combinational,
/// `ceil(log2 count)` adders deep.
#[track_caller]
pub fn adder_tree<'m>(terms: &[Signal<'m>]) -> Signal<'m> {
    let _caller = Place::of_caller();
    let mut level = leaves(terms);
    while level.len() > 1 {
        level = add_pairs(terms, &level);
    }
    level[0].0
}

/// The exact sum of `terms`, with registers of `pipeline` after every `levels_per_stage` levels of
/// adders and after the last. Latency `ceil(ceil(log2 count) / levels_per_stage)` stages.
///
/// # Panics
/// If `levels_per_stage` is 0.
#[track_caller]
pub fn pipelined_adder_tree<'m>(
    pipeline: &mut Pipeline<'m>,
    terms: &[Signal<'m>],
    levels_per_stage: u32,
) -> Signal<'m> {
    let _caller = Place::of_caller();
    check_range("adder_tree", "levels_per_stage", levels_per_stage, 1..=32);
    let mut level = leaves(terms);
    let mut since_register = 0;
    while level.len() > 1 {
        level = add_pairs(terms, &level);
        since_register += 1;
        if since_register == levels_per_stage || level.len() == 1 {
            let (sums, counts): (Vec<_>, Vec<_>) = level.into_iter().unzip();
            level = pipeline.stage("sum", &sums).into_iter().zip(counts).collect();
            since_register = 0;
        }
    }
    level[0].0
}

/// A partial sum and how many terms are in it.
type Partial<'m> = (Signal<'m>, usize);

#[track_caller]
fn leaves<'m>(terms: &[Signal<'m>]) -> Vec<Partial<'m>> {
    let _caller = Place::of_caller();
    assert!(!terms.is_empty(), "adder_tree: there must be at least one term");
    terms.iter().map(|term| (*term, 1)).collect()
}

#[track_caller]
fn add_pairs<'m>(terms: &[Signal<'m>], level: &[Partial<'m>]) -> Vec<Partial<'m>> {
    let _caller = Place::of_caller();
    let span = 2 * level[0].1;
    let add = |(at, pair): (usize, &[Partial<'m>])| match *pair {
        [(a, in_a), (b, in_b)] => {
            let width = sum_type(terms[0].ty(), in_a + in_b).width;
            let sum = a.extend(width) + b.extend(width);
            (sum.part(stretch(at * span, span, terms.len())), in_a + in_b)
        }
        _ => pair[0],
    };
    level.chunks(2).enumerate().map(add).collect()
}

/// The combinational tree alone: in `x0`, `x1`, .. of type `term`, out `sum`.
///
/// # Panics
/// If `count` is outside `1..=4096`.
pub fn module(count: usize, term: Type) -> Arc<Module> {
    check_range("adder_tree", "count", count, 1..=4096);
    let m = ModuleBuilder::new(format!("adder_tree_n{count}_{term}"));
    m.doc("Exact sum of all x.");
    m.parameter("count", count);
    m.parameter("term", term);
    let terms: Vec<_> = (0..count).map(|i| m.input(format!("x{i}"), term)).collect();
    m.output("sum", adder_tree(&terms));
    m.finish()
}

/// The pipelined tree alone: stream `in` of fields `x0`, `x1`, .., stream `out` of field `sum`.
///
/// Latency `ceil(ceil(log2 count) / levels_per_stage)` cycles, throughput one sum a cycle. All
/// stages wait while a sum at the end does.
///
/// # Panics
/// If `count` is outside `1..=4096` or `levels_per_stage` outside `1..=32`.
pub fn pipelined_module(count: usize, term: Type, levels_per_stage: u32) -> Arc<Module> {
    check_range("adder_tree", "count", count, 1..=4096);
    let m = ModuleBuilder::new(format!("adder_tree_n{count}_{term}_p{levels_per_stage}"));
    m.doc("Exact sum of all x, pipelined.");
    m.parameter("count", count);
    m.parameter("term", term);
    m.parameter("levels_per_stage", levels_per_stage);
    let input = m.stream_in("in", &fields((0..count).map(|i| (format!("x{i}"), term))));
    let terms: Vec<_> = input.payload.iter().map(|(_, x)| x).collect();
    let mut pipeline = Pipeline::from_stream(&input);
    let sum = pipelined_adder_tree(&mut pipeline, &terms, levels_per_stage);
    m.stream_out("out", &pipeline.into_stream("out", Bundle::new([("sum", sum)])));
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    use crate::ty::{s, u};
    vec![
        module(1, u(1)),
        module(7, s(8)),
        module(64, u(4)),
        pipelined_module(1, s(8), 1),
        pipelined_module(9, s(8), 1),
        pipelined_module(16, u(12), 2),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{Random, pass, simulate};
    use crate::ty::{s, u};

    #[test]
    fn types_of_sums() {
        assert_eq!(sum_type(u(1), 1), u(1));
        assert_eq!(sum_type(u(1), 8), u(4));
        assert_eq!(sum_type(u(8), 3), u(10));
        assert_eq!(sum_type(s(8), 2), s(9));
        assert_eq!(sum_type(s(8), 3), s(10));
        assert_eq!(sum_type(s(1), 5), s(4));
    }

    #[test]
    fn sums_exactly() {
        let mut random = Random::new(1);
        for ty in [u(1), u(8), s(1), s(8), s(70)] {
            for count in [1, 2, 3, 5, 7, 8, 9, 17, 33] {
                let module = module(count, ty);
                assert_eq!(module.outputs[0].ty, sum_type(ty, count));
                let mut sim = simulate(&module);
                for round in 0..20 {
                    let terms: Vec<Int> = (0..count)
                        .map(|_| match round {
                            0 => ty.max(),
                            1 => ty.min(),
                            _ => random.value(ty),
                        })
                        .collect();
                    for (i, term) in terms.iter().enumerate() {
                        sim.poke(&format!("x{i}"), term.clone());
                    }
                    assert_eq!(sim.peek("sum"), terms.iter().sum::<Int>(), "{terms:?}");
                }
            }
        }
    }

    #[test]
    fn pipeline_sums_in_order_under_stalls() {
        let mut random = Random::new(2);
        for (count, levels) in [(1, 1), (2, 1), (3, 1), (9, 1), (9, 2), (16, 3), (33, 4)] {
            let module = pipelined_module(count, s(5), levels);
            let inputs: Vec<Vec<Int>> =
                (0..60).map(|_| (0..count).map(|_| random.value(s(5))).collect()).collect();
            let sums: Vec<Vec<Int>> = inputs.iter().map(|terms| vec![terms.iter().sum()]).collect();
            for stall in [0, 50] {
                let run = pass(&module, &inputs, stall);
                assert_eq!(run.outputs, sums, "{}", module.name);
                let depth = (count as f64).log2().ceil();
                let latency = (depth / f64::from(levels)).ceil() as u64;
                if stall == 0 {
                    assert_eq!(run.cycles, 60 + latency, "{}", module.name);
                }
            }
        }
    }
}
