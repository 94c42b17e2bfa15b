//! `+ - * & | ^ ! -` on signals, registers and wires.

use super::{Operand, Reg, Signal, Wire};
use crate::error::HdlError;
use crate::netlist::{BinaryOp, UnaryOp};
use crate::place::Place;
use std::ops::{Add, BitAnd, BitOr, BitXor, Mul, Neg, Not, Sub};

macro_rules! operators {
    ($($trait:ident $method:ident $op:ident;)*) => {$(
        impl<'m, R: Operand<'m>> $trait<R> for Signal<'m> {
            type Output = Signal<'m>;

            #[track_caller]
            fn $method(self, other: R) -> Signal<'m> {
                self.binary(BinaryOp::$op, other)
            }
        }

        impl<'m, R: Operand<'m>> $trait<R> for Reg<'m> {
            type Output = Signal<'m>;

            #[track_caller]
            fn $method(self, other: R) -> Signal<'m> {
                Signal::from(self).binary(BinaryOp::$op, other)
            }
        }

        impl<'m, R: Operand<'m>> $trait<R> for Wire<'m> {
            type Output = Signal<'m>;

            #[track_caller]
            fn $method(self, other: R) -> Signal<'m> {
                self.0.binary(BinaryOp::$op, other)
            }
        }
    )*};
}
operators! {
    Add add Add;
    Sub sub Sub;
    BitAnd bitand And;
    BitOr bitor Or;
    BitXor bitxor Xor;
}

impl<'m, R: Operand<'m>> Mul<R> for Signal<'m> {
    type Output = Signal<'m>;

    #[track_caller]
    fn mul(self, other: R) -> Signal<'m> {
        Signal::mul(self, other)
    }
}

impl<'m> Not for Signal<'m> {
    type Output = Signal<'m>;

    #[track_caller]
    fn not(self) -> Signal<'m> {
        self.unary(UnaryOp::Not, self.ty())
    }
}

impl<'m> Not for Reg<'m> {
    type Output = Signal<'m>;

    #[track_caller]
    fn not(self) -> Signal<'m> {
        !Signal::from(self)
    }
}

impl<'m> Not for Wire<'m> {
    type Output = Signal<'m>;

    #[track_caller]
    fn not(self) -> Signal<'m> {
        !self.0
    }
}

/// Negation of a signed value; the least value is its own negative.
impl<'m> Neg for Signal<'m> {
    type Output = Signal<'m>;

    #[track_caller]
    fn neg(self) -> Signal<'m> {
        if !self.ty().signed {
            let (at, operand) = (Place::here(), self.builder().describe(self.id()));
            self.builder().error(HdlError::NegatesUnsigned { at, op: "neg", operand });
        }
        self.unary(UnaryOp::Neg, self.ty())
    }
}
