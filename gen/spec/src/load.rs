//! Reading a specification: defaults, then a JSON file, then overrides.

use super::{
    LoadError, Origin, Spec, SpecError,
    lines::{DuplicateKey, lines},
};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::Path};

/// Reads a specification: the defaults, changed by a JSON `file` (its name and text), changed
/// by `overrides` such as `rows=8`, `key_slices=[4,2,2]` or `filter.mode=top_k`.
///
/// An override's value is JSON or else a bare word. Objects are merged member by member, but a
/// new `mode` starts its object afresh, whatever the order it is written in.
///
/// # Errors
/// The first fault, with the file's line or the override that said it.
pub fn load<T: Spec>(file: Option<(&Path, &str)>, overrides: &[String]) -> Result<T, LoadError> {
    let mut state = State::<T>::default();
    if let Some((path, text)) = file {
        let (assignments, origins) = file_assignments(path, text)?;
        state.assign_all(assignments)?;
        state.origins = origins;
    }
    let mut assignments = Vec::new();
    for text in overrides {
        assignments.extend(override_assignments(text)?);
    }
    state.assign_all(assignments)?;
    state.spec.validate().map_err(|problem| {
        let origin = problem.field().map_or(Origin::Default, |field| state.origin(field));
        LoadError::new(origin, problem)
    })?;
    Ok(state.spec)
}

/// The path of member `key` of the object at `path`.
pub(super) fn member_path(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Names in a path, at most; no specification nests half as deep.
const DEEPEST: usize = 16;

/// One value to set; objects are split into their members, so this is a number, word, list or an
/// object without members.
struct Assignment {
    keys: Vec<String>,
    value: Value,
    origin: Origin,
}

/// Who said what, by path.
type Origins = BTreeMap<String, Origin>;

/// The specification so far and who said what.
struct State<T> {
    json: Value,
    spec: T,
    origins: Origins,
}

impl<T: Spec> Default for State<T> {
    fn default() -> Self {
        let spec = T::default();
        let json = serde_json::to_value(&spec).unwrap_or_default();
        State { json, spec, origins: Origins::new() }
    }
}

impl<T: Spec> State<T> {
    /// Sets modes first, as they decide which other members there are. The specification is
    /// read anew after each value, so that a fault is the latest value's.
    fn assign_all(&mut self, mut assignments: Vec<Assignment>) -> Result<(), LoadError> {
        assignments.sort_by_key(|a| a.keys.last().is_none_or(|key| key != "mode"));
        for Assignment { keys, value, origin } in assignments {
            set(&mut self.json, &keys, value.clone());
            self.spec = T::deserialize(&self.json).map_err(|error| {
                let problem = reading_problem::<T>(&keys, &value, &error.to_string());
                LoadError::new(origin.clone(), problem)
            })?;
            self.replace_origin(&keys, origin);
        }
        Ok(())
    }

    fn replace_origin(&mut self, keys: &[String], origin: Origin) {
        let path = keys.join(".");
        // a list's entries are replaced with it, as are the members beside a mode
        let stale = path.strip_suffix("mode").map_or(format!("{path}["), str::to_owned);
        self.origins.retain(|path, _| !path.starts_with(&stale));
        self.origins.insert(path, origin);
    }

    /// Who said the value at `path`, or the closest list or object around it.
    fn origin(&self, path: &str) -> Origin {
        let mut path = path;
        loop {
            if let Some(origin) = self.origins.get(path) {
                return origin.clone();
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return Origin::Default,
            }
        }
    }
}

/// What a file sets, and the line of everything in it.
fn file_assignments(path: &Path, text: &str) -> Result<(Vec<Assignment>, Origins), LoadError> {
    let at = |line| Origin::File { path: path.to_owned(), line };
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let problem = message.split(" at line ").next().unwrap_or_default().to_owned();
        let problem = SpecError::Syntax { column: error.column(), problem };
        LoadError::new(at(error.line()), problem)
    })?;
    let Value::Object(members) = value else {
        return Err(LoadError::new(at(1), SpecError::NotAnObject));
    };
    let lines = lines(text).map_err(|DuplicateKey { path, line }| {
        LoadError::new(at(line), SpecError::Duplicate { field: path })
    })?;
    let mut assignments = Vec::new();
    split(&[], Value::Object(members), &mut |keys, value| {
        let line = lines.get(&keys.join(".")).copied().unwrap_or(1);
        assignments.push(Assignment { keys, value, origin: at(line) });
    });
    let origins = lines.into_iter().map(|(field, line)| (field, at(line))).collect();
    Ok((assignments, origins))
}

