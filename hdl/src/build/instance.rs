//! Modules inside modules.

use super::{Domain, ModuleBuilder, Operand, Signal};
use crate::error::HdlError;
use crate::netlist::{ClockId, Instance, InstanceId, Kind, Module, NodeId, Port};
use crate::place::Place;
use crate::ty::u;
use std::sync::Arc;

/// What is connected so far.
pub(super) struct InstancePlan {
    inputs: Vec<Option<(NodeId, Place)>>,
    clocks: Vec<Option<(ClockId, Place)>>,
}

/// An instance under construction: connect inputs, read outputs, in any order.
///
/// Clocks and resets connect themselves: a clock to the parent's clock of the same name, else to
/// the parent's default domain; a reset to the reset of that domain.
#[derive(Clone, Copy)]
pub struct InstanceBuilder<'m> {
    builder: &'m ModuleBuilder,
    id: InstanceId,
}

impl ModuleBuilder {
    /// Puts `module` inside this one.
    #[track_caller]
    pub fn instance(&self, name: impl Into<String>, module: &Arc<Module>) -> InstanceBuilder<'_> {
        let (name, place) = (name.into(), Place::here());
        self.check_name(&name, place);
        let mut draft = self.draft.borrow_mut();
        let id = InstanceId::new(draft.module.instances.len());
        draft.module.instances.push(Instance {
            name: name.into(),
            module: module.clone(),
            inputs: vec![],
            outputs: vec![None; module.outputs.len()],
            clocks: vec![],
            place,
        });
        draft.instance_plans.push(InstancePlan {
            inputs: vec![None; module.inputs.len()],
            clocks: vec![None; module.clocks.len()],
        });
        InstanceBuilder { builder: self, id }
    }
}

fn position(ports: &[Port], name: &str) -> Option<usize> {
    ports.iter().position(|port| *port.name == *name)
}

impl<'m> InstanceBuilder<'m> {
    /// The builder the instance stands in.
    pub(super) fn parent(&self) -> &'m ModuleBuilder {
        self.builder
    }

    /// The instantiated module.
    pub fn module(&self) -> Arc<Module> {
        self.builder.draft.borrow().module.instances[self.id.index()].module.clone()
    }

    fn name(&self) -> String {
        self.builder.draft.borrow().module.instances[self.id.index()].name.to_string()
    }

    /// The name of a net of ours that belongs to the instance's port.
    pub(super) fn net_name(&self, port: &str) -> String {
        format!("{}_{port}", self.name())
    }

    fn no_such_port(&self, direction: &'static str, port: &str, names: Vec<String>, at: Place) {
        let (instance, module) = (self.name(), self.module().name.to_string());
        let available = match names.is_empty() {
            true => "none".to_string(),
            false => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        };
        let port = port.to_string();
        self.builder.error(HdlError::NoSuchPort {
            at,
            instance,
            module,
            direction,
            port,
            available,
        });
    }

    /// Drives an input.
    #[track_caller]
    pub fn input(self, port: &str, value: impl Operand<'m>) -> InstanceBuilder<'m> {
        let (at, module) = (Place::here(), self.module());
        let Some(index) = position(&module.inputs, port) else {
            self.no_such_port("input", port, names(&module.inputs), at);
            return self;
        };
        let ty = module.inputs[index].ty;
        let value = value.resolve_type(self.builder, ty);
        let target = format!("input `{port}: {ty}` of instance `{}`", self.name());
        if !self.builder.owns(value, at) {
            return self;
        }
        if value.ty() != ty {
            let value = self.builder.describe(value.id());
            self.builder.error(HdlError::DriveType { at, target, value });
            return self;
        }
        let first = {
            let mut draft = self.builder.draft.borrow_mut();
            let slot = &mut draft.instance_plans[self.id.index()].inputs[index];
            let first = slot.map(|(_, first)| first);
            *slot = Some((value.id(), at));
            first
        };
        if let Some(first) = first {
            self.builder.error(HdlError::DrivenTwice { at, what: target, first });
        }
        self
    }

    /// Reads an output.
    #[track_caller]
    pub fn output(self, port: &str) -> Signal<'m> {
        let (at, module) = (Place::here(), self.module());
        let Some(index) = position(&module.outputs, port) else {
            self.no_such_port("output", port, names(&module.outputs), at);
            return self.builder.poison(u(1), at);
        };
        let ty = module.outputs[index].ty;
        let known = self.builder.draft.borrow().module.instances[self.id.index()].outputs[index];
        if let Some(id) = known {
            return Signal::new(self.builder, id, ty);
        }
        let name = Arc::from(self.net_name(port));
        let kind = Kind::InstanceOutput { instance: self.id, port: index };
        let signal = self.builder.add(kind, ty, Some(name), at);
        self.builder.draft.borrow_mut().module.instances[self.id.index()].outputs[index] =
            Some(signal.id());
        signal
    }

    /// Connects a clock of the module (and its reset, unless driven) to a domain.
    #[track_caller]
    pub fn clock(self, clock: &str, domain: Domain<'m>) -> InstanceBuilder<'m> {
        let (at, module) = (Place::here(), self.module());
        if !self.builder.owns_domain(domain, at) {
            return self;
        }
        match module.clocks.iter().position(|known| *known.name == *clock) {
            Some(index) => {
                let first = {
                    let mut draft = self.builder.draft.borrow_mut();
                    let slot = &mut draft.instance_plans[self.id.index()].clocks[index];
                    slot.replace((domain.id, at))
                };
                if let Some((_, first)) = first {
                    let what = format!("clock `{clock}` of instance `{}`", self.name());
                    self.builder.error(HdlError::DrivenTwice { at, what, first });
                }
            }
            None => {
                let names = module.clocks.iter().map(|clock| clock.name.to_string()).collect();
                self.no_such_port("clock", clock, names, at);
            }
        }
        self
    }
}

