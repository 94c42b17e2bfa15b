//! Signals and their operators.
//!
//! Operands of an operator have one type (`extend`, `truncate` and `cast` change it); integers
//! take the type of the signal beside them. `mul` is exact; `+` and `-` wrap.

use super::{Amount, ModuleBuilder, Operand};
use crate::error::HdlError;
use crate::netlist::{BinaryOp, Called, Kind, NodeId, UnaryOp};
use crate::place::Place;
use crate::ty::{Int, MAX_WIDTH, Type, s, u};
use std::fmt::Display;
use std::sync::Arc;

/// A value in a module under construction.
#[derive(Clone, Copy)]
pub struct Signal<'m> {
    builder: &'m ModuleBuilder,
    id: NodeId,
    ty: Type,
}

impl<'m> Signal<'m> {
    pub(super) fn new(builder: &'m ModuleBuilder, id: NodeId, ty: Type) -> Signal<'m> {
        Signal { builder, id, ty }
    }

    pub(super) fn builder(&self) -> &'m ModuleBuilder {
        self.builder
    }

    pub(super) fn id(&self) -> NodeId {
        self.id
    }

    /// Width and sign.
    pub fn ty(&self) -> Type {
        self.ty
    }

    /// Width in bits.
    pub fn width(&self) -> u32 {
        self.ty.width
    }

