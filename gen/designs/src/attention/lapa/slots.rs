//! A few places that are filled in order, oldest first, and emptied in any.

use crate::wiring::pack;
use hwgen_hdl::lib::priority_encoder::{Priority, priority_encoder};
use hwgen_hdl::{Bundle, ModuleBuilder, Reg, Signal, u};

/// One of them.
struct Slot<'m> {
    valid: Reg<'m>,
    fields: Vec<(String, Reg<'m>)>,
}

/// The places; what is behind an emptied one moves up.
pub(super) struct Slots<'m>(Vec<Slot<'m>>);

impl<'m> Slots<'m> {
    /// So many, of the fields that `incoming` has.
    pub(super) fn new(m: &'m ModuleBuilder, count: u32, incoming: &Bundle<'m>) -> Slots<'m> {
        let slot = |k: u32| Slot {
            valid: m.reg(format!("slot_{k}"), u(1)),
            fields: (incoming.iter())
                .map(|(name, value)| {
                    (name.to_owned(), m.reg(format!("slot_{k}_{name}"), value.ty()).no_reset())
                })
                .collect(),
        };
        Slots((0..count).map(slot).collect())
    }

    fn row(&self, k: usize) -> Bundle<'m> {
        Bundle::new(
            self.0[k].fields.iter().map(|(name, value)| (name.clone(), Signal::from(*value))),
        )
    }

    /// The first of those that are filled and `may` go.
    pub(super) fn choose(&self, may: impl Fn(&Bundle<'m>) -> Signal<'m>) -> Priority<'m> {
        let may = |k: usize| (self.0[k].valid & may(&self.row(k))).named(format!("slot_{k}_may"));
        let may: Vec<_> = (0..self.0.len()).map(may).collect();
        priority_encoder(pack(&may).named("may_go"))
    }

    /// What stands in the chosen place.
    pub(super) fn chosen(&self, choice: &Priority<'m>) -> Bundle<'m> {
        let fields = self.0[0].fields.iter().enumerate().map(|(field, (name, first))| {
            let all: Vec<Signal<'m>> =
                self.0.iter().map(|slot| slot.fields[field].1.into()).collect();
            let value = if all.len() == 1 { (*first).into() } else { choice.index.select(&all) };
            (name.clone(), value.named(format!("chosen_{name}")))
        });
        Bundle::new(fields)
    }

    /// The first place's, and whether it is filled.
    pub(super) fn oldest(&self) -> Bundle<'m> {
        self.row(0)
    }
    pub(super) fn any(&self) -> Signal<'m> {
        self.0[0].valid.into()
    }

    /// Whether no more than one place is filled.
    pub(super) fn one(&self) -> Signal<'m> {
        match self.0.get(1) {
            Some(slot) => !slot.valid,
            None => self.0[0].valid.module().lit(u(1), 1),
        }
    }

    /// Empties the chosen place at the edges with `goes`, fills the first empty one at those with
    /// `enters`. Returns whether one will be empty.
    pub(super) fn step(
        &self,
        choice: &Priority<'m>,
        goes: Signal<'m>,
        enters: Signal<'m>,
        incoming: &Bundle<'m>,
    ) -> Signal<'m> {
        let none = goes.module().lit(u(1), 0);
        let mut before = goes.module().lit(u(1), 1);
        let mut moves = none;
        for (k, slot) in self.0.iter().enumerate() {
            moves =
                (moves | (goes & choice.one_hot.bit(k as u32))).named(format!("slot_{k}_moves"));
            let next = self.0.get(k + 1);
            let behind = next.map_or(none, |next| next.valid.into());
            let stays = moves.mux(behind, slot.valid).named(format!("slot_{k}_stays"));
            let takes = (enters & before & !stays).named(format!("slot_{k}_takes"));
            slot.valid.next(stays | takes);
            for (field, (name, value)) in slot.fields.iter().enumerate() {
                let coming = incoming.get(name);
                let moved = next.map_or(coming, |next| takes.mux(coming, next.fields[field].1));
                value.next(moved).enable((moves | takes).called(format!("slot_{k}_changes")));
            }
            before = stays;
        }
        !before
    }
}
