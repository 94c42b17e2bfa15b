//! An operator as JSON has it: its kind, which is first wherever hwgen wrote it, and its fields.
//!
//! serde's own way with a tag keeps a copy of everything, 32 bytes a number; a list of weights is read
//! straight into its place here. Fields before the kind are kept as text.

use super::Operator;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::{fmt, vec};

impl<'de> Deserialize<'de> for Operator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ByKind)
    }
}

struct ByKind;

impl<'de> Visitor<'de> for ByKind {
    type Value = Operator;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an operator with its `kind`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Operator, A::Error> {
        let mut before = vec![];
        while let Some(name) = fields.next_key::<String>()? {
            if name != "kind" {
                before.push((name, fields.next_value()?));
                continue;
            }
            let kind: String = fields.next_value()?;
            // as files before had it
            let kind = if kind == "requantise" { "requantize" } else { &kind };
            let fields = Fields { before: before.into_iter(), value: None, rest: fields };
            return Operator::read(kind, MapAccessDeserializer::new(fields));
        }
        Err(A::Error::missing_field("kind"))
    }
}

/// The fields before the kind, then those behind it.
struct Fields<A> {
    before: vec::IntoIter<(String, Box<RawValue>)>,
    value: Option<Box<RawValue>>,
    rest: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Fields<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let Some((name, value)) = self.before.next() else {
            return self.rest.next_key_seed(seed);
        };
        self.value = Some(value);
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        let Some(text) = self.value.take() else {
            return self.rest.next_value_seed(seed);
        };
        let value =
            seed.deserialize(&mut serde_json::Deserializer::from_reader(text.get().as_bytes()));
        value.map_err(A::Error::custom)
    }
}
