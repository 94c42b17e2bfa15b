//! The statement: `docs/language.md` in whole-number arithmetic. Patterns are lists of bits, got
//! by division; nothing of the language's own arithmetic is used.

use hwgen_hdl::{Int, Type};
use num_traits::{Euclid, One};

pub(crate) fn power(exponent: u32) -> Int {
    (0..exponent).fold(Int::one(), |power, _| power * 2)
}

/// A value modulo 2^n, in the type's range.
pub(crate) fn into_range(value: &Int, ty: Type) -> Int {
    let (all, low) = (power(ty.width), value.rem_euclid(&power(ty.width)));
    let negative = ty.signed && low >= power(ty.width - 1);
    if negative { low - all } else { low }
}

/// The bits of a pattern, the lowest first.
pub(crate) fn bits(value: &Int, width: u32) -> Vec<bool> {
    let mut rest = value.rem_euclid(&power(width));
    (0..width)
        .map(|_| {
            let (half, bit) = rest.div_rem_euclid(&Int::from(2));
            rest = half;
            bit == Int::one()
        })
        .collect()
}

/// The integer of a type that has this pattern.
pub(crate) fn of_bits(bits: &[bool], ty: Type) -> Int {
    let whole = bits.iter().rev().fold(Int::ZERO, |sum, &bit| sum * 2 + i32::from(bit));
    into_range(&whole, ty)
}

/// Both patterns, bit by bit.
pub(crate) fn bitwise(a: &Int, b: &Int, ty: Type, op: fn(bool, bool) -> bool) -> Int {
    let pairs = bits(a, ty.width).into_iter().zip(bits(b, ty.width));
    of_bits(&pairs.map(|(a, b)| op(a, b)).collect::<Vec<_>>(), ty)
}

/// Bits `high` down to `low`.
pub(crate) fn slice(a: &Int, width: u32, high: u32, low: u32) -> Int {
    let taken = &bits(a, width)[low as usize..=high as usize];
    of_bits(taken, hwgen_hdl::u(high - low + 1))
}

/// Patterns side by side, the first highest.
pub(crate) fn side_by_side(parts: &[(&Int, u32)]) -> Int {
    let all: Vec<bool> = parts.iter().rev().flat_map(|(part, width)| bits(part, *width)).collect();
    of_bits(&all, hwgen_hdl::u(all.len() as u32))
}

/// `a` times 2^k, modulo 2^n.
pub(crate) fn left(a: &Int, k: u32, ty: Type) -> Int {
    if k >= ty.width { Int::ZERO } else { into_range(&(a * power(k)), ty) }
}

/// `a` divided by 2^k, rounded down.
pub(crate) fn right(a: &Int, k: u32, ty: Type) -> Int {
    // Beyond the width the quotient stays what it is at the width.
    a.div_euclid(&power(k.min(ty.width)))
}

pub(crate) fn truth(condition: bool) -> Int {
    Int::from(u8::from(condition))
}
