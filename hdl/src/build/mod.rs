//! Building a module: ports, constants, wires, clocks, and the checks at the end.
//!
//! A [`ModuleBuilder`] hands out [`Signal`]s, which are `Copy` and carry the operators. A mistake
//! is noted with the author's line and building goes on; [`ModuleBuilder::try_finish`] returns
//! all of them, [`ModuleBuilder::finish`] ends the program with their text.
//!
//! ```
//! use hwgen_hdl::{ModuleBuilder, s, u};
//!
//! let m = ModuleBuilder::new("mac");
//! let (clear, w, x) = (m.input("clear", u(1)), m.input("w", s(8)), m.input("x", s(8)));
//! let sum = m.reg("sum", s(32)).clear(clear);
//! let prod = w.mul(x).named("prod"); // full precision: 16 bits
//! sum.next(sum + prod.extend(32));
//! m.output("acc", sum);
//! assert!(m.finish().verilog().unwrap().contains("sum <= sum + "));
//! ```

mod bundle;
mod clock;
mod finish;
mod instance;
mod memory;
mod operand;
mod operators;
mod register;
mod signal;
mod stream;
mod wire;

pub use bundle::{Bundle, Fields, fields};
pub use clock::Domain;
pub use instance::InstanceBuilder;
pub use memory::{MAX_DEPTH, MemoryBuilder};
pub use operand::{Amount, Operand};
pub use register::Reg;
pub(crate) use signal::stretch;
pub use signal::{Signal, cat, mux, reduce};
pub use stream::{Stream, field_name};
pub use wire::Wire;

use crate::error::HdlError;
use crate::netlist::*;
use crate::place::Place;
use crate::ty::{Int, MAX_WIDTH, Type};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

/// A module under construction.
pub struct ModuleBuilder {
    draft: RefCell<Draft>,
    /// The default domain, once it is settled, and where that was.
    default_clock: Cell<Option<(ClockId, Place)>>,
    /// The first line that needs a default domain, whichever it will be.
    default_wanted: Cell<Option<Place>>,
}

/// What is known so far.
struct Draft {
    module: Module,
    /// For each register, where `next` was given.
    driven: Vec<Option<Place>>,
    /// For each clock, the name, kind and polarity of the reset that appears once it is needed.
    resets: Vec<Option<clock::ResetPlan>>,
    /// Registers that must stay out of their clock's reset, and their reset values.
    register_plans: Vec<register::RegisterPlan>,
    /// For each instance, its inputs and clocks as far as they are connected.
    instance_plans: Vec<instance::InstancePlan>,
    /// What may be said once of a part, and was: the setting, the part's position, the line.
    said: HashMap<(&'static str, usize), Place>,
    errors: Vec<HdlError>,
}

impl ModuleBuilder {
    /// Starts a module; `name` is its name in Verilog.
    #[track_caller]
    pub fn new(name: impl Into<String>) -> ModuleBuilder {
        let name: String = name.into();
        let place = Place::here();
        let errors = name_error(&name, place).into_iter().collect();
        let module = Module::empty(name.into(), place);
        ModuleBuilder {
            draft: RefCell::new(Draft {
                module,
                driven: vec![],
                resets: vec![],
                register_plans: vec![],
                instance_plans: vec![],
                said: HashMap::new(),
                errors,
            }),
            default_clock: Cell::new(None),
            default_wanted: Cell::new(None),
        }
    }

    /// Says what the module is; printed above it.
    pub fn doc(&self, text: impl Into<String>) {
        self.draft.borrow_mut().module.doc = text.into();
    }

    /// Records a parameter the module was built from; printed in its header.
    pub fn parameter(&self, name: impl Into<String>, value: impl std::fmt::Display) {
        self.draft.borrow_mut().module.parameters.push((name.into(), value.to_string()));
    }

    /// An input port.
    #[track_caller]
    pub fn input(&self, name: impl Into<String>, ty: Type) -> Signal<'_> {
        let (name, place) = (name.into(), Place::here());
        self.check_port_name(&name, place);
        let ty = self.check_type(&format!("input `{name}`"), ty, place);
        let name: Arc<str> = name.into();
        let node = self.add(Kind::Input, ty, Some(name.clone()), place);
        let port = Port { name, doc: "".into(), node: node.id(), ty, place };
        self.draft.borrow_mut().module.inputs.push(port);
        node
    }

