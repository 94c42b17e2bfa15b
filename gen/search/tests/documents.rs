//! Tables of docs/search.md say what the code says. `UPDATE_DOCS=1` rewrites them.

use hwgen_search::space::{PRESETS, Space, preset};
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Fields in the order in which a file has them.
const SPACE: [&str; 7] =
    ["version", "name", "input", "classes", "weight_bits", "activation_bits", "blocks"];
const BLOCK: [&str; 7] =
    ["name", "kind", "kernels", "stride", "channels", "expansions", "optional"];

fn rows(schema: &Value, fields: &[&str], within: &str) -> String {
    let properties = schema["properties"].as_object().unwrap();
    let told: Vec<&str> = properties.keys().map(String::as_str).collect();
    let mut known = fields.to_vec();
    known.sort_unstable();
    assert_eq!(told, known, "the table's order names other fields than there are");
    let mut text = String::new();
    for field in fields {
        let property = &properties[*field];
        let meaning = property["description"].as_str().unwrap().replace('\n', " ");
        let default = property.get("default").map_or("must be there".into(), Value::to_string);
        writeln!(text, "| `{within}{field}` | {default} | {meaning} |").unwrap();
    }
    text
}

#[test]
fn the_page_lists_the_fields_of_a_space() {
    let schema = serde_json::to_value(Space::schema()).unwrap();
    let mut table = "| field | without it | |\n|---|---|---|\n".to_owned();
    table += &rows(&schema, &SPACE, "");
    table += &rows(&schema["$defs"]["Block"], &BLOCK, "blocks[].");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/search.md");
    let text = fs::read_to_string(&path).unwrap();
    let start = text.find("<!-- space: ").unwrap();
    let start = start + text[start..].find('\n').unwrap() + 1;
    let end = start + text[start..].find("<!-- end -->").unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, [&text[..start], &table, &text[end..]].concat()).unwrap();
    } else {
        let update = "UPDATE_DOCS=1 cargo test -p hwgen-search --test documents";
        assert_eq!(&text[start..end], table, "docs/search.md is out of date: run {update}");
    }
}

#[test]
fn every_preset_is_a_space_that_its_schema_knows() {
    for name in PRESETS {
        let space = preset(name, [49, 40, 1], 12).unwrap();
        space.check().unwrap();
        let text = serde_json::to_string(&space).unwrap();
        assert_eq!(Space::read(&text).unwrap(), space);
    }
}
