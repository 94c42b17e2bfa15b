//! Clock domains. A module that names none gets `clk` with a synchronous, active-high `rst`;
//! both ports appear only if something uses them.

use super::{Fields, ModuleBuilder, Signal, Stream, field_name};
use crate::check::Unnamed;
use crate::error::HdlError;
use crate::netlist::{Clock, ClockId, Direction, Kind, NodeId, Port, Reset, ResetKind};
use crate::place::Place;
use crate::ty::u;
use std::sync::Arc;

/// Stands for the default domain until it is known.
const DEFAULT: ClockId = ClockId(u32::MAX);

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
        let (name, at) = (name.into(), Place::here());
        self.builder.check_name(&name, at);
        let what = format!("clock `{}`", self.name());
        if !self.builder.first_time("reset", self.id.index(), what, at) {
            return self;
        }
        if let Some(first) = self.builder.reset_use(self.id) {
            self.builder.error(HdlError::ResetTooLate { at, clock: self.name(), first });
            return self;
        }
        let plan = ResetPlan { name, kind, active_low };
        self.builder.draft.borrow_mut().resets[self.id.index()] = Some(plan);
        self
    }

    /// Makes this the domain of everything in the module that names none, wherever it stands: of
    /// registers, ports of memories, streams, promises.
    #[track_caller]
    pub fn default(self) -> Domain<'m> {
        let at = Place::here();
        match self.builder.default_clock.get() {
            Some((known, first)) if known != self.id => {
                let default = Domain { id: known, ..self }.name();
                let clock = self.name();
                self.builder.error(HdlError::DefaultTooLate { at, clock, default, first });
            }
            Some(_) => {}
            None => self.builder.default_clock.set(Some((self.id, at))),
        }
        self
    }

    pub(super) fn name(self) -> String {
        self.builder.draft.borrow().module.clocks[self.id.index()].name.to_string()
    }

    /// [`ModuleBuilder::promise`], looked at by this clock.
    #[track_caller]
    pub fn promise(self, message: impl Into<String>, condition: impl Into<Signal<'m>>) {
        self.builder.add_promise(self.id, message.into(), condition.into(), Place::here());
    }

    /// [`ModuleBuilder::stream_in`] in this domain.
    #[track_caller]
    pub fn stream_in(self, name: &str, fields: &Fields) -> Stream<'m> {
        self.builder.add_stream_in(self.id, (name, &field_name(name, "")), fields)
    }

    /// [`ModuleBuilder::stream_out`] in this domain.
    #[track_caller]
    pub fn stream_out(self, name: &str, stream: &Stream<'m>) {
        self.builder.add_stream_out(self.id, (name, &field_name(name, "")), stream);
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

    /// The domain of what names none: `clk` and `rst`, unless [`Domain::default`] was said before.
    #[track_caller]
    pub fn domain(&self) -> Domain<'_> {
        let at = self.default_wanted.get().unwrap_or(Place::here());
        Domain { builder: self, id: self.default_clock_id(at) }
    }

    fn add_clock(&self, name: Arc<str>, place: Place) -> ClockId {
        let mut draft = self.draft.borrow_mut();
        let id = ClockId::new(draft.module.clocks.len());
        draft.module.clocks.push(Clock { name, reset: None, place });
        draft.resets.push(None);
        id
    }

    pub(super) fn default_clock_id(&self, place: Place) -> ClockId {
        if let Some((id, _)) = self.default_clock.get() {
            return id;
        }
        self.check_port_name("clk", place);
        let id = self.add_clock("clk".into(), place);
        let plan = ResetPlan { name: "rst".into(), kind: ResetKind::Sync, active_low: false };
        self.draft.borrow_mut().resets[id.index()] = Some(plan);
        self.default_clock.set(Some((id, place)));
        id
    }

    /// Stands for the default domain, which may be said later, until the module is finished.
    pub(super) fn default_clock_later(&self, place: Place) -> ClockId {
        if self.default_wanted.get().is_none() {
            self.default_wanted.set(Some(place));
        }
        DEFAULT
    }

    /// Puts the default domain where it is wanted. Returns it with the streams and promises that
    /// it was put into.
    pub(super) fn resolve_default(&self) -> Option<(ClockId, Vec<Unnamed>)> {
        let default = self.default_clock_id(self.default_wanted.get()?);
        let module = &mut self.draft.borrow_mut().module;
        let mut unnamed = vec![];
        for promise in module.assertions.iter_mut().filter(|promise| promise.clock == DEFAULT) {
            promise.clock = default;
            let (what, place) = (format!("promise `{}`", promise.message), promise.place);
            unnamed.push(Unnamed { what, node: promise.condition, place });
        }
        for stream in module.streams.iter_mut().filter(|stream| stream.clock == DEFAULT) {
            stream.clock = default;
            let ours = if stream.direction == Direction::In { stream.ready } else { stream.valid };
            let (what, place) = (format!("stream `{}`", stream.name), stream.place);
            unnamed.push(Unnamed { what, node: ours, place });
        }
        for memory in &mut module.memories {
            let writes = memory.writes.iter_mut().map(|write| &mut write.clock);
            let reads = memory.reads.iter_mut().filter_map(|read| read.sync.as_mut());
            let clocks = writes.chain(reads.map(|(clock, _)| clock));
            clocks.filter(|clock| **clock == DEFAULT).for_each(|clock| *clock = default);
        }
        Some((default, unnamed))
    }

    /// Where the reset of a clock was first used, if it was.
    fn reset_use(&self, clock: ClockId) -> Option<Place> {
        let module = &self.draft.borrow().module;
        let reset = module.clocks[clock.index()].reset.as_ref()?;
        Some(module.node(reset.signal).place)
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
        draft.module.inputs.push(Port { name, doc: "".into(), node: signal, ty: u(1), place: at });
        let reset = Reset { signal, kind: plan.kind, active_low: plan.active_low };
        draft.module.clocks[clock.index()].reset = Some(reset);
        Some(signal)
    }
}
