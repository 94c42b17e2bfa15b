//! What `describe` shows.

use hwgen_designs::registry::{designs, find};
use serde_json::Value;
use std::path::Path;

#[test]
fn describe_lapa() {
    let design = find("lapa_predictor").unwrap().configure(None, &[]).unwrap();
    insta::assert_snapshot!(format!("{}\n\n{}", design.latency(), design.diagram()));
}

#[test]
fn every_design_describes_itself() {
    for design in designs() {
        let configured = design.configure(None, &[]).unwrap();
        assert!(!design.summary().is_empty() && !configured.latency().is_empty());
        assert!(configured.diagram().lines().count() > 3);
        assert!(configured.build().verilog().is_ok());
    }
}

/// Paths of the objects in a specification, each with a dot behind, and of all else.
fn paths(value: &Value, path: &str, objects: &mut Vec<String>, leaves: &mut Vec<String>) {
    let Value::Object(members) = value else {
        return leaves.push(path.trim_end_matches('.').to_owned());
    };
    objects.push(path.to_owned());
    for (key, member) in members {
        paths(member, &format!("{path}{key}."), objects, leaves);
    }
}

#[test]
fn what_is_unknown_or_of_another_kind_is_refused_at_any_depth() {
    for design in designs() {
        let spec: Value = serde_json::from_str(&design.default_spec()).unwrap();
        let (mut objects, mut leaves) = (vec![], vec![]);
        paths(&spec, "", &mut objects, &mut leaves);
        let said = |set: String| match design.configure(None, std::slice::from_ref(&set)) {
            Ok(_) => panic!("{}: {set} is taken", design.name()),
            Err(error) => error.to_string(),
        };
        for (object, value) in objects.iter().flat_map(|o| [(o, "1"), (o, "{}"), (o, "null")]) {
            let said = said(format!("{object}bogus={value}"));
            assert!(said.contains("unknown parameter"), "{}: {said}", design.name());
        }
        for leaf in &leaves {
            said(format!("{leaf}={{}}"));
            said(format!("{leaf}={{\"deeper\":1}}"));
        }
        // nothing is said of what is inside
        for object in objects.iter().filter(|object| !object.is_empty()) {
            let nothing = format!("{}={{}}", object.trim_end_matches('.'));
            let configured = design.configure(None, &[nothing]).unwrap();
            assert_eq!(configured.json(), design.default_spec());
        }
    }
}

#[test]
fn hostile_specifications_are_refused_in_a_line() {
    let mac_array = find("mac_array").unwrap();
    let set = |set: &str| mac_array.configure(None, &[set.into()]).err().unwrap().to_string();
    assert_eq!(
        set("rows={}"),
        "--set rows={}: `rows` = {} cannot be read: invalid type: map, expected u32; must be 1..=64"
    );
    let twice = set(r#"rows={"a":{"b":1,"b":2}}"#);
    assert_eq!(twice, r#"--set rows={"a":{"b":1,"b":2}}: `rows.a.b` is given twice: keep one"#);
    let dots = set(&format!("rows{}=1", ".".repeat(60_000)));
    assert!(dots.ends_with("...: no parameter lies 16 names deep") && dots.len() < 200, "{dots}");
    let deep = format!("{}{}", "[".repeat(60_000), "]".repeat(60_000));
    assert!(set(&format!("rows={deep}")).len() < 500);
    let file = |text: &str| {
        let file = Some((Path::new("a.json"), text));
        mac_array.configure(file, &[]).err().unwrap().to_string()
    };
    assert!(file("{\"rows\": {}}").starts_with("a.json:1: `rows` = {} cannot be read"));
    assert!(file("{\"bogus\": {}}").starts_with("a.json:1: unknown parameter `bogus`"));
    assert!(file(&deep).contains("recursion limit exceeded"));
    let long = format!("{{\"{}\": 1}}", "k".repeat(1 << 18));
    assert!(file(&long).len() < 400);
}
