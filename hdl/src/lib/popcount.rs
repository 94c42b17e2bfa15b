//! Population count: how many bits are 1.

use super::adder_tree::adder_tree;
use super::naming::check_range;
use crate::Place;
use crate::build::{ModuleBuilder, Signal};
use crate::netlist::Module;
use crate::ty::u;
use std::sync::Arc;

/// Number of ones in the bit pattern of `x`, type `u(bits_for(width))`. Combinational, an adder
/// tree of `ceil(log2 width)` levels.
#[track_caller]
pub fn popcount(x: Signal<'_>) -> Signal<'_> {
    let _caller = Place::of_caller();
    let bits: Vec<_> = (0..x.width()).map(|bit| x.bit(bit)).collect();
    adder_tree(&bits)
}

/// The counter alone: in `x: u(width)`, out `count`. Combinational.
///
/// # Panics
/// If `width` is outside `1..=4096`.
pub fn module(width: u32) -> Arc<Module> {
    check_range("popcount", "width", width, 1..=4096);
    let m = ModuleBuilder::new(format!("popcount_w{width}"));
    m.doc("Number of ones in x.");
    m.parameter("width", width);
    m.output("count", popcount(m.input("x", u(width))));
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    [1, 2, 7, 64].map(module).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{for_each_pattern, simulate};
    use crate::ty::bits_for;

    #[test]
    fn counts_ones() {
        for width in [1, 2, 3, 5, 8, 10, 31, 64, 65, 130] {
            let module = module(width);
            assert_eq!(module.outputs[0].ty, u(bits_for(u64::from(width))));
            let mut sim = simulate(&module);
            for_each_pattern(width, |x| {
                sim.poke("x", x.clone());
                let ones: u32 = x.iter_u64_digits().map(u64::count_ones).sum();
                assert_eq!(sim.peek_u64("count"), u64::from(ones), "{x} in {width}");
            });
        }
    }
}
