//! The JSON schema of `candidate.json`: that of the operators, without what may be left out.

use super::file::{File, Weightless};
use super::fill::FILLED;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

/// Of windows, whatever the operator.
const OF_WINDOWS: &[(&str, &[&str])] =
    &[("Window", &["stride", "pads"]), ("Pads", &["top", "left", "bottom", "right"])];

/// The JSON schema of `candidate.json`.
pub fn schema() -> Value {
    let mut generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    let weightless = generator.subschema_for::<Weightless>();
    let mut schema = generator.into_root_schema_for::<File>().to_value();
    let defs = &mut schema["$defs"];
    for operator in defs["Operator"]["oneOf"].as_array_mut().into_iter().flatten() {
        let kind = operator["properties"]["kind"]["const"].as_str().unwrap_or_default();
        let left_out = FILLED.iter().find(|(known, _)| *known == kind);
        let left_out = left_out.map_or(&[][..], |(_, left_out)| left_out);
        need_not(operator, left_out);
        if operator["properties"].get("linear").is_some() {
            operator["properties"]["linear"] = weightless.clone().to_value();
        }
    }
    OF_WINDOWS.iter().for_each(|(name, left_out)| need_not(&mut defs[name], left_out));
    // what only weights are written with
    for unused in ["Linear", "Multipliers", "Numbers_int8"] {
        defs.as_object_mut().map(|defs| defs.remove(unused));
    }
    schema["title"] = json!("Candidate");
    schema
}

fn need_not(object: &mut Value, left_out: &[&str]) {
    if let Some(required) = object.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|field| !left_out.iter().any(|left_out| field == left_out));
    }
}
