//! Nets that are driven late.

use super::{Operand, Signal};
use crate::error::HdlError;
use crate::netlist::Kind;
use crate::place::Place;
use std::ops::Deref;

/// A net that is read before its driver is known; drive it once with [`Wire::drive`].
#[derive(Clone, Copy)]
pub struct Wire<'m>(pub(super) Signal<'m>);

impl<'m> Deref for Wire<'m> {
    type Target = Signal<'m>;

    fn deref(&self) -> &Signal<'m> {
        &self.0
    }
}

impl<'m> From<Wire<'m>> for Signal<'m> {
    fn from(wire: Wire<'m>) -> Signal<'m> {
        wire.0
    }
}

impl<'m> Wire<'m> {
    /// Says what drives the net.
    #[track_caller]
    pub fn drive(self, value: impl Operand<'m>) {
        let (at, builder) = (Place::here(), self.0.builder());
        let value = value.resolve(self.0);
        if !builder.owns(value, at) {
            return;
        }
        let target = format!("wire `{}`", builder.describe(self.0.id()));
        let described = builder.describe(value.id());
        let mut draft = builder.draft.borrow_mut();
        let previous = match draft.module.nodes[self.0.id().index()].kind {
            Kind::Wire(driver) => driver,
            _ => None,
        };
        if let Some(first) = previous {
            let first = draft.module.nodes[first.index()].place;
            draft.errors.push(HdlError::DrivenTwice { at, what: target, first });
            return;
        }
        draft.module.nodes[self.0.id().index()].kind = Kind::Wire(Some(value.id()));
        if value.ty() != self.0.ty() {
            draft.errors.push(HdlError::DriveType { at, target, value: described });
        }
    }
}
