//! Reciprocals of small integers from a table: division by a count becomes a multiplication.

use super::naming::check_range;
use crate::Place;
use crate::build::{MemoryBuilder, ModuleBuilder};
use crate::netlist::Module;
use crate::ty::{Int, index_bits, u};
use std::sync::Arc;

/// `2^fraction / count` rounded half up, `floor((2^fraction + count / 2) / count)`; 0 for count 0.
pub fn reciprocal(count: usize, fraction: u32) -> Int {
    match count {
        0 => Int::ZERO,
        _ => ((Int::from(1) << fraction) + count / 2) / count,
    }
}

/// A ROM named `name` whose word `c` is [`reciprocal`]`(c, fraction)`, of type `u(fraction + 1)`,
/// for `c` in `0..=max_count`. Read it at once (`read`) or at the edge (`read_sync`); the address
/// has `index_bits(max_count + 1)` bits, and gives 0 beyond `max_count`.
///
/// # Panics
/// If `max_count` is outside `1..=65535` or `fraction` outside `0..=64`.
#[track_caller]
pub fn reciprocal_table<'m>(
    m: &'m ModuleBuilder,
    name: &str,
    max_count: usize,
    fraction: u32,
) -> MemoryBuilder<'m> {
    let _caller = Place::of_caller();
    check_range("reciprocal", "max_count", max_count, 1..=65535);
    check_range("reciprocal", "fraction", fraction, 0..=64);
    let words = (0..=max_count).map(|count| reciprocal(count, fraction));
    m.memory(name, max_count + 1, u(fraction + 1)).init(words)
}

/// The table alone: in `enable`, `count`; out `reciprocal` of the count at the last edge with
/// `enable`. Latency 1 cycle; the output is not reset.
///
/// # Panics
/// As [`reciprocal_table`].
pub fn module(max_count: usize, fraction: u32) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("reciprocal_n{max_count}_f{fraction}"));
    m.doc("floor((2^fraction + count / 2) / count), one cycle after count; 0 for count 0.");
    m.parameter("max_count", max_count);
    m.parameter("fraction", fraction);
    let (enable, count) = (m.input("enable", u(1)), m.input("count", u(index_bits(max_count + 1))));
    let table = reciprocal_table(&m, "reciprocals", max_count, fraction);
    m.output("reciprocal", table.read_sync(count, enable));
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    vec![module(1, 0), module(5, 8), module(512, 17)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::simulate;

    #[test]
    fn rounds_half_up() {
        // 256 / 3 = 85.33, 256 / 5 = 51.2, 4 / 8 = 0.5.
        let samples = [(3, 8), (5, 8), (8, 2), (1, 17), (0, 9)];
        let rounded = samples.map(|(count, fraction)| reciprocal(count, fraction));
        assert_eq!(rounded, [85, 51, 1, 131_072, 0].map(Int::from));
    }

    #[test]
    fn every_word() {
        for (max_count, fraction) in [(1, 0), (5, 8), (512, 17), (63, 64)] {
            let mut sim = simulate(&module(max_count, fraction));
            let beyond = 1 << index_bits(max_count + 1);
            for count in 0..beyond {
                sim.poke("count", count);
                sim.poke("enable", 1);
                sim.step();
                let twice = Int::from(2) << fraction;
                let expected = match count {
                    0 => Int::ZERO,
                    // Half up in another form: floor of twice the quotient, plus one, halved.
                    _ if count <= max_count => (twice / count + 1) / 2,
                    _ => Int::ZERO,
                };
                assert_eq!(sim.peek("reciprocal"), expected, "{count}");
                sim.poke("enable", 0);
                sim.poke("count", 0);
                sim.step();
                assert_eq!(sim.peek("reciprocal"), expected, "it holds without enable");
            }
        }
    }
}
