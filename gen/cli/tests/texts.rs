//! What the command says: help, lists, descriptions, refusals.

mod command;

use command::{commands, json_of, ok, refused};
use hwgen_designs::registry::designs;
use insta::assert_snapshot;
use serde_json::Value;

/// Help texts name the designs; snapshots should not change with each new one.
fn without_names(text: &str) -> String {
    let mut text = text.to_string();
    for list in ["attend, ", ": attend"] {
        let Some(begin) = text.find(list) else { continue };
        let begin = begin + list.find("attend").unwrap();
        let last = designs().pop().unwrap().name();
        let end = begin + text[begin..].find(last).unwrap() + last.len();
        // lines are wrapped, wherever names end
        let known: Vec<&str> =
            text[begin..end].split([',', ' ', '\n']).filter(|name| !name.is_empty()).collect();
        assert_eq!(known, designs().iter().map(|design| design.name()).collect::<Vec<_>>());
        text.replace_range(begin..end, "DESIGNS..");
    }
    text
}

#[test]
fn help() {
    let help = ok(&["--help"]);
    assert_snapshot!("help", help);
    // a program of its own tells the help of `search`
    for subcommand in commands(&help).iter().filter(|name| *name != "search") {
        let text = ok(&[subcommand, "--help"]);
        assert_snapshot!(format!("help_{subcommand}"), without_names(&text));
    }
}

#[test]
fn shells_and_man_know_every_subcommand_and_option() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = ok(&["completions", shell]);
        assert!(text.contains("emit") && text.contains("multipliers"), "{shell}");
    }
    assert!(ok(&["man"]).contains(".TH hwgen 1"));
    let page = ok(&["man", "emit"]);
    assert!(page.contains(".TH hwgen-emit 1") && page.contains("multipliers"), "{page}");
    let said = refused(2, &["man", "emitt"]);
    assert!(said.contains("there is no subcommand `emitt`"), "{said}");
}

#[test]
fn the_list_is_the_registry() {
    let text = ok(&["list"]);
    let json = json_of(&["list", "--json"]);
    assert_eq!(json.as_array().unwrap().len(), designs().len());
    for (n, design) in designs().into_iter().enumerate() {
        assert!(text.lines().nth(n).unwrap().contains(design.summary()));
        assert_eq!(json[n]["name"], design.name());
        assert_eq!(json[n]["summary"], design.summary());
    }
}

#[test]
fn a_description() {
    assert_snapshot!(ok(&["describe", "mac_array", "--set", "rows=4"]));
}

#[test]
fn a_schema_of_specifications() {
    for design in designs() {
        let schema = json_of(&["describe", design.name(), "--schema"]);
        assert_eq!(schema, design.schema());
    }
    refused(2, &["describe", "lapa", "--schema", "--set", "rows=8"]);
}

#[test]
fn every_design_is_described() {
    for design in designs() {
        let text = ok(&["describe", design.name()]);
        assert!(text.starts_with(&format!("{}: {}\n", design.name(), design.summary())));
        let json = json_of(&["describe", design.name(), "--json"]);
        let spec: Value = serde_json::from_str(&design.default_spec()).unwrap();
        assert_eq!(json["spec"], spec);
        assert_eq!(json["parameters"].as_array().unwrap().len(), design.parameters().len());
        assert!(!json["ports"].as_array().unwrap().is_empty());
        for parameter in json["parameters"].as_array().unwrap() {
            assert!(!parameter["default"].is_null(), "{parameter}");
        }
    }
}

#[test]
fn a_description_shows_the_size_asked_for() {
    let json =
        ok(&["describe", "lapa_attention", "--json", "--set", "rows=8", "--set", "head_dim=32"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["spec"]["rows"], 8);
    let keys = &json["streams"][0];
    assert_eq!((&keys["name"], &keys["direction"]), (&"keys".into(), &"in".into()));
    assert_eq!(keys["fields"][0]["bits"], 32 * 8);
}

#[test]
fn refusals() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spec.json");
    std::fs::write(&file, "{\n  \"rows\": 8,\n  \"columns\": 0\n}\n").unwrap();
    let file = file.to_str().unwrap();
    let said = [
        refused(2, &["emit", "--design", "mac_arry"]),
        refused(2, &["emit"]),
        refused(2, &["emti"]),
        refused(2, &["emit", "--design", "mac_array", "--set", "rows=65"]),
        refused(2, &["emit", "--design", "mac_array", "--set", "rowz=4"]),
        refused(2, &["emit", "--design", "mac_array", "--set", "rows=many"]),
        refused(2, &["emit", "--design", "mac_array", "--set", "rows"]),
        refused(2, &["emit", "--design", "mac_array", "--set", "rows=99999999999999999999"]),
        refused(2, &["emit", "--design", "mac_array", "--spec", file]).replace(file, "spec.json"),
        refused(1, &["emit", "--design", "mac_array", "--spec", "/nonexistent.json"]),
        refused(2, &["sim", "--design", "mac_array", "--cycles", "-1"]),
        refused(2, &["sim", "--design", "mac_array", "--engine", "quartz"]),
        refused(2, &["verify", "--design", "mac_array", "--engines", "jit,modelsim"]),
        refused(1, &["power", "--design", "mac_array", "--lib", "/nonexistent.lib"]),
        refused(2, &["power", "--design", "mac_array"]),
    ];
    assert_snapshot!(without_names(&said.join("\n")));
}
