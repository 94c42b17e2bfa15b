//! Bundles: named signals that travel together.

use super::Signal;
use crate::error::HdlError;
use crate::place::Place;
use crate::ty::{Type, u};

/// The shape of a bundle: field names and types, in order.
pub type Fields = Vec<(String, Type)>;

/// A bundle's shape from a list of names and types.
pub fn fields<N: Into<String>>(list: impl IntoIterator<Item = (N, Type)>) -> Fields {
    list.into_iter().map(|(name, ty)| (name.into(), ty)).collect()
}

/// Named signals, in order.
#[derive(Clone, Default)]
pub struct Bundle<'m>(Vec<(String, Signal<'m>)>);

impl<'m> Bundle<'m> {
    /// A bundle of the given signals.
    pub fn new<N: Into<String>>(list: impl IntoIterator<Item = (N, Signal<'m>)>) -> Bundle<'m> {
        Bundle(list.into_iter().map(|(name, signal)| (name.into(), signal)).collect())
    }

    /// The field of that name.
    ///
    /// # Panics
    /// A bundle without any field has no module to note the mistake in.
    #[track_caller]
    pub fn get(&self, field: &str) -> Signal<'m> {
        if let Some((_, signal)) = self.0.iter().find(|(name, _)| name == field) {
            return *signal;
        }
        let at = Place::here();
        let names: Vec<_> = self.0.iter().map(|(name, _)| format!("`{name}`")).collect();
        let (field, available) = (field.to_string(), names.join(", "));
        let error = HdlError::NoSuchField { at, field, available };
        let Some((_, first)) = self.0.first() else { panic!("{error}") };
        first.module().error(error);
        first.module().poison(u(1), at)
    }

    /// Names and signals, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Signal<'m>)> {
        self.0.iter().map(|(name, signal)| (name.as_str(), *signal))
    }

    /// The bundle's shape.
    pub fn shape(&self) -> Fields {
        self.iter().map(|(name, signal)| (name.to_string(), signal.ty())).collect()
    }

    /// The same names with other signals.
    pub fn map(&self, mut change: impl FnMut(&str, Signal<'m>) -> Signal<'m>) -> Bundle<'m> {
        Bundle(self.0.iter().map(|(name, old)| (name.clone(), change(name, *old))).collect())
    }

    /// This bundle with one more field.
    pub fn with(mut self, name: impl Into<String>, signal: impl Into<Signal<'m>>) -> Bundle<'m> {
        self.0.push((name.into(), signal.into()));
        self
    }

    /// All fields' bits side by side, the first field lowest.
    #[track_caller]
    pub fn pack(&self) -> Signal<'m> {
        let parts: Vec<_> = self.0.iter().rev().map(|(_, signal)| *signal).collect();
        super::cat(&parts)
    }

    /// The inverse of [`Bundle::pack`] for a bundle of shape `fields`, whose bits must be all of `packed`.
    #[track_caller]
    pub fn unpack(fields: &Fields, packed: Signal<'m>) -> Bundle<'m> {
        let _caller = Place::of_caller();
        let (at, m) = (Place::here(), packed.module());
        let checked = |(name, ty): &(String, Type)| {
            (name.clone(), m.check_type(&format!("field `{name}`"), *ty, at))
        };
        let shape: Fields = fields.iter().map(checked).collect();
        let want = shape.iter().map(|(_, ty)| u64::from(ty.width)).sum();
        if u64::from(packed.width()) != want {
            // a width that no signal has is told already
            if shape == *fields {
                let got = m.describe(packed.id());
                m.error(HdlError::UnpackWidth { at, got, want });
            }
            return Bundle::new(shape.into_iter().map(|(name, ty)| (name, m.poison(ty, at))));
        }
        let mut low = 0;
        let parts = shape.into_iter().map(|(name, ty)| {
            let bits = packed.slice(low + ty.width - 1, low);
            low += ty.width;
            let field = bits.cast(ty).called_in(packed, &name);
            (name, field)
        });
        Bundle(parts.collect())
    }
}
