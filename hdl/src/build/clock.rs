//! Clock domains. A module that names none gets `clk` with a synchronous, active-high `rst`;
//! both ports appear only if something uses them.

use super::{ModuleBuilder, Signal};
use crate::error::HdlError;
use crate::netlist::{Clock, ClockId, Kind, NodeId, Port, Reset, ResetKind};
use crate::place::Place;
use crate::ty::u;
use std::sync::Arc;

/// The reset a clock domain will have once something needs it.
#[derive(Clone, Debug)]
pub(super) struct ResetPlan {
    name: String,
    kind: ResetKind,
    active_low: bool,
}

/// A clock domain of a module under construction.
#[derive(Clone, Copy)]
pub struct Domain<'m> {
    pub(super) builder: &'m ModuleBuilder,
    pub(super) id: ClockId,
}

impl<'m> Domain<'m> {
    /// Gives the domain a synchronous reset, active high.
    #[track_caller]
    pub fn sync_reset(self, name: impl Into<String>) -> Domain<'m> {
        self.reset(name, ResetKind::Sync, false)
    }

    /// Gives the domain an asynchronous reset, active high.
    #[track_caller]
    pub fn async_reset(self, name: impl Into<String>) -> Domain<'m> {
        self.reset(name, ResetKind::Async, false)
    }

    /// Gives the domain a reset of any kind.
    #[track_caller]
    pub fn reset(self, name: impl Into<String>, kind: ResetKind, active_low: bool) -> Domain<'m> {
        let name = name.into();
        self.builder.check_name(&name, Place::here());
        let plan = ResetPlan { name, kind, active_low };
        self.builder.draft.borrow_mut().resets[self.id.index()] = Some(plan);
        self
    }

    /// Makes this the domain of registers and ports that name none.
    pub fn default(self) -> Domain<'m> {
        self.builder.default_clock.set(Some(self.id));
        self
    }

    /// The domain's reset as a signal, 1 while in reset.
    #[track_caller]
    pub fn in_reset(self) -> Signal<'m> {
        let place = Place::here();
        let Some(id) = self.builder.reset_signal(self.id, "`in_reset`", place) else {
            return self.builder.poison(u(1), place);
        };
        let signal = Signal::new(self.builder, id, u(1));
        let draft = self.builder.draft.borrow();
        let low = draft.module.clocks[self.id.index()].reset.as_ref().is_some_and(|r| r.active_low);
        drop(draft);
        if low { !signal } else { signal }
    }
}

impl ModuleBuilder {
    /// A clock port, without reset as yet.
    #[track_caller]
    pub fn clock(&self, name: impl Into<String>) -> Domain<'_> {
        let (name, place) = (name.into(), Place::here());
        self.check_port_name(&name, place);
        Domain { builder: self, id: self.add_clock(name.into(), place) }
    }

    /// The domain of registers that name none: `clk` and `rst` unless set otherwise.
    #[track_caller]
    pub fn domain(&self) -> Domain<'_> {
        Domain { builder: self, id: self.default_clock_id(Place::here()) }
    }

    fn add_clock(&self, name: Arc<str>, place: Place) -> ClockId {
        let mut draft = self.draft.borrow_mut();
        let id = ClockId::new(draft.module.clocks.len());
        draft.module.clocks.push(Clock { name, reset: None, place });
        draft.resets.push(None);
        id
    }

    pub(super) fn default_clock_id(&self, place: Place) -> ClockId {
        if let Some(id) = self.default_clock.get() {
            return id;
        }
        self.check_port_name("clk", place);
        let id = self.add_clock("clk".into(), place);
        let plan = ResetPlan { name: "rst".into(), kind: ResetKind::Sync, active_low: false };
        self.draft.borrow_mut().resets[id.index()] = Some(plan);
        self.default_clock.set(Some(id));
        id
    }

    /// The input that resets `clock`, added on first need. `user` names who needs it.
    pub(super) fn reset_signal(&self, clock: ClockId, user: &str, at: Place) -> Option<NodeId> {
        let (present, plan, name) = {
            let draft = self.draft.borrow();
            let known = &draft.module.clocks[clock.index()];
            (known.reset.clone(), draft.resets[clock.index()].clone(), known.name.to_string())
        };
        if let Some(reset) = present {
            return Some(reset.signal);
        }
        let Some(plan) = plan else {
            self.error(HdlError::NoReset { at, clock: name, user: user.to_string() });
            return None;
        };
        self.check_port_name(&plan.name, at);
        let name: Arc<str> = plan.name.into();
        let signal = self.add(Kind::Input, u(1), Some(name.clone()), at).id();
        let mut draft = self.draft.borrow_mut();
        draft.module.inputs.push(Port { name, node: signal, ty: u(1), place: at });
        let reset = Reset { signal, kind: plan.kind, active_low: plan.active_low };
        draft.module.clocks[clock.index()].reset = Some(reset);
        Some(signal)
    }
}