    /// The module the signal belongs to.
    pub fn module(&self) -> &'m ModuleBuilder {
        self.builder
    }

    /// Gives the signal its name in messages, waves and Verilog. Ports and registers keep theirs.
    #[track_caller]
    pub fn named(self, name: impl Into<String>) -> Signal<'m> {
        let name = name.into();
        self.builder.check_name(&name, Place::here());
        let mut draft = self.builder.draft.borrow_mut();
        let node = &mut draft.module.nodes[self.id.index()];
        if !matches!(node.kind, Kind::Input | Kind::Register(_)) {
            node.name = Some(Arc::from(name));
        }
        drop(draft);
        self
    }

    /// Says what the signal carries: its name in Verilog should it need a net there, which
    /// [`Signal::named`] makes.
    #[track_caller]
    pub fn called(self, what: impl Into<String>) -> Signal<'m> {
        let what = what.into();
        self.builder.check_name(&what, Place::here());
        let called = Some(Called::Name(what.into()));
        self.builder.draft.borrow_mut().module.nodes[self.id.index()].called = called;
        self
    }

    /// [`Signal::called`] by its role in whatever it alone goes into: `{whole}_{role}`. What has a
    /// name already keeps it.
    pub(crate) fn part(self, role: impl Into<String>) -> Signal<'m> {
        let called = &mut self.builder.draft.borrow_mut().module.nodes[self.id.index()].called;
        called.get_or_insert_with(|| Called::Part(role.into().into()));
        self
    }

    /// [`Signal::called`] by its role in another signal, `{whole}_{role}`, if that has a name.
    #[track_caller]
    pub fn called_in(self, whole: impl Into<Signal<'m>>, role: impl Display) -> Signal<'m> {
        match whole.into().name() {
            Some(whole) => self.called(format!("{whole}_{role}")),
            None => self,
        }
    }

    /// Its name, or what it is called.
    pub fn name(self) -> Option<Arc<str>> {
        let node = &self.builder.draft.borrow().module.nodes[self.id.index()];
        node.name().cloned()
    }

    #[track_caller]
    fn make(self, kind: Kind, ty: Type) -> Signal<'m> {
        self.builder.add(kind, ty, None, Place::here())
    }

    #[track_caller]
    pub(super) fn unary(self, op: UnaryOp, ty: Type) -> Signal<'m> {
        self.make(Kind::Unary(op, self.id), ty)
    }

    /// An operator whose operands must have one type.
    #[track_caller]
    pub(super) fn binary(self, op: BinaryOp, other: impl Operand<'m>) -> Signal<'m> {
        let at = Place::here();
        let other = other.resolve(self);
        let ty = if op.compares() { u(1) } else { self.ty };
        if !self.builder.owns(other, at) {
            return self.builder.poison(ty, at);
        }
        if self.ty != other.ty {
            let (left, right) = (self.builder.describe(self.id), self.builder.describe(other.id));
            self.builder.error(HdlError::OperandsDiffer { at, op: op.name(), left, right });
            return self.builder.poison(ty, at);
        }
        self.make(Kind::Binary(op, self.id, other.id), ty)
    }

    #[allow(clippy::should_implement_trait)] // `*` is implemented, by this
    /// The exact product: as wide as both operands together. Both must have one sign.
    #[track_caller]
    pub fn mul(self, other: impl Operand<'m>) -> Signal<'m> {
        let at = Place::here();
        let other = other.resolve(self);
        let width = self.width().saturating_add(other.width());
        let ty = self.builder.check_type("mul", self.ty.with_width(width), at);
        if !self.builder.owns(other, at) {
            return self.builder.poison(ty, at);
        }
        if self.ty.signed != other.ty.signed {
            let (left, right) = (self.builder.describe(self.id), self.builder.describe(other.id));
            self.builder.error(HdlError::SignsDiffer { at, op: "mul", left, right });
            return self.builder.poison(ty, at);
        }
        self.make(Kind::Binary(BinaryOp::Mul, self.id, other.id), ty)
    }

    #[track_caller]
    fn shift(self, op: BinaryOp, amount: impl Amount<'m>) -> Signal<'m> {
        let at = Place::here();
        let amount = amount.amount(self.builder);
        if !self.builder.owns(amount, at) {
            return self;
        }
        if amount.ty.signed || amount.width() > 31 {
            let amount = self.builder.describe(amount.id);
            self.builder.error(HdlError::ShiftAmount { at, op: op.name(), amount });
            return self;
        }
        self.make(Kind::Binary(op, self.id, amount.id), self.ty)
    }

    #[allow(clippy::should_implement_trait)] // the amount may be an integer
    /// Shifted left within its type: high bits are lost.
    #[track_caller]
    pub fn shl(self, amount: impl Amount<'m>) -> Signal<'m> {
        self.shift(BinaryOp::Shl, amount)
    }

    #[allow(clippy::should_implement_trait)]
    /// Shifted right; a signed value keeps its sign (rounds towards minus infinity).
    #[track_caller]
    pub fn shr(self, amount: impl Amount<'m>) -> Signal<'m> {
        self.shift(BinaryOp::Shr, amount)
    }

    /// Whether the values are equal.
    #[track_caller]
    pub fn eq(self, other: impl Operand<'m>) -> Signal<'m> {
        self.binary(BinaryOp::Eq, other)
    }

    /// Whether the values differ.
    #[track_caller]
    pub fn ne(self, other: impl Operand<'m>) -> Signal<'m> {
        self.binary(BinaryOp::Ne, other)
    }

    /// Whether this value is less.
    #[track_caller]
    pub fn lt(self, other: impl Operand<'m>) -> Signal<'m> {
        self.binary(BinaryOp::Lt, other)
    }

    /// Whether this value is less or equal.
    #[track_caller]
    pub fn le(self, other: impl Operand<'m>) -> Signal<'m> {
        self.binary(BinaryOp::Le, other)
    }

    /// Whether this value is greater.
    #[track_caller]
    pub fn gt(self, other: impl Operand<'m>) -> Signal<'m> {
        self.binary(BinaryOp::Gt, other)
    }

    /// Whether this value is greater or equal.
    #[track_caller]
    pub fn ge(self, other: impl Operand<'m>) -> Signal<'m> {
        self.binary(BinaryOp::Ge, other)
    }

    /// Whether every bit is 1.
    #[track_caller]
    pub fn all(self) -> Signal<'m> {
        self.unary(UnaryOp::ReduceAnd, u(1))
    }

    /// Whether any bit is 1: the value is not 0.
    #[track_caller]
    pub fn any(self) -> Signal<'m> {
        self.unary(UnaryOp::ReduceOr, u(1))
    }

    /// Whether the number of ones is odd.
    #[track_caller]
    pub fn parity(self) -> Signal<'m> {
        self.unary(UnaryOp::ReduceXor, u(1))
    }

    /// Bits `high` down to `low`, both included, unsigned.
    #[track_caller]
    pub fn slice(self, high: u32, low: u32) -> Signal<'m> {
        let at = Place::here();
        if high < low || high >= self.width() {
            let (high, low) = (u64::from(high), u64::from(low));
            let of = self.builder.describe(self.id);
            self.builder.error(HdlError::SliceOutOfRange { at, high, low, of });
            return self.builder.poison(u(1), at);
        }
        if low == 0 && high + 1 == self.width() {
            return self.cast(u(self.width()));
        }
        self.make(Kind::Slice { of: self.id, low }, u(high - low + 1))
    }

    /// Bit `index`, counted from the least significant.
    #[track_caller]
    pub fn bit(self, index: u32) -> Signal<'m> {
        self.slice(index, index)
    }

    /// The `count` most significant bits, unsigned.
    #[track_caller]
    pub fn high(self, count: u32) -> Signal<'m> {
        let at = Place::here();
        let Some(low) = self.width().checked_sub(count) else {
            let of = self.builder.describe(self.id);
            self.builder.error(HdlError::TooManyBits { at, count, of });
            return self.builder.poison(u(count.min(MAX_WIDTH)), at);
        };
        self.slice(self.width() - 1, low)
    }

    /// The sign: the most significant bit.
    #[track_caller]
    pub fn msb(self) -> Signal<'m> {
        self.high(1)
    }

    /// The low `width` bits with the same sign kind: the value modulo `2^width`.
    #[track_caller]
    pub fn truncate(self, width: u32) -> Signal<'m> {
        if width == self.width() {
            return self;
        }
        let width = self.builder.check_type("truncate", u(width), Place::here()).width;
        let low = self.slice(width - 1, 0);
        if self.ty.signed { low.cast(s(low.width())) } else { low }
    }

    /// The same value with more bits.
    #[track_caller]
    pub fn extend(self, width: u32) -> Signal<'m> {
        let at = Place::here();
        if width < self.width() {
            let from = self.builder.describe(self.id);
            self.builder.error(HdlError::ExtendNarrows { at, from, to: width });
            return self.builder.poison(self.ty.with_width(width.max(1)), at);
        }
        self.cast(self.builder.check_type("extend", self.ty.with_width(width), at))
    }

    /// `extend` or `truncate`, whichever leads to `width`.
    #[track_caller]
    pub fn resize(self, width: u32) -> Signal<'m> {
        if width < self.width() { self.truncate(width) } else { self.extend(width) }
    }

    /// The same bits, read as another type of at least the same width: extended by its own sign
    /// first.
    #[track_caller]
    pub fn cast(self, ty: Type) -> Signal<'m> {
        if ty == self.ty {
            return self;
        }
        let at = Place::here();
        if ty.width < self.width() {
            let from = self.builder.describe(self.id);
            self.builder.error(HdlError::ExtendNarrows { at, from, to: ty.width });
            return self.builder.poison(ty.with_width(ty.width.max(1)), at);
        }
        let ty = self.builder.check_type("cast", ty, at);
        self.make(Kind::Cast(self.id), ty)
    }

    /// The same bits read as signed.
    #[track_caller]
    pub fn as_signed(self) -> Signal<'m> {
        self.cast(s(self.width()))
    }

    /// The same bits read as unsigned.
    #[track_caller]
    pub fn as_unsigned(self) -> Signal<'m> {
        self.cast(u(self.width()))
    }

    /// The same value as a signed number: one bit wider if it was unsigned.
    #[track_caller]
    pub fn to_signed(self) -> Signal<'m> {
        if self.ty.signed { self } else { self.cast(s(self.width() + 1)) }
    }

    /// This signal's bits above `low`'s.
    #[track_caller]
    pub fn cat(self, low: impl Into<Signal<'m>>) -> Signal<'m> {
        cat(&[self, low.into()])
    }

    /// The bits `count` times side by side.
    #[track_caller]
    pub fn repeat(self, count: u32) -> Signal<'m> {
        if count == 0 {
            let at = Place::here();
            self.builder.error(HdlError::WidthOutOfRange { at, what: "repeat".into(), width: 0 });
            return self.builder.poison(u(1), at);
        }
        cat(&vec![self; count.min(MAX_WIDTH + 1) as usize])
    }

    /// `if self { on_true } else { on_false }`. One of the two may be an integer.
    #[track_caller]
    pub fn mux(self, on_true: impl Operand<'m>, on_false: impl Operand<'m>) -> Signal<'m> {
        let at = Place::here();
        let (on_true, on_false) = match (on_true.signal(), on_false.signal()) {
            (Ok(on_true), on_false) => (on_true, or_integer(on_false, on_true)),
            (Err(integer), Ok(on_false)) => (or_integer(Err(integer), on_false), on_false),
            (Err(_), Err(_)) => {
                self.builder.error(HdlError::NoType { at, op: "mux" });
                return self.builder.poison(u(1), at);
            }
        };
        self.mux_at(on_true, on_false, at)
    }

    fn mux_at(self, on_true: Signal<'m>, on_false: Signal<'m>, at: Place) -> Signal<'m> {
        let owned = self.builder.owns(on_true, at) & self.builder.owns(on_false, at);
        if !owned || !self.builder.check_bit("the condition of mux", self, at) {
            return self.builder.poison(on_true.ty, at);
        }
        if on_true.ty != on_false.ty {
            let (left, right) =
                (self.builder.describe(on_true.id), self.builder.describe(on_false.id));
            self.builder.error(HdlError::OperandsDiffer { at, op: "mux", left, right });
            return self.builder.poison(on_true.ty, at);
        }
        let kind = Kind::Mux { select: self.id, on_true: on_true.id, on_false: on_false.id };
        self.builder.add(kind, on_true.ty, None, at)
    }

    /// The `self`-th of `choices`, which are of one type. There is one for every value of this
    /// unsigned signal, or fewer, and then the last one stands for the missing.
    #[track_caller]
    pub fn select(self, choices: &[Signal<'m>]) -> Signal<'m> {
        let _caller = Place::of_caller();
        let at = Place::here();
        let places = 1u128.checked_shl(self.width()).unwrap_or(u128::MAX);
        if choices.is_empty() || self.ty.signed || choices.len() as u128 > places {
            let (index, given) = (self.builder.describe(self.id), choices.len());
            self.builder.error(HdlError::SelectCount { at, index, places, given });
            return self.builder.poison(choices.first().map_or(u(1), |c| c.ty), at);
        }
        let last = choices[choices.len() - 1];
        let own = choices.iter().map(|choice| self.builder.owns(*choice, at));
        if !own.fold(true, |all, own| all & own) {
            return self.builder.poison(last.ty, at);
        }
        let choose = |bit: Signal<'m>, odd: Signal<'m>, even: Signal<'m>| {
            if odd.id == even.id { even } else { bit.mux_at(odd, even, at) }
        };
        let (mut level, mut bit) = (choices.to_vec(), 0);
        while level.len() > 1 {
            let select = self.bit(bit);
            bit += 1;
            let pair = |(place, pair): (usize, &[Signal<'m>])| {
                let odd = if pair.len() == 2 { pair[1] } else { last };
                let chosen = choose(select, odd, pair[0]);
                chosen.part(stretch(place << bit, 1 << bit, choices.len()))
            };
            level = level.chunks(2).enumerate().map(pair).collect();
        }
        if bit == self.width() {
            return level[0];
        }
        let beyond = self.slice(self.width() - 1, bit).any();
        choose(beyond, last, level[0])
    }
}

/// The operand, an integer as a constant of the type of the signal beside it.
#[track_caller]
fn or_integer<'m>(operand: Result<Signal<'m>, Int>, beside: Signal<'m>) -> Signal<'m> {
    match operand {
        Ok(signal) => signal,
        Err(integer) => beside.builder.lit(beside.ty, integer),
    }
}

/// Bit patterns side by side, most significant first. Unsigned.
#[track_caller]
pub fn cat<'m>(parts: &[Signal<'m>]) -> Signal<'m> {
    let at = Place::here();
    let [first, rest @ ..] = parts else {
        panic!("{}", HdlError::NoOperands { at, op: "cat" });
    };
    if rest.is_empty() {
        return first.as_unsigned();
    }
    let builder = first.builder;
    let width = parts.iter().fold(0u32, |sum, part| sum.saturating_add(part.width()));
    let ty = builder.check_type("cat", u(width), at);
    if !rest.iter().map(|part| builder.owns(*part, at)).fold(true, |all, own| all & own)
        || ty.width != width
    {
        return builder.poison(ty, at);
    }
    builder.add(Kind::Concat(parts.iter().map(|part| part.id).collect()), ty, None, at)
}

