//! Lists of integers: in the JSON, or in the binary file beside it.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{borrow::Cow, ops::Deref};

/// An integer that a binary file can hold, little endian.
pub trait Number: Copy + PartialEq + Into<i64> + Serialize + JsonSchema {
    /// Bytes of one.
    const BYTES: usize;
    /// From that many bytes.
    fn from_bytes(bytes: &[u8]) -> Self;
    /// Appends that many bytes.
    fn append(self, bytes: &mut Vec<u8>);
}

macro_rules! number {
    ($type:ty, $bytes:literal) => {
        impl Number for $type {
            const BYTES: usize = $bytes;
            fn from_bytes(bytes: &[u8]) -> Self {
                let mut array = [0; $bytes];
                array.copy_from_slice(bytes);
                <$type>::from_le_bytes(array)
            }
            fn append(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }
        }
    };
}
number!(i8, 1);
number!(i32, 4);

/// Where in the binary file a list lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// First byte.
    pub offset: u64,
    /// Numbers, not bytes.
    pub length: u64,
}

/// A list of integers. Reading `network.json` leaves those in the binary file empty until
/// [`load`](crate::graph::load) has fetched them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Numbers<T> {
    values: Vec<T>,
    stored: Option<Stored>,
    /// Nobody knows them: a candidate's weights.
    left_out: bool,
}

impl<T: Number> Numbers<T> {
    /// Those that nobody knows: an empty list.
    pub(crate) fn left_out() -> Self {
        Numbers { values: vec![], stored: None, left_out: true }
    }

    /// Whether it is empty because nobody knows them.
    pub(crate) fn are_left_out(&self) -> bool {
        self.left_out
    }

    /// Where it still has to be fetched from.
    pub fn stored(&self) -> Option<Stored> {
        self.stored
    }

    /// Bytes that it takes of the binary file; saturates.
    pub(crate) fn stored_bytes(&self) -> u64 {
        self.stored.map_or(0, |stored| stored.length.saturating_mul(T::BYTES as u64))
    }

    /// Appends the numbers to a binary file and remembers only where.
    pub(crate) fn store(&mut self, bytes: &mut Vec<u8>) {
        // i32 lie on their own boundary, so that a memory map can be read as it is
        bytes.resize(bytes.len().next_multiple_of(T::BYTES), 0);
        let stored = Stored { offset: bytes.len() as u64, length: self.values.len() as u64 };
        self.values.drain(..).for_each(|number| number.append(bytes));
        self.stored = Some(stored);
    }

    /// Takes the numbers from a binary file; `None` if it is too short.
    pub(crate) fn fetch(&mut self, bytes: &[u8]) -> Option<()> {
        let Some(stored) = self.stored else { return Some(()) };
        let start = usize::try_from(stored.offset).ok()?;
        let length = usize::try_from(stored.length).ok()?.checked_mul(T::BYTES)?;
        let bytes = bytes.get(start..start.checked_add(length)?)?;
        self.values = bytes.chunks_exact(T::BYTES).map(T::from_bytes).collect();
        self.stored = None;
        Some(())
    }
}

impl<T> Deref for Numbers<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T> From<Vec<T>> for Numbers<T> {
    fn from(values: Vec<T>) -> Self {
        Numbers { values, stored: None, left_out: false }
    }
}

impl<T: Serialize> Serialize for Numbers<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.stored {
            Some(stored) => stored.serialize(serializer),
            None => self.values.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Numbers<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader(std::marker::PhantomData))
    }
}

/// Tells a list from an object without keeping a copy of either.
struct Reader<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Reader<T> {
    type Value = Numbers<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of integers, or {\"offset\": .., \"length\": ..}")
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, list: A) -> Result<Numbers<T>, A::Error> {
        let list = serde::de::value::SeqAccessDeserializer::new(list);
        Ok(Vec::deserialize(list)?.into())
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Numbers<T>, A::Error> {
        let map = serde::de::value::MapAccessDeserializer::new(map);
        Ok(Numbers { stored: Some(Stored::deserialize(map)?), ..Numbers::from(vec![]) })
    }
}

impl<T: JsonSchema> JsonSchema for Numbers<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Numbers_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (list, stored) =
            (generator.subschema_for::<Vec<T>>(), generator.subschema_for::<Stored>());
        schemars::json_schema!({
            "description": "A list of integers, or where in the binary file it lies.",
            "oneOf": [list, stored]
        })
    }
}
