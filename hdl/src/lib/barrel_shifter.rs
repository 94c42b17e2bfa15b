//! Barrel shifter: shifts and rotations by a run-time amount, a multiplexer level for each bit of
//! the amount.

use super::naming::check_range;
use crate::Place;
use crate::build::{ModuleBuilder, Signal, cat};
use crate::netlist::Module;
use crate::ty::{index_bits, u};
use std::sync::Arc;

/// What happens to the bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shift {
    /// Towards the top, zeros come in.
    Left,
    /// Towards the bottom, zeros come in.
    Right,
    /// Towards the bottom, copies of the top bit come in.
    ArithmeticRight,
    /// Towards the top, what leaves comes in again.
    RotateLeft,
    /// Towards the bottom, what leaves comes in again.
    RotateRight,
}

impl Shift {
    /// All of them.
    pub const ALL: [Shift; 5] =
        [Shift::Left, Shift::Right, Shift::ArithmeticRight, Shift::RotateLeft, Shift::RotateRight];

    /// The name used in module names.
    pub const fn name(self) -> &'static str {
        match self {
            Shift::Left => "left",
            Shift::Right => "right",
            Shift::ArithmeticRight => "arithmetic_right",
            Shift::RotateLeft => "rotate_left",
            Shift::RotateRight => "rotate_right",
        }
    }
}

/// The bit pattern of `x` shifted by the unsigned `amount`; an amount beyond the width shifts
/// everything out, or rotates further. The type stays. Combinational, one multiplexer level for
/// each bit of `amount`.
#[track_caller]
pub fn barrel_shift<'m>(shift: Shift, x: Signal<'m>, amount: Signal<'m>) -> Signal<'m> {
    let _caller = Place::of_caller();
    let width = u64::from(x.width());
    let level = |so_far: Signal<'m>, bit: u32| {
        // 2^bit, or its remainder for rotations, whose amounts count modulo the width.
        let distance = match shift {
            Shift::RotateLeft | Shift::RotateRight => power_of_two_modulo(bit, width),
            _ => width.min(1u64.checked_shl(bit).unwrap_or(width)),
        };
        let chosen = amount.bit(bit).mux(by_constant(shift, so_far, distance as u32), so_far);
        chosen.part(format!("by_amount_to_bit_{bit}"))
    };
    (0..amount.width()).fold(x.as_unsigned(), level).cast(x.ty())
}

fn power_of_two_modulo(exponent: u32, modulus: u64) -> u64 {
    (0..exponent).fold(1 % modulus, |power, _| 2 * power % modulus)
}

/// Wiring alone. `distance` is at most the width; below it for rotations.
#[track_caller]
fn by_constant(shift: Shift, x: Signal<'_>, distance: u32) -> Signal<'_> {
    let _caller = Place::of_caller();
    let (m, width) = (x.module(), x.width());
    if distance == 0 {
        return x;
    }
    let fill = match shift {
        Shift::ArithmeticRight => x.msb().repeat(distance),
        Shift::RotateLeft => return cat(&[x.slice(width - distance - 1, 0), x.high(distance)]),
        Shift::RotateRight => {
            return cat(&[x.slice(distance - 1, 0), x.slice(width - 1, distance)]);
        }
        _ => m.lit(u(distance), 0),
    };
    match shift {
        _ if distance == width => fill,
        Shift::Left => cat(&[x.slice(width - distance - 1, 0), fill]),
        _ => cat(&[fill, x.slice(width - 1, distance)]),
    }
}

/// The shifter alone: in `x: u(width)`, `amount: u(index_bits(width))`, out `y`. Combinational.
///
/// # Panics
/// If `width` is outside `1..=4096`.
pub fn module(shift: Shift, width: u32) -> Arc<Module> {
    check_range("barrel_shifter", "width", width, 1..=4096);
    let m = ModuleBuilder::new(format!("barrel_{}_w{width}", shift.name()));
    m.doc("x shifted or rotated by amount places.");
    m.parameter("shift", shift.name());
    m.parameter("width", width);
    let x = m.input("x", u(width));
    let amount = m.input("amount", u(index_bits(width as usize)));
    m.output("y", barrel_shift(shift, x, amount));
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    Shift::ALL.iter().flat_map(|shift| [1, 5, 32].map(|width| module(*shift, width))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{simulate, values};
    use crate::ty::Int;

    /// Bit by bit: where does bit `i` of the result come from?
    fn model(shift: Shift, x: &Int, width: u64, amount: u64) -> Int {
        let mut y = Int::ZERO;
        for i in 0..width {
            let bit = match shift {
                Shift::Left => i >= amount && x.bit(i - amount),
                Shift::Right => i + amount < width && x.bit(i + amount),
                Shift::ArithmeticRight => x.bit((i + amount).min(width - 1)),
                Shift::RotateLeft => x.bit((i + amount * (width - 1)) % width),
                Shift::RotateRight => x.bit((i + amount) % width),
            };
            y.set_bit(i, bit);
        }
        y
    }

    #[test]
    fn every_amount() {
        for shift in Shift::ALL {
            for width in [1, 2, 3, 5, 7, 8, 16, 33, 64] {
                let mut sim = simulate(&module(shift, width));
                for x in values(u(width)) {
                    sim.poke("x", x.clone());
                    for amount in 0..1u64 << index_bits(width as usize) {
                        sim.poke("amount", amount);
                        let expected = model(shift, &x, width.into(), amount);
                        assert_eq!(sim.peek("y"), expected, "{shift:?} {x} by {amount} of {width}");
                    }
                }
            }
        }
    }
}
