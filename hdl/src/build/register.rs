//! Registers.

use super::{Domain, ModuleBuilder, Operand, Signal};
use crate::error::HdlError;
use crate::netlist::{ClockId, Kind, NodeId, Register, RegisterId};
use crate::place::Place;
use crate::ty::{Int, Type};
use std::ops::Deref;
use std::sync::Arc;

/// What the author has said about a register; resolved when the module is finished, since
/// `reset`, `clear` and the clock may be given in any order.
pub(super) struct RegisterPlan {
    pub(super) clock: Option<ClockId>,
    pub(super) reset: bool,
    pub(super) reset_value: Int,
    pub(super) place: Place,
}

/// A register: reads as its content, set with [`Reg::next`].
///
/// At a rising edge the reset sets the reset value (0 unless said), else `clear` does, else it
/// takes over `next` if `enable` is 1.
#[derive(Clone, Copy)]
pub struct Reg<'m> {
    signal: Signal<'m>,
    id: RegisterId,
}

impl<'m> Deref for Reg<'m> {
    type Target = Signal<'m>;

    fn deref(&self) -> &Signal<'m> {
        &self.signal
    }
}

impl<'m> From<Reg<'m>> for Signal<'m> {
    fn from(reg: Reg<'m>) -> Signal<'m> {
        reg.signal
    }
}

impl<'m> Reg<'m> {
    fn builder(&self) -> &'m ModuleBuilder {
        self.signal.builder()
    }

    fn name(&self) -> String {
        self.builder().describe(self.signal.id())
    }

    fn with(self, change: impl FnOnce(&mut Register)) -> Reg<'m> {
        change(&mut self.builder().draft.borrow_mut().module.registers[self.id.index()]);
        self
    }

    fn plan(self, change: impl FnOnce(&mut RegisterPlan)) -> Reg<'m> {
        change(&mut self.builder().draft.borrow_mut().register_plans[self.id.index()]);
        self
    }

    /// Whether the author says this of the register for the first time; notes an error if not.
    fn first(&self, setting: &'static str, at: Place) -> bool {
        let what = format!("register `{}`", self.name());
        self.builder().first_time(setting, self.id.index(), what, at)
    }

    fn bit(&self, role: &str, value: Signal<'m>, at: Place) -> Option<NodeId> {
        let role = format!("{role} of register `{}`", self.name());
        let fits = self.builder().owns(value, at) && self.builder().check_bit(&role, value, at);
        fits.then(|| value.id())
    }

    /// The value to take over at the next rising edge.
    #[track_caller]
    pub fn next(self, value: impl Operand<'m>) -> Reg<'m> {
        let at = Place::here();
        let value = value.resolve(self.signal);
        if !self.builder().owns(value, at) {
            return self;
        }
        let target = format!("register `{}`", self.name());
        let first = self.builder().draft.borrow_mut().driven[self.id.index()].replace(at);
        if let Some(first) = first {
            self.builder().error(HdlError::DrivenTwice { at, what: target, first });
            return self;
        }
        if value.ty() != self.ty() {
            let value = self.builder().describe(value.id());
            self.builder().error(HdlError::DriveType { at, target, value });
            return self;
        }
        self.with(|register| register.next = value.id())
    }

    /// Takes over `next` only when `enable` is 1.
    #[track_caller]
    pub fn enable(self, enable: impl Into<Signal<'m>>) -> Reg<'m> {
        let at = Place::here();
        match self.bit("enable", enable.into(), at) {
            Some(id) if self.first("enable", at) => {
                self.with(|register| register.enable = Some(id))
            }
            _ => self,
        }
    }

    /// Sets the reset value when `clear` is 1, enabled or not.
    #[track_caller]
    pub fn clear(self, clear: impl Into<Signal<'m>>) -> Reg<'m> {
        let at = Place::here();
        match self.bit("clear", clear.into(), at) {
            Some(id) if self.first("clear", at) => self.with(|register| register.clear = Some(id)),
            _ => self,
        }
    }

    /// The value after reset (and `clear`) in place of 0.
    #[track_caller]
    pub fn reset_to(self, value: impl Into<Int>) -> Reg<'m> {
        let (value, at, ty) = (value.into(), Place::here(), self.ty());
        if !ty.holds(&value) {
            self.builder().error(HdlError::ConstantDoesNotFit { at, value, ty });
            return self;
        }
        if !self.first("reset_to", at) {
            return self;
        }
        self.plan(|plan| plan.reset_value = value)
    }

    /// Leaves the register out of the reset: right for data that a valid bit guards.
    pub fn no_reset(self) -> Reg<'m> {
        self.plan(|plan| plan.reset = false)
    }

    /// Puts the register into a clock domain other than the default.
    #[track_caller]
    pub fn domain(self, domain: Domain<'m>) -> Reg<'m> {
        let at = Place::here();
        if !self.builder().owns_domain(domain, at) || !self.first("domain", at) {
            return self;
        }
        self.plan(|plan| plan.clock = Some(domain.id))
    }
}

impl ModuleBuilder {
    /// A register in the default clock domain, reset to 0.
    #[track_caller]
    pub fn reg(&self, name: impl Into<String>, ty: Type) -> Reg<'_> {
        let (name, place) = (name.into(), Place::here());
        self.check_name(&name, place);
        let ty = self.check_type(&format!("register `{name}`"), ty, place);
        let id = RegisterId::new(self.draft.borrow().module.registers.len());
        let signal = self.add(Kind::Register(id), ty, Some(Arc::from(name)), place);
        let mut draft = self.draft.borrow_mut();
        draft.module.registers.push(Register {
            node: signal.id(),
            clock: ClockId::new(0),
            next: signal.id(),
            reset_value: None,
            clear: None,
            clear_value: Int::ZERO,
            enable: None,
        });
        draft.driven.push(None);
        let plan = RegisterPlan { clock: None, reset: true, reset_value: Int::ZERO, place };
        draft.register_plans.push(plan);
        Reg { signal, id }
    }

    /// Settles clock and reset of every register.
    pub(super) fn resolve_registers(&self) {
        let count = self.draft.borrow().register_plans.len();
        for index in 0..count {
            let (clock, reset, value, place, node, driven) = {
                let draft = self.draft.borrow();
                let plan = &draft.register_plans[index];
                let node = draft.module.registers[index].node;
                let value = plan.reset_value.clone();
                (plan.clock, plan.reset, value, plan.place, node, draft.driven[index])
            };
            let name = self.describe(node);
            if driven.is_none() {
                let (what, how) = ("register", "next");
                self.error(HdlError::Undriven { at: place, what, name: name.clone(), how });
            }
            let unused = !reset && self.draft.borrow().module.registers[index].clear.is_none();
            if unused && self.draft.borrow().said.contains_key(&("reset_to", index)) {
                let (at, what) = (place, format!("register `{name}`"));
                self.error(HdlError::ResetToWithoutReset { at, what });
            }
            let clock = clock.unwrap_or_else(|| self.default_clock_id(place));
            let reset =
                reset && self.reset_signal(clock, &format!("register `{name}`"), place).is_some();
            let mut draft = self.draft.borrow_mut();
            let register = &mut draft.module.registers[index];
            register.clock = clock;
            register.clear_value = value.clone();
            register.reset_value = reset.then_some(value);
        }
    }
}
