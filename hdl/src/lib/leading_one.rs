//! Leading-one encoder: where the most significant 1 stands.

use super::naming::check_range;
use crate::Place;
use crate::build::{ModuleBuilder, Signal};
use crate::netlist::Module;
use crate::ty::{MAX_WIDTH, index_bits, u};
use std::sync::Arc;

/// What [`leading_one`] finds.
#[derive(Clone, Copy)]
pub struct LeadingOne<'m> {
    /// Position of the most significant 1, `floor(log2 x)`; 0 if there is none.
    /// Type `u(index_bits(width))`.
    pub index: Signal<'m>,
    /// 1 if `x` has no 1 at all.
    pub zero: Signal<'m>,
}

/// Position of the most significant 1 in the bit pattern of `x`. Combinational,
/// `ceil(log2 width)` levels of multiplexers.
#[track_caller]
pub fn leading_one(x: Signal<'_>) -> LeadingOne<'_> {
    let _caller = Place::of_caller();
    let (index, any) = find_one(x, |_, high| high);
    LeadingOne { index, zero: !any }
}

/// Position of a 1, halving the bits: `take_high(low, high)` says from whether the lower and the
/// upper half have a 1 which half to go on with. Returns the position and whether there is a 1.
#[track_caller]
pub(super) fn find_one<'m>(
    x: Signal<'m>,
    take_high: impl Fn(Signal<'m>, Signal<'m>) -> Signal<'m>,
) -> (Signal<'m>, Signal<'m>) {
    let _caller = Place::of_caller();
    let bit = |at: u32| Stretch { low: at, high: at, any: x.bit(at), index: None };
    let mut level: Vec<Stretch<'m>> = (0..x.width()).map(bit).collect();
    let mut bits = 0;
    while level.len() > 1 {
        let join = |pair: &[Stretch<'m>]| match *pair {
            [below, above] => below.join(above, bits, &take_high),
            _ => pair[0],
        };
        level = level.chunks(2).map(join).collect();
        bits += 1;
    }
    let whole = level[0];
    (whole.index.unwrap_or_else(|| x.module().lit(u(1), 0)), whole.any)
}

/// Neighboring bits `low..=high`: is there a 1 among them, and where?
#[derive(Clone, Copy)]
struct Stretch<'m> {
    low: u32,
    high: u32,
    any: Signal<'m>,
    /// Counted from `low`; `None` for a single bit.
    index: Option<Signal<'m>>,
}

impl<'m> Stretch<'m> {
    /// With the stretch above; this one has `2^bits` bits, that one as many or fewer.
    #[track_caller]
    fn join(
        self,
        above: Stretch<'m>,
        bits: u32,
        take_high: impl Fn(Signal<'m>, Signal<'m>) -> Signal<'m>,
    ) -> Stretch<'m> {
        let _caller = Place::of_caller();
        let (low, high) = (self.low, above.high);
        let upper = take_high(self.any, above.any);
        let index = self.index.map_or(upper, |below| {
            let above = above
                .index
                .map_or_else(|| below.module().lit(u(bits), 0), |above| above.extend(bits));
            upper.cat(upper.mux(above, below))
        });
        Stretch {
            low,
            high,
            any: (self.any | above.any).named(format!("any_{high}_{low}")),
            index: Some(index.named(format!("index_{high}_{low}"))),
        }
    }
}

/// The encoder alone: in `x: u(width)`, out `index`, `zero`. Combinational.
///
/// # Panics
/// If `width` is outside `1..=MAX_WIDTH`.
pub fn module(width: u32) -> Arc<Module> {
    check_range("leading_one", "width", width, 1..=MAX_WIDTH);
    let m = ModuleBuilder::new(format!("leading_one_w{width}"));
    m.doc("Position of the most significant 1 of x; index 0 and zero 1 if there is none.");
    m.parameter("width", width);
    let found = leading_one(m.input("x", u(width)));
    debug_assert_eq!(found.index.width(), index_bits(width as usize));
    m.output("index", found.index);
    m.output("zero", found.zero);
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    [1, 2, 7, 8, 33, 100].map(module).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{for_each_pattern, simulate};

    #[test]
    fn equals_floor_log2() {
        for width in [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 31, 64, 65, 100] {
            let mut sim = simulate(&module(width));
            for_each_pattern(width, |x| {
                sim.poke("x", x.clone());
                assert_eq!(sim.peek_u64("zero") == 1, x.bits() == 0);
                assert_eq!(sim.peek_u64("index"), x.bits().saturating_sub(1), "{x} in {width}");
            });
        }
    }
}
