//! The JSON Schema of a design's specification file, made of its parameters.

use super::{Design, ParameterInfo};
use crate::spec::Range;
use serde_json::{Map, Value, json};

/// What a file may say: every parameter's type, range, default and help, and no other member. What
/// parameters must keep among each other is checked when a file is read.
pub(super) fn schema(design: &(impl Design + ?Sized)) -> Value {
    let parameters = design.parameters();
    let member = |parameter: &ParameterInfo| match parameter.name.split_once('.') {
        None => Some((parameter.name.to_string(), value(parameter))),
        Some((choice, "mode")) => Some((choice.to_string(), modes(choice, parameter, &parameters))),
        // told with its mode
        Some(_) => None,
    };
    let mut schema = object(parameters.iter().filter_map(member).collect());
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = design.name().into();
    schema["description"] = design.summary().into();
    schema
}

fn object(members: Map<String, Value>) -> Value {
    json!({"type": "object", "properties": members, "additionalProperties": false})
}

/// A choice: an object a mode, with the mode's members. A file that says no mode means the default.
fn modes(choice: &str, mode: &ParameterInfo, all: &[ParameterInfo]) -> Value {
    let words = if let Range::Choice(words) = mode.range { words } else { &[] };
    let default = parsed(&mode.default);
    let one = |word: &&str| {
        let own = all.iter().filter(|other| {
            let member = other.name.strip_prefix(choice).is_some_and(|name| name.starts_with('.'));
            member && other.name != mode.name && other.mode.as_deref() == Some(word)
        });
        let own = own.map(|own| (own.name[choice.len() + 1..].to_string(), value(own)));
        let mut one = object(own.collect());
        one["properties"]["mode"] = json!({"const": word});
        if default != **word {
            one["required"] = json!(["mode"]);
        }
        one
    };
    let one_of: Vec<_> = words.iter().map(one).collect();
    json!({"description": mode.meaning, "oneOf": one_of})
}

fn value(parameter: &ParameterInfo) -> Value {
    let integer = |least, most| json!({"type": "integer", "minimum": least, "maximum": most});
    let mut value = match parameter.range {
        Range::Integer(least, most) => integer(least, most),
        Range::PowerOfTwo(least, most) => {
            let powers = (0..63).map(|bit| 1i64 << bit);
            let powers: Vec<_> = powers.filter(|power| (least..=most).contains(power)).collect();
            json!({"type": "integer", "enum": powers})
        }
        Range::Flag => json!({"type": "boolean"}),
        Range::Choice(words) => json!({"enum": words}),
        Range::List(least, most) => json!({"type": "array", "items": integer(least, most)}),
    };
    value["default"] = parsed(&parameter.default);
    value["description"] = parameter.meaning.into();
    value
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}