fn override_assignments(text: &str) -> Result<Vec<Assignment>, LoadError> {
    let origin = Origin::Set { text: text.to_owned() };
    let keys_and_value = text.split_once('=').filter(|(key, _)| !key.trim().is_empty());
    let Some((key, value)) = keys_and_value else {
        return Err(LoadError::new(origin, SpecError::NotAnOverride));
    };
    let keys: Vec<String> = key.trim().split('.').map(str::to_owned).collect();
    if keys.len() > DEEPEST {
        return Err(LoadError::new(origin, SpecError::TooDeep { most: DEEPEST }));
    }
    let value = match serde_json::from_str(value) {
        Ok(json) => {
            lines(value).map_err(|DuplicateKey { path, .. }| {
                let field = member_path(key.trim(), &path);
                LoadError::new(origin.clone(), SpecError::Duplicate { field })
            })?;
            json
        }
        Err(_) => Value::from(value.trim()),
    };
    let mut assignments = Vec::new();
    split(&keys, value, &mut |keys, value| {
        assignments.push(Assignment { keys, value, origin: origin.clone() });
    });
    Ok(assignments)
}

/// Hands each value inside nested objects to `visit`, with the keys that lead to it.
fn split(keys: &[String], value: Value, visit: &mut impl FnMut(Vec<String>, Value)) {
    match value {
        // without members it still names a parameter, unless it is the whole specification
        Value::Object(members) if keys.is_empty() || !members.is_empty() => {
            for (key, member) in members {
                split(&[keys, &[key]].concat(), member, visit);
            }
        }
        value => visit(keys.to_vec(), value),
    }
}

fn set(json: &mut Value, keys: &[String], value: Value) {
    let Some((key, rest)) = keys.split_first() else {
        // an object without members changes none
        if !(json.is_object() && value.is_object()) {
            *json = value;
        }
        return;
    };
    if !json.is_object() {
        *json = Value::Object(Map::new());
    }
    let Value::Object(members) = json else { return };
    if key == "mode" && members.get(key) != Some(&value) {
        members.clear();
    }
    set(members.entry(key.as_str()).or_insert(Value::Null), rest, value);
}

/// Turns serde's message about the value just set into a fault of ours.
fn reading_problem<T: Spec>(keys: &[String], value: &Value, message: &str) -> SpecError {
    let field = keys.join(".");
    // serde quotes names in backticks: unknown field `rowz`, expected one of `rows`, `head_dim`
    let mut quoted = message.split('`').skip(1).step_by(2).map(str::to_owned);
    let name = quoted.next().unwrap_or_default();
    if message.starts_with("unknown field") {
        let depth = keys.iter().position(|key| *key == name).unwrap_or(keys.len() - 1);
        let known: Vec<String> = quoted.collect();
        let nearest = nearest(&name, &known);
        return SpecError::UnknownField { field: keys[..=depth].join("."), known, nearest };
    }
    if message.starts_with("unknown variant") {
        let known: Vec<String> = quoted.collect();
        let nearest = nearest(&name, &known);
        return SpecError::UnknownChoice { field, value: name, known, nearest };
    }
    let table = T::table();
    let ranges = table.iter().filter(|parameter| parameter.name == field);
    let range =
        ranges.map(|parameter| parameter.range.to_string()).collect::<Vec<_>>().join(" or ");
    SpecError::WrongType { field, value: value.to_string(), problem: message.to_owned(), range }
}

fn nearest(name: &str, known: &[String]) -> Option<String> {
    // no mistyped name of ours is that long
    if name.len() > 64 {
        return None;
    }
    let (distance, best) =
        known.iter().map(|known| (strsim::levenshtein(name, known), known)).min()?;
    let close = distance <= 1 + name.len() / 3 || best.starts_with(name);
    close.then(|| best.clone())
}
