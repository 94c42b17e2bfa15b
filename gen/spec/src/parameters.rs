//! Structs whose fields are parameters.

use super::{Parameter, SpecError};
use serde::de::{DeserializeOwned, Error};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// Members of a JSON object.
pub type Members = Map<String, Value>;

/// Why a member could not be read, in serde's words.
pub type Read = Result<(), String>;

/// What `#[derive(Parameters)]` makes of a struct; its JSON is one flat object.
pub trait Parameters: Default + Clone + Serialize {
    /// Every parameter with its range and meaning; those of a choice as `filter.alpha16`.
    fn table() -> Vec<Parameter>;

    /// Adds every parameter but those `fixed` by a whole.
    ///
    /// # Errors
    /// The serializer's.
    fn write<M: SerializeMap>(&self, members: &mut M, fixed: &[&str]) -> Result<(), M::Error>;

    /// Takes what is its own from the members.
    ///
    /// # Errors
    /// The first value of a wrong type.
    fn read(&mut self, members: &mut Members) -> Read;

    /// Checks every value but those `fixed` by a whole against its own range.
    ///
    /// # Errors
    /// The first value that is out of range, with its path, as in `key_slices[1]`.
    fn check_ranges(&self, fixed: &[&str]) -> Result<(), SpecError>;

    /// Every parameter's path and value, in the table's order: what a header shows.
    fn values(&self) -> Vec<(&'static str, Value)> {
        let members = serde_json::to_value(self).unwrap_or_default();
        let mut values: Vec<(&'static str, Value)> = vec![];
        for Parameter { name, .. } in Self::table() {
            let value = name.split('.').try_fold(&members, |value, key| value.get(key));
            if let Some(value) = value.filter(|_| values.iter().all(|(said, _)| *said != name)) {
                values.push((name, value.clone()));
            }
        }
        values
    }
}

/// The parameters of one design. `Default` is a complete, valid specification.
pub trait Spec: Parameters + Serialize + DeserializeOwned {
    /// Checks what no parameter's own range tells.
    ///
    /// # Errors
    /// The first value that does not fit the others.
    fn check_relations(&self) -> Result<(), SpecError> {
        Ok(())
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first value that is out of range or does not fit the others.
    fn validate(&self) -> Result<(), SpecError> {
        self.check_ranges(&[])?;
        self.check_relations()
    }
}

/// An enum that is a parameter: serde tags it `mode` and gives each mode's members a default, so
/// that an override can switch the mode alone.
pub trait Choice: Serialize + DeserializeOwned {
    /// The modes, as in `filter.mode`, then each mode's members.
    const TABLE: &'static [Parameter];
}

/// A value that has a range.
pub trait Checked {
    /// Checks it.
    ///
    /// # Errors
    /// [`SpecError::OutOfRange`] naming the parameter.
    fn check(&self, row: &Parameter) -> Result<(), SpecError>;
}

macro_rules! checked {
    ($($integer:ty),*) => {$(
        impl Checked for $integer {
            fn check(&self, row: &Parameter) -> Result<(), SpecError> {
                row.check(*self)
            }
        }

        impl Checked for Vec<$integer> {
            fn check(&self, row: &Parameter) -> Result<(), SpecError> {
                row.check_entries(self)
            }
        }
    )*};
}

checked!(u8, u16, u32, i32);

impl Checked for bool {
    fn check(&self, _: &Parameter) -> Result<(), SpecError> {
        Ok(())
    }
}

/// Adds a part's rows, but for those that the whole fixes.
pub fn add_part<P: Parameters>(table: &mut Vec<Parameter>, fixed: &[&str]) {
    let rows = P::table();
    for name in fixed {
        assert!(rows.iter().any(|row| row.name == *name), "no part has a parameter `{name}`");
    }
    table.extend(rows.into_iter().filter(|row| !fixed.contains(&row.name)));
}

/// Takes a value, if it is there.
///
/// # Errors
/// It is of a wrong type.
pub fn read_value<T: DeserializeOwned>(members: &mut Members, name: &str, to: &mut T) -> Read {
    if let Some(value) = members.remove(name) {
        *to = serde_json::from_value(value).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Lets a part take its values, but for those that the whole fixes.
///
/// # Errors
/// The first value of a wrong type.
pub fn read_part<P: Parameters>(members: &mut Members, part: &mut P, fixed: &[&str]) -> Read {
    let ours: Vec<_> = fixed.iter().filter_map(|name| members.remove_entry(*name)).collect();
    part.read(members)?;
    members.extend(ours);
    Ok(())
}

/// As one flat object.
///
/// # Errors
/// The serializer's.
pub fn serialize<P: Parameters, S: Serializer>(spec: &P, out: S) -> Result<S::Ok, S::Error> {
    let mut members = out.serialize_map(None)?;
    spec.write(&mut members, &[])?;
    members.end()
}

/// From a flat object: defaults for what is missing.
///
/// # Errors
/// A value of a wrong type, an unknown member.
pub fn deserialize<'de, P: Parameters, D: Deserializer<'de>>(from: D) -> Result<P, D::Error> {
    let mut members = Members::deserialize(from)?;
    let mut spec = P::default();
    spec.read(&mut members).map_err(D::Error::custom)?;
    let Some(unknown) = members.keys().next() else { return Ok(spec) };
    let mut known: Vec<&str> = vec![];
    for row in P::table() {
        let name = row.name.split('.').next().unwrap_or_default();
        if !known.contains(&name) {
            known.push(name);
        }
    }
    let known = known.join("`, `");
    Err(D::Error::custom(format!("unknown field `{unknown}`, expected one of `{known}`")))
}
