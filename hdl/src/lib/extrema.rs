//! Largest and smallest: of many signals at once, and of a row of values as they come.

use super::naming::check_range;
use crate::Place;
use crate::build::{ModuleBuilder, Reg, Signal, reduce, stretch};
use crate::netlist::Module;
use crate::ty::{Type, index_bits, u};
use std::sync::Arc;

/// One of several values, and which.
#[derive(Clone, Copy)]
pub struct Extremum<'m> {
    /// The value.
    pub value: Signal<'m>,
    /// Its position; of equal values the first. Type `u(index_bits(count))`.
    pub index: Signal<'m>,
}

/// The largest of one or more values of one type. Combinational, `ceil(log2 count)` comparators
/// deep.
#[track_caller]
pub fn maximum<'m>(values: &[Signal<'m>]) -> Extremum<'m> {
    let _caller = Place::of_caller();
    choose(values, |later, earlier| later.gt(earlier))
}

/// The smallest of one or more values of one type. Combinational, `ceil(log2 count)` comparators
/// deep.
#[track_caller]
pub fn minimum<'m>(values: &[Signal<'m>]) -> Extremum<'m> {
    let _caller = Place::of_caller();
    choose(values, |later, earlier| later.lt(earlier))
}

#[track_caller]
fn choose<'m>(
    values: &[Signal<'m>],
    wins: impl Fn(Signal<'m>, Signal<'m>) -> Signal<'m>,
) -> Extremum<'m> {
    let _caller = Place::of_caller();
    assert!(!values.is_empty(), "extrema: there must be at least one value");
    let index_type = u(index_bits(values.len()));
    let candidate = |(index, value): (usize, &Signal<'m>)| Extremum {
        value: *value,
        index: value.module().lit(index_type, index),
    };
    let mut level: Vec<_> = values.iter().enumerate().map(candidate).collect();
    let mut span = 1;
    while level.len() > 1 {
        span *= 2;
        let duel = |(at, pair): (usize, &[Extremum<'m>])| match *pair {
            [first, second] => {
                let of = stretch(at * span, span, values.len());
                let second_wins = wins(second.value, first.value);
                let value = second_wins.mux(second.value, first.value).part(&of);
                let index = second_wins.mux(second.index, first.index).part(of);
                Extremum { value, index }
            }
            _ => pair[0],
        };
        level = level.chunks(2).enumerate().map(duel).collect();
    }
    level[0]
}

/// The extrema of a row of values so far.
#[derive(Clone, Copy)]
pub struct RunningExtrema<'m> {
    /// The largest value; undefined while `empty`.
    pub max: Reg<'m>,
    /// The smallest value; undefined while `empty`.
    pub min: Reg<'m>,
    /// 1 until the row has a value.
    pub empty: Reg<'m>,
}

/// Extrema of all `values` present at edges with `valid`, since the last edge with `clear`.
///
/// `clear` ends the row before: values that come with it are the first of the next row. The
/// registers `{name}_max`, `{name}_min`, `{name}_empty` show values one cycle after they came.
#[track_caller]
pub fn running_extrema<'m>(
    name: &str,
    values: &[Signal<'m>],
    valid: impl Into<Signal<'m>>,
    clear: impl Into<Signal<'m>>,
) -> RunningExtrema<'m> {
    let _caller = Place::of_caller();
    let (valid, clear) = (valid.into(), clear.into());
    let highest = reduce(values, |a, b| b.gt(a).mux(b, a));
    let lowest = reduce(values, |a, b| b.lt(a).mux(b, a));
    let m = valid.module();
    let max = m.reg(format!("{name}_max"), highest.ty()).no_reset();
    let min = m.reg(format!("{name}_min"), lowest.ty()).no_reset();
    let empty = m.reg(format!("{name}_empty"), u(1)).reset_to(1);
    let first = (clear | *empty).named(format!("{name}_first"));
    max.next(highest).enable(valid & (first | highest.gt(*max)));
    min.next(lowest).enable(valid & (first | lowest.lt(*min)));
    empty.next(!valid).enable(valid | clear);
    RunningExtrema { max, min, empty }
}