/// `if select { on_true } else { on_false }`.
#[track_caller]
pub fn mux<'m>(
    select: impl Into<Signal<'m>>,
    on_true: impl Operand<'m>,
    on_false: impl Operand<'m>,
) -> Signal<'m> {
    select.into().mux(on_true, on_false)
}

/// The part of a tree that is made of `span` of its `count` leaves from leaf `first` on.
pub(crate) fn stretch(first: usize, span: usize, count: usize) -> String {
    format!("of_{first}_to_{}", (first + span).min(count) - 1)
}

/// Combines signals in a balanced tree.
#[track_caller]
pub fn reduce<'m>(
    signals: &[Signal<'m>],
    mut combine: impl FnMut(Signal<'m>, Signal<'m>) -> Signal<'m>,
) -> Signal<'m> {
    let mut level = signals.to_vec();
    if level.is_empty() {
        panic!("{}", HdlError::NoOperands { at: Place::here(), op: "reduce" });
    }
    let mut span = 1;
    while level.len() > 1 {
        span *= 2;
        let join = |(at, pair): (usize, &[Signal<'m>])| match *pair {
            [a, b] => combine(a, b).part(stretch(at * span, span, signals.len())),
            _ => pair[0],
        };
        level = level.chunks(2).enumerate().map(join).collect();
    }
    level[0]
}