fn names(ports: &[Port]) -> Vec<String> {
    ports.iter().map(|port| port.name.to_string()).collect()
}

impl ModuleBuilder {
    /// Connects clocks and resets that the author left to us, and reports open inputs.
    pub(super) fn resolve_instances(&self) {
        let count = self.draft.borrow().instance_plans.len();
        for index in 0..count {
            let (module, name, at, given) = {
                let draft = self.draft.borrow();
                let instance = &draft.module.instances[index];
                let given = draft.instance_plans[index].clocks.clone();
                (instance.module.clone(), instance.name.clone(), instance.place, given)
            };
            let clocks: Vec<_> = (module.clocks.iter().zip(given))
                .map(|(clock, given)| {
                    let given = given.map(|(clock, _)| clock);
                    given.or_else(|| self.matching_clock(&clock.name, at, &module))
                })
                .collect();
            for (clock, _) in module.clocks.iter().zip(&clocks).filter(|(_, c)| c.is_none()) {
                let clock = clock.name.to_string();
                let (instance, module) = (name.to_string(), module.name.to_string());
                self.error(HdlError::OpenClock { at, instance, module, clock });
            }
            let inputs = (0..module.inputs.len())
                .map(|port| self.resolve_input(index, port, &module, &clocks))
                .collect();
            let fallback = ClockId::new(0);
            let mut draft = self.draft.borrow_mut();
            let instance = &mut draft.module.instances[index];
            instance.inputs = inputs;
            instance.clocks = clocks.into_iter().map(|clock| clock.unwrap_or(fallback)).collect();
        }
    }

    /// The parent's clock of that name, or the default domain of a parent if there is no doubt:
    /// the module has one clock only.
    fn matching_clock(&self, name: &str, at: Place, module: &Module) -> Option<ClockId> {
        let known = {
            let draft = self.draft.borrow();
            draft.module.clocks.iter().position(|clock| *clock.name == *name).map(ClockId::new)
        };
        known.or_else(|| (module.clocks.len() == 1).then(|| self.default_clock_id(at)))
    }

    fn resolve_input(
        &self,
        index: usize,
        port: usize,
        module: &Module,
        clocks: &[Option<ClockId>],
    ) -> NodeId {
        let (given, instance, at) = {
            let draft = self.draft.borrow();
            let instance = &draft.module.instances[index];
            let given = draft.instance_plans[index].inputs[port];
            (given, instance.name.to_string(), instance.place)
        };
        if let Some((id, _)) = given {
            return id;
        }
        let input = &module.inputs[port];
        let mut resets = module.clocks.iter().zip(clocks).filter_map(|(clock, parent)| {
            let reset = clock.reset.as_ref().filter(|reset| reset.signal == input.node)?;
            Some((reset.active_low, (*parent)?))
        });
        if let Some((active_low, parent)) = resets.next() {
            let user = format!("instance `{instance}`");
            let reset = self.reset_signal(parent, &user, at);
            let Some(id) = reset else {
                return self.poison(u(1), at).id();
            };
            let own_low = {
                let draft = self.draft.borrow();
                let clock = &draft.module.clocks[parent.index()];
                clock.reset.as_ref().is_some_and(|reset| reset.active_low)
            };
            let signal = Signal::new(self, id, u(1));
            return if own_low == active_low { id } else { (!signal).id() };
        }
        let (module, port) = (module.name.to_string(), input.name.to_string());
        self.error(HdlError::OpenPort { at, instance, module, port });
        self.poison(input.ty, at).id()
    }
}