/// The largest (or smallest) of `count` values alone: in `x0`, `x1`, .., out `value`, `index`.
/// Combinational.
///
/// # Panics
/// If `count` is outside `1..=4096`.
pub fn module(count: usize, value: Type, largest: bool) -> Arc<Module> {
    check_range("extrema", "count", count, 1..=4096);
    let what = if largest { "maximum" } else { "minimum" };
    let m = ModuleBuilder::new(format!("{what}_n{count}_{value}"));
    m.doc(format!("The {what} of all x and its position; of equal values the first."));
    m.parameter("count", count);
    m.parameter("value", value);
    let values: Vec<_> = (0..count).map(|i| m.input(format!("x{i}"), value)).collect();
    let found = if largest { maximum(&values) } else { minimum(&values) };
    m.output("value", found.value);
    m.output("index", found.index);
    m.finish()
}

/// Running extrema alone, `count` values at a time: in `valid`, `clear`, `x0`, `x1`, ..; out `max`,
/// `min`, `empty`, one cycle later.
///
/// # Panics
/// If `count` is outside `1..=4096`.
pub fn running_module(count: usize, value: Type) -> Arc<Module> {
    check_range("extrema", "count", count, 1..=4096);
    let m = ModuleBuilder::new(format!("running_extrema_n{count}_{value}"));
    m.doc("Largest and smallest of all valid x since clear; x beside clear is the first.");
    m.parameter("count", count);
    m.parameter("value", value);
    let (valid, clear) = (m.input("valid", u(1)), m.input("clear", u(1)));
    let values: Vec<_> = (0..count).map(|i| m.input(format!("x{i}"), value)).collect();
    let row = running_extrema("row", &values, valid, clear);
    m.output("max", row.max);
    m.output("min", row.min);
    m.output("empty", row.empty);
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    use crate::ty::s;
    vec![
        module(1, u(1), true),
        module(5, s(8), true),
        module(16, u(6), false),
        running_module(1, u(1)),
        running_module(3, s(8)),
        running_module(16, s(21)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{Random, simulate};
    use crate::ty::{Int, s};

    #[test]
    fn trees_find_the_first_extremum() {
        let mut random = Random::new(3);
        for ty in [u(1), u(4), s(3), s(66)] {
            for count in [1, 2, 3, 4, 5, 8, 11, 16] {
                for largest in [true, false] {
                    let mut sim = simulate(&module(count, ty, largest));
                    for _ in 0..40 {
                        let values: Vec<Int> = (0..count).map(|_| random.value(ty)).collect();
                        for (i, value) in values.iter().enumerate() {
                            sim.poke(&format!("x{i}"), value.clone());
                        }
                        let best = if largest { values.iter().max() } else { values.iter().min() };
                        let first = values.iter().position(|value| Some(value) == best);
                        assert_eq!(Some(&sim.peek("value")), best);
                        assert_eq!(Some(sim.peek_u64("index") as usize), first, "{values:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn rows_are_kept_apart() {
        let mut random = Random::new(4);
        for (count, ty) in [(1, u(1)), (1, s(6)), (3, s(8)), (4, u(5))] {
            let mut sim = simulate(&running_module(count, ty));
            let mut row: Vec<Int> = vec![];
            for _ in 0..400 {
                assert_eq!(sim.peek_u64("empty") == 1, row.is_empty());
                if let (Some(max), Some(min)) = (row.iter().max(), row.iter().min()) {
                    assert_eq!((&sim.peek("max"), &sim.peek("min")), (max, min));
                }
                let (valid, clear) = (random.percent(60), random.percent(15));
                sim.poke("valid", u32::from(valid));
                sim.poke("clear", u32::from(clear));
                if clear {
                    row.clear();
                }
                for i in 0..count {
                    let value = random.value(ty);
                    sim.poke(&format!("x{i}"), value.clone());
                    if valid {
                        row.push(value);
                    }
                }
                sim.step();
            }
        }
    }
}
