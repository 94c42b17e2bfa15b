//! What each operator means, on integers. The interpreter runs it, constant folding uses it, and
//! everything else (JIT, Verilog) is tested against it.

use crate::netlist::{BinaryOp, UnaryOp};
use crate::ty::{Int, Type};
use num_traits::{One, ToPrimitive, Zero};

/// `op a`, for `a` of type `from`, as a value of type `to`.
pub fn unary(op: UnaryOp, a: &Int, from: Type, to: Type) -> Int {
    match op {
        UnaryOp::Not => to.wrap(-a - 1),
        UnaryOp::Neg => to.wrap(-a),
        UnaryOp::ReduceAnd => truth(from.to_bits(a) == (Int::one() << from.width) - 1),
        UnaryOp::ReduceOr => truth(!a.is_zero()),
        UnaryOp::ReduceXor => {
            let bits = from.to_bits(a);
            truth(bits.iter_u64_digits().fold(0, |ones, limb| ones + limb.count_ones()) % 2 == 1)
        }
    }
}

/// `a op b`, for `a` of type `from`, as a value of type `to`.
pub fn binary(op: BinaryOp, a: &Int, b: &Int, from: Type, to: Type) -> Int {
    match op {
        BinaryOp::Add => to.wrap(a + b),
        BinaryOp::Sub => to.wrap(a - b),
        BinaryOp::Mul => to.wrap(a * b),
        BinaryOp::And => a & b,
        BinaryOp::Or => a | b,
        BinaryOp::Xor => a ^ b,
        BinaryOp::Eq => truth(a == b),
        BinaryOp::Ne => truth(a != b),
        BinaryOp::Lt => truth(a < b),
        BinaryOp::Le => truth(a <= b),
        BinaryOp::Gt => truth(a > b),
        BinaryOp::Ge => truth(a >= b),
        BinaryOp::Shl => match b.to_u32() {
            Some(amount) if amount < from.width => to.wrap(a << amount),
            _ => Int::ZERO,
        },
        BinaryOp::Shr => a >> b.to_u32().map_or(from.width, |amount| amount.min(from.width)),
    }
}

/// Bit patterns side by side, most significant first.
pub fn concat<'a>(parts: impl Iterator<Item = (Type, &'a Int)>) -> Int {
    parts.fold(Int::ZERO, |bits, (ty, part)| (bits << ty.width) | ty.to_bits(part))
}

/// Bits `low..low + to.width` of the pattern of `a`.
pub fn slice(a: &Int, from: Type, low: u32, to: Type) -> Int {
    to.wrap(from.to_bits(a) >> low)
}

/// A truth value as `u1`.
pub fn truth(condition: bool) -> Int {
    Int::from(u8::from(condition))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ty::{s, u};

    #[test]
    fn operators_by_example() {
        let int = |value: i64| Int::from(value);
        assert_eq!(unary(UnaryOp::Not, &int(5), u(4), u(4)), int(10));
        assert_eq!(unary(UnaryOp::Not, &int(5), s(4), s(4)), int(-6));
        assert_eq!(unary(UnaryOp::Neg, &int(-8), s(4), s(4)), int(-8));
        assert_eq!(unary(UnaryOp::ReduceAnd, &int(-1), s(70), u(1)), int(1));
        assert_eq!(unary(UnaryOp::ReduceXor, &int(-1), s(3), u(1)), int(1));
        assert_eq!(binary(BinaryOp::Add, &int(7), &int(1), s(4), s(4)), int(-8));
        assert_eq!(binary(BinaryOp::Sub, &int(0), &int(1), u(4), u(4)), int(15));
        assert_eq!(binary(BinaryOp::Mul, &int(-8), &int(-8), s(4), s(8)), int(64));
        assert_eq!(binary(BinaryOp::Xor, &int(-1), &int(3), s(4), s(4)), int(-4));
        assert_eq!(binary(BinaryOp::Shl, &int(9), &int(1), u(4), u(4)), int(2));
        assert_eq!(binary(BinaryOp::Shl, &int(9), &int(4), u(4), u(4)), int(0));
        assert_eq!(binary(BinaryOp::Shr, &int(-5), &int(9), s(4), s(4)), int(-1));
        assert_eq!(concat([(s(4), &int(-1)), (u(2), &int(1))].into_iter()), int(0b111101));
        assert_eq!(slice(&int(-2), s(4), 1, u(3)), int(7));
    }
}
