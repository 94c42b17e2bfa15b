//! Rounding: division by a power of two that says what happens to the remainder.

use super::naming::check_range;
use crate::Place;
use crate::build::{ModuleBuilder, Signal};
use crate::netlist::Module;
use crate::ty::{Int, Type, u};
use std::sync::Arc;

/// What becomes of the fraction of `x / 2^shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// Dropped: towards minus infinity.
    Truncate,
    /// To nearest, one half upwards (towards plus infinity).
    HalfUp,
    /// To nearest, one half to the even neighbor; no bias.
    HalfEven,
}

impl Rounding {
    /// All of them.
    pub const ALL: [Rounding; 3] = [Rounding::Truncate, Rounding::HalfUp, Rounding::HalfEven];

    /// The name used in module names.
    pub const fn name(self) -> &'static str {
        match self {
            Rounding::Truncate => "truncate",
            Rounding::HalfUp => "half_up",
            Rounding::HalfEven => "half_even",
        }
    }

    /// `value / 2^shift`, rounded: what the circuits compute.
    pub fn divide(self, value: &Int, shift: u32) -> Int {
        let floor: Int = value >> shift;
        let twice_rest: Int = (value - (&floor << shift)) << 1;
        let whole = Int::from(1) << shift;
        let up = match self {
            Rounding::Truncate => false,
            Rounding::HalfUp => twice_rest >= whole,
            Rounding::HalfEven => twice_rest > whole || (twice_rest == whole && floor.bit(0)),
        };
        floor + u8::from(up)
    }

    /// The smallest type of the same sign that holds every result for values of type `from`.
    pub fn result_type(self, from: Type, shift: u32) -> Type {
        // Rounding is monotonic, so the ends of the range say it all.
        let (least, most) = (self.divide(&from.min(), shift), self.divide(&from.max(), shift));
        let mut to = from.with_width(1);
        while !(to.holds(&least) && to.holds(&most)) {
            to.width += 1;
        }
        to
    }
}

/// `x / 2^shift`, rounded, of type [`Rounding::result_type`]. Combinational: an incrementer.
///
/// # Panics
/// If `shift` is outside `0..=4096`.
#[track_caller]
pub fn round_shift(x: Signal<'_>, shift: u32, rounding: Rounding) -> Signal<'_> {
    let _caller = Place::of_caller();
    check_range("rounding", "shift", shift, 0..=4096);
    let to = rounding.result_type(x.ty(), shift);
    if shift == 0 {
        return x;
    }
    let x = x.extend(x.width().max(shift + 1));
    let floor = x.shr(shift).part("floor");
    let half = x.bit(shift - 1);
    let up = match rounding {
        Rounding::Truncate => return floor.resize(to.width),
        Rounding::HalfUp => half,
        Rounding::HalfEven if shift == 1 => half & floor.bit(0),
        Rounding::HalfEven => half & (floor.bit(0) | x.slice(shift - 2, 0).any()),
    };
    let width = to.width.max(2);
    let up = up.extend(width).cast(to.with_width(width));
    (floor.resize(width) + up).truncate(to.width)
}

/// `x / 2^amount`, rounded, for an unsigned run-time amount of at most 31 bits; one bit wider than
/// `x`. Combinational: a barrel shifter and an incrementer.
#[track_caller]
pub fn round_shift_by<'m>(x: Signal<'m>, amount: Signal<'m>, rounding: Rounding) -> Signal<'m> {
    let _caller = Place::of_caller();
    let to = x.ty().with_width(x.width() + 1);
    // With a zero below, the bit just dropped is still there after the shift.
    let doubled = x.extend(to.width).shl(1);
    let shifted = doubled.shr(amount).part("doubled");
    let (floor, half) = (shifted.shr(1), shifted.bit(0));
    let up = match rounding {
        Rounding::Truncate => return floor,
        Rounding::HalfUp => half,
        Rounding::HalfEven => half & (floor.bit(0) | shifted.shl(amount).ne(doubled)),
    };
    floor + up.extend(to.width).cast(to)
}

/// Rounding by a constant alone: in `x: from`, out `y`. Combinational.
///
/// # Panics
/// If `shift` is outside `0..=4096`.
pub fn module(from: Type, shift: u32, rounding: Rounding) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("round_{}_{from}_s{shift}", rounding.name()));
    m.doc("x / 2^shift, rounded.");
    m.parameter("from", from);
    m.parameter("shift", shift);
    m.parameter("rounding", rounding.name());
    m.output("y", round_shift(m.input("x", from), shift, rounding));
    m.finish()
}

