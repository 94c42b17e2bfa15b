//! Priority encoder: the lowest request wins.

use super::leading_one::find_one;
use super::naming::check_range;
use crate::Place;
use crate::build::{ModuleBuilder, Signal, cat};
use crate::netlist::Module;
use crate::ty::{MAX_WIDTH, index_bits, u};
use std::sync::Arc;

/// Who wins.
#[derive(Clone, Copy)]
pub struct Priority<'m> {
    /// Position of the least significant 1; 0 if there is none. Type `u(index_bits(width))`.
    pub index: Signal<'m>,
    /// That 1 alone, as wide as the requests.
    pub one_hot: Signal<'m>,
    /// 1 if nobody requests.
    pub none: Signal<'m>,
}

/// The least significant 1 among `requests`: bit 0 has the highest priority. Combinational.
#[track_caller]
pub fn priority_encoder(requests: Signal<'_>) -> Priority<'_> {
    let _caller = Place::of_caller();
    let (index, any) = find_one(requests, |low, high| !low & high);
    Priority { index, one_hot: lowest_one(requests), none: !any }
}

/// The least significant 1 of `x` alone, unsigned; 0 if there is none. Combinational.
#[track_caller]
pub fn lowest_one(x: Signal<'_>) -> Signal<'_> {
    let _caller = Place::of_caller();
    // -x = !x + 1 turns every bit below the lowest 1 into 0 and inverts those above.
    let x = x.as_unsigned();
    x & (!x + 1)
}

/// The position of the only 1 in `one_hot`, of type `u(index_bits(width))`; 0 if there is none.
/// With several ones, their positions are ORed. Combinational.
#[track_caller]
pub fn one_hot_index(one_hot: Signal<'_>) -> Signal<'_> {
    let _caller = Place::of_caller();
    let index_bit = |bit: u32| {
        let with_bit = (0..one_hot.width()).rev().filter(|position| position >> bit & 1 == 1);
        let ones: Vec<_> = with_bit.map(|position| one_hot.bit(position)).collect();
        match ones.is_empty() {
            true => one_hot.module().lit(u(1), 0),
            false => cat(&ones).any(),
        }
    };
    let bits: Vec<_> = (0..index_bits(one_hot.width() as usize)).rev().map(index_bit).collect();
    cat(&bits)
}

/// The encoder alone: in `requests: u(width)`, out `index`, `one_hot`, `none`. Combinational.
///
/// # Panics
/// If `width` is outside `1..=MAX_WIDTH`.
pub fn module(width: u32) -> Arc<Module> {
    check_range("priority_encoder", "width", width, 1..=MAX_WIDTH);
    let m = ModuleBuilder::new(format!("priority_encoder_w{width}"));
    m.doc("The least significant 1 of requests: its position, and alone.");
    m.parameter("width", width);
    let winner = priority_encoder(m.input("requests", u(width)));
    m.output("index", winner.index);
    m.output("one_hot", winner.one_hot);
    m.output("none", winner.none);
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    [1, 2, 5, 16, 67].map(module).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{for_each_pattern, simulate};
    use crate::ty::Int;

    #[test]
    fn lowest_wins() {
        for width in [1, 2, 3, 4, 5, 6, 7, 8, 9, 33, 64, 67] {
            let mut sim = simulate(&module(width));
            for_each_pattern(width, |requests| {
                sim.poke("requests", requests.clone());
                let lowest = requests.trailing_zeros();
                assert_eq!(sim.peek_u64("none") == 1, lowest.is_none());
                assert_eq!(sim.peek_u64("index"), lowest.unwrap_or(0), "{requests}");
                let alone = lowest.map_or(Int::ZERO, |lowest| Int::from(1) << lowest);
                assert_eq!(sim.peek("one_hot"), alone);
            });
        }
    }

    #[test]
    fn index_of_the_only_one() {
        for width in [1u32, 2, 3, 8, 13] {
            let m = ModuleBuilder::new("index");
            m.output("index", one_hot_index(m.input("x", u(width))));
            let mut sim = simulate(&m.finish());
            assert_eq!(sim.peek_u64("index"), 0);
            for position in 0..width {
                sim.poke("x", 1u32 << position);
                assert_eq!(sim.peek_u64("index"), u64::from(position));
            }
        }
    }
}
