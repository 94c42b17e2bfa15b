//! `candidate.json`: what may be left out, and what is refused.

use hwgen_network::candidate::{Candidate, schema};
use hwgen_network::plan::{Budget, outline, size_outline};
use hwgen_network::policy::Policy;
use hwgen_network::zoo;
use serde_json::{Value, json};

/// A small network of every operator that something may be left out of.
fn small() -> Value {
    let layer = |name: &str, inputs: &[&str], operator: Value| json!({"name": name, "inputs": inputs, "output": name, "operator": operator});
    let tensor = |name: &str, shape: &[usize]| json!({"name": name, "shape": shape});
    let image = [8, 8, 4];
    json!({
        "candidate": 1,
        "name": "small",
        "inputs": ["x"],
        "outputs": ["scores"],
        "tensors": [
            tensor("x", &image), tensor("a", &image), tensor("b", &image), tensor("c", &image),
            tensor("d", &image), tensor("e", &[10, 10, 4]), tensor("f", &[5, 5, 4]),
            tensor("g", &[4]), tensor("h", &[10]), tensor("scores", &[10]),
        ],
        "layers": [
            layer("a", &["x"], json!({
                "kind": "conv_2d",
                "window": {"kernel": [3, 3], "pads": {"top": 1, "left": 1, "bottom": 1, "right": 1}},
                "linear": {"bits": 4},
            })),
            layer("b", &["a"], json!({"kind": "lookup"})),
            layer("c", &["a", "b"], json!({"kind": "add"})),
            layer("d", &["c"], json!({"kind": "requantize"})),
            layer("e", &["d"], json!({"kind": "pad", "before": [1, 1, 0], "after": [1, 1, 0]})),
            layer("f", &["e"], json!({
                "kind": "max_pool_2d", "window": {"kernel": [2, 2], "stride": [2, 2]},
            })),
            layer("g", &["f"], json!({"kind": "mean", "axes": [0, 1]})),
            layer("h", &["g"], json!({"kind": "fully_connected", "linear": {"bits": 8}})),
            layer("scores", &["h"], json!({"kind": "softmax"})),
        ],
    })
}

#[test]
fn what_is_left_out_is_filled_in() {
    let candidate = Candidate::from_json(&small()).unwrap();
    assert_eq!((candidate.name(), candidate.layers()), ("small", 9));
    assert_eq!(candidate, Candidate::read(&small().to_string()).unwrap());
    let (spec, plan) = size_outline(&candidate, Budget::of(&candidate, 64)).unwrap();
    assert_eq!(plan.image.tables.len(), 2);
    assert_eq!((plan.multiplier_bits, spec.multiplier_bits), (31, 31));
    assert_eq!(outline(&candidate, &spec).unwrap().cycles(), plan.cycles());
    // 15 bits of multipliers make a smaller core
    let mut narrow = small();
    narrow["multiplier_bits"] = json!(15);
    let narrow = Candidate::from_json(&narrow).unwrap();
    let (spec, _) = size_outline(&narrow, Budget::of(&narrow, 64)).unwrap();
    assert_eq!(spec.multiplier_bits, 15);
}