/// Rounding by a run-time amount alone: in `x: from`, `amount: u(amount_bits)`, out `y`.
/// Combinational.
///
/// # Panics
/// If `amount_bits` is outside `1..=31`.
pub fn run_time_module(from: Type, amount_bits: u32, rounding: Rounding) -> Arc<Module> {
    check_range("rounding", "amount_bits", amount_bits, 1..=31);
    let m = ModuleBuilder::new(format!("round_{}_{from}_by_u{amount_bits}", rounding.name()));
    m.doc("x / 2^amount, rounded.");
    m.parameter("from", from);
    m.parameter("amount_bits", amount_bits);
    m.parameter("rounding", rounding.name());
    let (x, amount) = (m.input("x", from), m.input("amount", u(amount_bits)));
    m.output("y", round_shift_by(x, amount, rounding));
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    use crate::ty::s;
    let of = |rounding: &Rounding| {
        [
            module(s(32), 8, *rounding),
            module(u(1), 1, *rounding),
            module(s(4), 6, *rounding),
            run_time_module(s(20), 4, *rounding),
            run_time_module(u(1), 1, *rounding),
        ]
    };
    Rounding::ALL.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{simulate, values};
    use crate::ty::s;

    #[test]
    fn by_example() {
        // x / 4 for 5.. and -7..: quarters, halves and three quarters.
        let row = |rounding: Rounding, values: [i32; 8]| {
            values.map(|x| i32::try_from(rounding.divide(&Int::from(x), 2)).unwrap())
        };
        let x = [5, 6, 7, 10, -5, -6, -7, -10];
        assert_eq!(row(Rounding::Truncate, x), [1, 1, 1, 2, -2, -2, -2, -3]);
        assert_eq!(row(Rounding::HalfUp, x), [1, 2, 2, 3, -1, -1, -2, -2]);
        assert_eq!(row(Rounding::HalfEven, x), [1, 2, 2, 2, -1, -2, -2, -2]);
        assert_eq!(Rounding::HalfUp.result_type(u(8), 4), u(5));
        assert_eq!(Rounding::Truncate.result_type(u(8), 4), u(4));
        assert_eq!(Rounding::HalfEven.result_type(s(8), 9), s(1));
    }

    #[test]
    fn circuits_divide() {
        for rounding in Rounding::ALL {
            for from in [u(1), u(2), u(8), s(1), s(2), s(8), s(40), u(70)] {
                for shift in [0, 1, 2, 3, 7, 8, 9, 39, 75] {
                    let mut sim = simulate(&module(from, shift, rounding));
                    for x in values(from) {
                        sim.poke("x", x.clone());
                        let expected = rounding.divide(&x, shift);
                        assert_eq!(sim.peek("y"), expected, "{rounding:?} {x}: {from} / 2^{shift}");
                    }
                }
                let mut sim = simulate(&run_time_module(from, 7, rounding));
                for amount in [0, 1, 2, 3, 7, 8, 9, 39, 75, 127] {
                    sim.poke("amount", amount);
                    for x in values(from) {
                        sim.poke("x", x.clone());
                        assert_eq!(sim.peek("y"), rounding.divide(&x, amount), "{x} / 2^{amount}");
                    }
                }
            }
        }
    }
}
