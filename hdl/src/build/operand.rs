//! What stands beside a signal in an operator.

use super::{ModuleBuilder, Signal};
use crate::ty::{Int, Type, bits_for, u};

/// What may stand beside a signal in an operator: another signal, or an integer that takes the
/// signal's type.
pub trait Operand<'m>: Sized {
    /// The signal, or the integer.
    fn signal(self) -> Result<Signal<'m>, Int>;

    /// The operand as a signal of the given type, if it is an integer.
    #[track_caller]
    fn resolve_type(self, builder: &'m ModuleBuilder, ty: Type) -> Signal<'m> {
        match self.signal() {
            Ok(signal) => signal,
            Err(integer) => builder.lit(ty, integer),
        }
    }

    /// The operand as a signal of `other`'s type, if it is an integer.
    #[track_caller]
    fn resolve(self, other: Signal<'m>) -> Signal<'m> {
        self.resolve_type(other.builder(), other.ty())
    }
}

impl<'m, T: Into<Signal<'m>>> Operand<'m> for T {
    fn signal(self) -> Result<Signal<'m>, Int> {
        Ok(self.into())
    }
}

macro_rules! integer_operands {
    ($($integer:ty),*) => {$(
        impl<'m> Operand<'m> for $integer {
            fn signal(self) -> Result<Signal<'m>, Int> {
                Err(self.into())
            }
        }
    )*};
}
integer_operands!(i32, u32, i64, u64, usize, Int);

/// How far to shift: a constant, or an unsigned signal of at most 31 bits.
pub trait Amount<'m> {
    /// The amount as a signal.
    #[track_caller]
    fn amount(self, builder: &'m ModuleBuilder) -> Signal<'m>;
}

impl<'m, T: Into<Signal<'m>>> Amount<'m> for T {
    fn amount(self, _: &'m ModuleBuilder) -> Signal<'m> {
        self.into()
    }
}

macro_rules! integer_amounts {
    ($($integer:ty),*) => {$(
        impl<'m> Amount<'m> for $integer {
            #[track_caller]
            fn amount(self, builder: &'m ModuleBuilder) -> Signal<'m> {
                let bits = u64::try_from(self).map_or(1, bits_for);
                builder.lit(u(bits), self)
            }
        }
    )*};
}
integer_amounts!(i32, u32, usize);