#[test]
fn a_policy_sets_widths() {
    let candidate = Candidate::of(&zoo::kws_mini(1)).unwrap();
    let policy = |text: &str| serde_json::from_str::<Policy>(text).unwrap();
    let budget = Budget::of(&candidate, 18);
    let (spec, wide) = size_outline(&candidate, budget).unwrap();
    let narrow = policy(r#"{"version": 1, "weight_bits": {"conv_2": 4}}"#);
    let narrow = candidate.with(&narrow).unwrap();
    let narrow = outline(&narrow, &hwgen_designs::cnn::CnnSpec { narrow_weights: true, ..spec });
    assert!(narrow.unwrap().image.planes < wide.image.planes);
    let none = policy(r#"{"version": 1, "weight_bits": {"nobody": 4}}"#);
    let said = candidate.with(&none).unwrap_err().to_string();
    assert!(said.starts_with("the policy names layer `nobody`"), "{said}");
}

#[test]
fn faults_say_what_and_where() {
    let faults: [(&str, Value, &str); 12] = [
        ("/candidate", json!(2), "candidate of version 2: only 1 is known"),
        (
            "/multiplier_bits",
            json!(8),
            "network: `multiplier_bits` = 8 is out of range: must be 15 to 31",
        ),
        ("/tensors/1/bits", json!(9), "tensor `a`: `bits` = 9 is out of range: must be 2 to 8"),
        (
            "/tensors/1/shape",
            json!([8, 8, 1 << 23]),
            "tensor `a`: `shape` = [8, 8, 8388608] is out of range",
        ),
        (
            "/tensors/1/shape",
            json!([9, 8, 4]),
            "layer `a`: the output has shape [9, 8, 4]: must be [8, 8, 4]",
        ),
        ("/layers/0/operator/kind", json!("conv_3d"), "layer `a`: unknown variant `conv_3d`"),
        (
            "/layers/0/operator/linear/bits",
            json!(1),
            "layer `a`: `linear.bits` = 1 is out of range: must be 2 to 8",
        ),
        ("/layers/0/operator/linear/weights", json!([1]), "layer `a`: unknown field `weights`"),
        ("/layers/0/operator/linear/bias", json!(u32::MAX), "layer `a`: a sum may reach"),
        ("/layers/1/operator/linear", json!({"bits": 8}), "layer `b`: unknown field `linear`"),
        ("/layers/1/inputs", json!([]), "layer `b`: `inputs` has 0 entries: must have 1"),
        ("/layers/2/output", json!("nothing"), "layer `c` writes tensor"),
    ];
    for (place, value, says) in faults {
        let mut candidate = small();
        let (parent, field) = place.rsplit_once('/').unwrap();
        let parent = candidate.pointer_mut(parent).unwrap();
        match field.parse::<usize>() {
            Ok(n) if parent.is_array() => parent[n] = value,
            _ => parent[field] = value,
        }
        let said = Candidate::from_json(&candidate).unwrap_err().to_string();
        assert!(said.starts_with(says) || said.contains("nothing"), "{place}: {said}");
    }
    let said = Candidate::read("{\"candidate\": 1, \"layers\"").unwrap_err().to_string();
    assert!(said.contains("at line 1"), "{said}");
}

/// More outputs than any core has scales for are refused before anything is made of each of them.
#[test]
fn hostile_sizes_are_refused() {
    let wide = json!({
        "candidate": 1, "inputs": ["x"], "outputs": ["y"],
        "tensors": [{"name": "x", "shape": [1]}, {"name": "y", "shape": [1 << 19]}],
        "layers": [{"name": "y", "inputs": ["x"], "output": "y",
            "operator": {"kind": "fully_connected", "linear": {"bits": 8}}}],
    });
    let said = Candidate::from_json(&wide).unwrap_err().to_string();
    assert_eq!(said, "network: `outputs in all` = 524288 is out of range: must be 0 to 262144");
    let mut many = small();
    many["layers"] = vec![small()["layers"][1].clone(); 5000].into();
    let said = Candidate::from_json(&many).unwrap_err().to_string();
    assert!(said.starts_with("network: `layers` has 5000 entries"), "{said}");
}

#[test]
fn the_schema_asks_for_what_must_be_there() {
    let schema = schema();
    let operators = schema["$defs"]["Operator"]["oneOf"].as_array().unwrap();
    let conv = operators.iter().find(|o| o["properties"]["kind"]["const"] == "conv_2d").unwrap();
    assert_eq!(conv["required"], json!(["kind", "window", "linear"]));
    assert_eq!(schema["$defs"]["Weightless"]["required"], json!(["bits"]));
    assert_eq!(schema["$defs"]["Window"]["required"], json!(["kernel"]));
    assert!(!schema.to_string().contains("Linear\""));
}
