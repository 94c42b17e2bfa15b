//! The schema of a design's specification says what is read and what is refused.

use hwgen_designs::registry::{ParameterInfo, designs};
use hwgen_designs::spec::Range;
use serde_json::{Value, json};
use std::path::Path;

/// Whether a value is as a schema says that uses no other words than ours do.
fn fits(schema: &Value, value: &Value) -> bool {
    let empty = serde_json::Map::new();
    let members = value.as_object().unwrap_or(&empty);
    let says = |(word, said): (&String, &Value)| match word.as_str() {
        "type" => match said.as_str().unwrap() {
            "integer" => value.is_i64(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            kind => kind == "object" && value.is_object(),
        },
        "minimum" => value.as_i64() >= said.as_i64(),
        "maximum" => value.as_i64() <= said.as_i64(),
        "enum" => said.as_array().unwrap().contains(value),
        "const" => value == said,
        "items" => value.as_array().is_some_and(|entries| entries.iter().all(|e| fits(said, e))),
        "properties" => members.iter().all(|(n, m)| said.get(n).is_none_or(|said| fits(said, m))),
        "additionalProperties" => members.keys().all(|n| schema["properties"].get(n).is_some()),
        "required" => {
            said.as_array().unwrap().iter().all(|n| value.get(n.as_str().unwrap()).is_some())
        }
        "oneOf" => said.as_array().unwrap().iter().filter(|said| fits(said, value)).count() == 1,
        "$schema" | "title" | "description" | "default" => true,
        word => panic!("`{word}` is new in our schemas: say here what it means"),
    };
    schema.as_object().unwrap().iter().all(says)
}

/// Values that a range has, and values that it has not.
fn values(range: Range) -> (Vec<Value>, Vec<Value>) {
    match range {
        Range::Integer(least, most) => (
            vec![json!(least), json!(most)],
            vec![
                json!(least - 1),
                json!(most + 1),
                json!(1.5),
                json!("1"),
                json!([least]),
                json!(null),
            ],
        ),
        Range::PowerOfTwo(least, most) => {
            (vec![json!(least), json!(most)], vec![json!(0), json!(3), json!(2 * most), json!("1")])
        }
        Range::Flag => (vec![json!(false), json!(true)], vec![json!(1), json!("true")]),
        Range::Choice(words) => {
            (words.iter().map(|word| json!(word)).collect(), vec![json!("bogus"), json!(1)])
        }
        Range::List(least, most) => (
            vec![json!([least]), json!([most])],
            vec![json!([least - 1]), json!([most + 1]), json!(least), json!(["1"]), json!("1")],
        ),
    }
}

/// A specification that says one parameter.
fn saying(parameter: &ParameterInfo, value: Value) -> Value {
    match (parameter.name.split_once('.'), &parameter.mode) {
        (None, _) => json!({ parameter.name: value }),
        (Some((choice, "mode")), _) => json!({ choice: {"mode": value} }),
        (Some((choice, member)), mode) => json!({ choice: {"mode": mode, member: value} }),
    }
}

#[test]
fn a_schema_says_what_is_read_and_what_is_refused() {
    for design in designs() {
        let schema = design.schema();
        let read =
            |spec: &Value| design.configure(Some((Path::new("a.json"), &spec.to_string())), &[]);
        for size in design.sizes() {
            let spec = design.configure(None, &size).unwrap().json();
            assert!(fits(&schema, &spec.parse().unwrap()), "{}: {spec}", design.name());
        }
        assert!(fits(&schema, &design.default_spec().parse().unwrap()), "{}", design.name());
        let mut wrong = vec![json!({"bogus": 1}), json!([]), json!(1)];
        for parameter in design.parameters() {
            let (good, bad) = values(parameter.range);
            for spec in good.into_iter().map(|value| saying(&parameter, value)) {
                assert!(fits(&schema, &spec), "{}: {spec}", design.name());
            }
            wrong.extend(bad.into_iter().map(|value| saying(&parameter, value)));
            if let Some((choice, _)) = parameter.name.split_once('.') {
                wrong.push(json!({ choice: {"mode": parameter.mode, "bogus": 1} }));
            }
        }
        for spec in wrong {
            assert!(!fits(&schema, &spec), "{}: the schema takes {spec}", design.name());
            assert!(read(&spec).is_err(), "{}: {spec} is read", design.name());
        }
        // each says what it is for
        let told = schema["properties"].as_object().unwrap().values();
        assert!(told.clone().all(|member| member["description"].is_string()), "{schema}");
        assert!(
            told.clone()
                .all(|member| member.get("oneOf").is_some() || member.get("default").is_some())
        );
    }
}