    /// An output port that shows `value`.
    #[track_caller]
    pub fn output<'m>(&'m self, name: impl Into<String>, value: impl Into<Signal<'m>>) {
        let (name, value, place) = (name.into(), value.into(), Place::here());
        self.check_port_name(&name, place);
        if !self.owns(value, place) {
            return;
        }
        let (node, ty) = (value.id(), value.ty());
        let port = Port { name: name.into(), doc: "".into(), node, ty, place };
        self.draft.borrow_mut().module.outputs.push(port);
    }

    /// Says what a port carries; printed above it.
    #[track_caller]
    pub fn port_doc(&self, port: &str, text: impl Into<Arc<str>>) {
        let mut draft = self.draft.borrow_mut();
        let Module { inputs, outputs, .. } = &mut draft.module;
        match inputs.iter_mut().chain(outputs).find(|known| *known.name == *port) {
            Some(known) => known.doc = text.into(),
            None => {
                drop(draft);
                self.error(HdlError::NoPort { at: Place::here(), port: port.to_string() });
            }
        }
    }

    /// A constant of the given type.
    #[track_caller]
    pub fn lit(&self, ty: Type, value: impl Into<Int>) -> Signal<'_> {
        let (value, place) = (value.into(), Place::here());
        let ty = self.check_type("constant", ty, place);
        if !ty.holds(&value) {
            self.error(HdlError::ConstantDoesNotFit { at: place, value, ty });
            return self.poison(ty, place);
        }
        self.add(Kind::Constant(value), ty, None, place)
    }

    /// A net that is driven later, with [`Wire::drive`].
    #[track_caller]
    pub fn wire(&self, name: impl Into<String>, ty: Type) -> Wire<'_> {
        let (name, place) = (name.into(), Place::here());
        self.check_name(&name, place);
        let ty = self.check_type(&format!("wire `{name}`"), ty, place);
        Wire(self.add(Kind::Wire(None), ty, Some(name.into()), place))
    }

    /// Promises that `condition` is 1 at every rising edge of the default clock outside reset;
    /// simulations check it. [`Domain::promise`] does so for another clock.
    #[track_caller]
    pub fn promise<'m>(&'m self, message: impl Into<String>, condition: impl Into<Signal<'m>>) {
        let place = Place::here();
        let clock = self.default_clock_later(place);
        self.add_promise(clock, message.into(), condition.into(), place);
    }

    fn add_promise(&self, clock: ClockId, message: String, condition: Signal<'_>, place: Place) {
        if !self.owns(condition, place) || !self.check_bit("promise", condition, place) {
            return;
        }
        let message = message.into();
        let promise = Assertion { message, clock, condition: condition.id(), place };
        self.draft.borrow_mut().module.assertions.push(promise);
    }

    fn add(&self, kind: Kind, ty: Type, name: Option<Arc<str>>, place: Place) -> Signal<'_> {
        let mut draft = self.draft.borrow_mut();
        let id = NodeId::new(draft.module.nodes.len());
        draft.module.nodes.push(Node { kind, ty, name, called: None, place });
        Signal::new(self, id, ty)
    }

    /// What stands in for the result of a mistaken operation, so that building can go on.
    fn poison(&self, ty: Type, place: Place) -> Signal<'_> {
        self.add(Kind::Constant(Int::ZERO), ty, None, place)
    }

    fn error(&self, error: HdlError) {
        self.draft.borrow_mut().errors.push(error);
    }

    /// Whether the author says this of a part for the first time; notes an error if not.
    fn first_time(&self, setting: &'static str, part: usize, what: String, at: Place) -> bool {
        let known = self.draft.borrow().said.get(&(setting, part)).copied();
        match known {
            Some(first) => self.error(HdlError::SaidTwice { at, what, setting, first }),
            None => drop(self.draft.borrow_mut().said.insert((setting, part), at)),
        }
        known.is_none()
    }

    fn describe(&self, id: NodeId) -> String {
        self.draft.borrow().module.describe(id)
    }

    fn check_type(&self, what: &str, ty: Type, at: Place) -> Type {
        if (1..=MAX_WIDTH).contains(&ty.width) {
            return ty;
        }
        let (what, width) = (what.to_string(), u64::from(ty.width));
        self.error(HdlError::WidthOutOfRange { at, what, width });
        ty.with_width(1)
    }

    fn check_bit(&self, role: &str, signal: Signal<'_>, at: Place) -> bool {
        let fits = signal.ty() == crate::ty::u(1);
        if !fits {
            let (role, got) = (role.to_string(), self.describe(signal.id()));
            self.error(HdlError::NotOneBit { at, role, got });
        }
        fits
    }

    /// Whether the signal was made by this builder.
    fn owns(&self, signal: Signal<'_>, at: Place) -> bool {
        let own = std::ptr::eq(self, signal.builder());
        if !own {
            let signal = signal.builder().describe(signal.id());
            self.error(HdlError::ForeignSignal { at, signal });
        }
        own
    }

    /// Whether the domain was made by this builder.
    fn owns_domain(&self, domain: Domain<'_>, at: Place) -> bool {
        let own = std::ptr::eq(self, domain.builder);
        if !own {
            let clock = domain.name();
            self.error(HdlError::ForeignDomain { at, clock });
        }
        own
    }

    fn check_name(&self, name: &str, at: Place) {
        if let Some(error) = name_error(name, at) {
            self.error(error);
        }
    }

    fn check_port_name(&self, name: &str, at: Place) {
        self.check_name(name, at);
        let taken = {
            let module = &self.draft.borrow().module;
            let mut ports = module.inputs.iter().chain(&module.outputs);
            ports.any(|port| *port.name == *name) || module.clocks.iter().any(|c| *c.name == *name)
        };
        if taken {
            self.error(HdlError::DuplicatePort { at, name: name.to_string() });
        }
    }
}

/// Names must be plain Verilog identifiers, so that what the author wrote is what he reads.
fn name_error(name: &str, at: Place) -> Option<HdlError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let why = if name.is_empty() {
        "it is empty"
    } else if name.len() > 200 {
        "it is longer than 200 characters"
    } else if !name.chars().all(plain) {
        "only letters, digits and `_` may stand in a name"
    } else if name.starts_with(|c: char| c.is_ascii_digit()) {
        "it starts with a digit"
    } else {
        crate::verilog::reserved(name)?
    };
    let name = name.chars().take(80).collect();
    Some(HdlError::BadName { at, name, why })
}
