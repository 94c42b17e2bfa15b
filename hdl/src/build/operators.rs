//! `+ - * & | ^ ! -` on signals, registers and wires; an integer may stand on either side.

use super::{Operand, Reg, Signal, Wire};
use crate::error::HdlError;
use crate::netlist::{BinaryOp, UnaryOp};
use crate::place::Place;
use crate::ty::Int;
use std::ops::{Add, BitAnd, BitOr, BitXor, Mul, Neg, Not, Sub};

impl<'m> Signal<'m> {
    #[track_caller]
    fn operate(self, op: BinaryOp, right: impl Operand<'m>) -> Signal<'m> {
        if op == BinaryOp::Mul { self.mul(right) } else { self.binary(op, right) }
    }

    /// An integer left of this signal, of its type.
    #[track_caller]
    fn operate_on(self, op: BinaryOp, left: Int) -> Signal<'m> {
        self.builder().lit(self.ty(), left).operate(op, self)
    }
}

macro_rules! signals_on_the_left {
    ($left:ident: $($trait:ident $method:ident $op:ident;)*) => {$(
        impl<'m, R: Operand<'m>> $trait<R> for $left<'m> {
            type Output = Signal<'m>;

            #[track_caller]
            fn $method(self, right: R) -> Signal<'m> {
                Signal::from(self).operate(BinaryOp::$op, right)
            }
        }
    )*};
}

macro_rules! integers_on_the_left {
    ($right:ident: $($integer:ty),*; $trait:ident $method:ident $op:ident) => {$(
        impl<'m> $trait<$right<'m>> for $integer {
            type Output = Signal<'m>;

            #[track_caller]
            fn $method(self, right: $right<'m>) -> Signal<'m> {
                Signal::from(right).operate_on(BinaryOp::$op, self.into())
            }
        }
    )*};
}

macro_rules! operators {
    ($($signal:ident)*) => {$(
        signals_on_the_left! { $signal:
            Add add Add;
            Sub sub Sub;
            Mul mul Mul;
            BitAnd bitand And;
            BitOr bitor Or;
            BitXor bitxor Xor;
        }
        integers_on_the_left! { $signal: i32, u32, i64, u64, usize, Int; Add add Add }
        integers_on_the_left! { $signal: i32, u32, i64, u64, usize, Int; Sub sub Sub }
        integers_on_the_left! { $signal: i32, u32, i64, u64, usize, Int; Mul mul Mul }
        integers_on_the_left! { $signal: i32, u32, i64, u64, usize, Int; BitAnd bitand And }
        integers_on_the_left! { $signal: i32, u32, i64, u64, usize, Int; BitOr bitor Or }
        integers_on_the_left! { $signal: i32, u32, i64, u64, usize, Int; BitXor bitxor Xor }

        impl<'m> Not for $signal<'m> {
            type Output = Signal<'m>;

            #[track_caller]
            fn not(self) -> Signal<'m> {
                Signal::from(self).unary(UnaryOp::Not, self.ty())
            }
        }

        /// Negation of a signed value; the least value is its own negative.
        impl<'m> Neg for $signal<'m> {
            type Output = Signal<'m>;

            #[track_caller]
            fn neg(self) -> Signal<'m> {
                Signal::from(self).negate()
            }
        }
    )*};
}
operators! { Signal Reg Wire }

impl<'m> Signal<'m> {
    #[track_caller]
    fn negate(self) -> Signal<'m> {
        if !self.ty().signed {
            let (at, operand) = (Place::here(), self.builder().describe(self.id()));
            self.builder().error(HdlError::NegatesUnsigned { at, op: "neg", operand });
        }
        self.unary(UnaryOp::Neg, self.ty())
    }
}
