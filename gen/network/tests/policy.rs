//! Policies of version 2: on the keyword network of MLPerf Tiny, nothing trained again; and what they refuse.

mod models;
mod narrowing;

use hwgen_network::graph::Network;
use hwgen_network::import::import;
use hwgen_network::interpret::Interpreter;
use hwgen_network::policy::{Calibration, Policy};
use narrowing::{mlperf, uniform};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

struct Clips {
    network: Network,
    inputs: Vec<Vec<i16>>,
    labels: Vec<u8>,
}

fn clips() -> Option<Clips> {
    let network = import("kws", &mlperf("kws_ref_model_int8.tflite")?).unwrap();
    let bytes = mlperf("kws01_mfcc_int8_200x490.bin")?;
    let inputs = bytes.chunks(490).map(|clip| clip.iter().map(|&b| i16::from(b as i8)).collect());
    Some(Clips { network, inputs: inputs.collect(), labels: mlperf("kws01_labels_u8_200.bin")? })
}

fn right(network: &Network, clips: &Clips) -> usize {
    let (from, to) = (&clips.network.tensors, &network.tensors);
    let mut golden = Interpreter::new(network).unwrap();
    let class = |clip: &Vec<i16>| {
        let clip: Vec<i16> =
            clip.iter().map(|&x| to[0].quantize(from[0].real(x.into())) as i16).collect();
        golden.run(&[&clip]);
        let scores = golden.outputs().next().unwrap();
        (0..scores.len()).rev().max_by_key(|&n| scores[n]).unwrap()
    };
    let classes: Vec<_> = clips.inputs.iter().map(class).collect();
    classes
        .iter()
        .zip(&clips.labels)
        .filter(|(class, label)| **class == usize::from(**label))
        .count()
}

#[test]
fn keywords_are_recognized_with_narrow_numbers() {
    let Some(clips) = clips() else {
        println!("HWGEN_DATA is not set: nothing to recognize");
        return;
    };
    let inputs: Vec<_> = clips.inputs.iter().take(50).map(|clip| vec![clip.clone()]).collect();
    let calibration = Calibration::new(&clips.network, &inputs).unwrap();
    println!("W8A8: {} of 200", right(&clips.network, &clips));
    for (weights, activations, least) in [(8, 8, 183), (8, 7, 180), (4, 8, 176), (4, 7, 172)] {
        let policy = uniform(&clips.network, weights, activations);
        let network = policy.calibrated(&clips.network, &calibration).unwrap();
        let right = right(&network, &clips);
        println!("W{weights}A{activations}: {right} of 200 (at least {least})");
        assert!(right >= least);
    }
}

/// What a network makes of some inputs, in real numbers.
fn reals(network: &Network, inputs: &[Vec<Vec<i16>>], like: &Network) -> Vec<f64> {
    let mut golden = Interpreter::new(network).unwrap();
    let mut reals = vec![];
    for input in inputs {
        let given = network.given().zip(like.given()).zip(input);
        let given = given.map(|((own, like), values)| {
            values.iter().map(|&x| own.quantize(like.real(x.into())) as i16).collect::<Vec<_>>()
        });
        let given: Vec<_> = given.collect();
        golden.next(&given.iter().map(|values| &values[..]).collect::<Vec<_>>());
        for (values, name) in golden.outputs().zip(&network.outputs) {
            let tensor = network.tensor(name).unwrap();
            reals.extend(tensor.integers(values).iter().map(|&integer| tensor.real(integer)));
        }
    }
    reals
}

/// Every operator's numbers for tensors of seven bits: results stay where they were.
#[test]
fn every_operator_is_rescaled() {
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    for (name, model, _) in models::all() {
        let network = import(name, &model).unwrap();
        if network.multiplies() > 1 << 22 {
            continue;
        }
        let one = |tensor: &hwgen_network::graph::Tensor| {
            let range = tensor.lowest() as i16..=tensor.highest() as i16;
            (0..tensor.elements()).map(|_| rng.random_range(range.clone())).collect::<Vec<_>>()
        };
        let mut one = one;
        let inputs: Vec<Vec<_>> = (0..8).map(|_| network.given().map(&mut one).collect()).collect();
        let calibration = Calibration::new(&network, &inputs).unwrap();
        let mut policy = uniform(&network, 8, 7);
        policy.weight_bits = BTreeMap::new();
        policy.activation_bits.retain(|name, _| !reads_probabilities(&network, name));
        let narrow = match policy.calibrated(&network, &calibration) {
            Ok(narrow) => narrow,
            Err(error) => panic!("{name}: {error}"),
        };
        let (before, after) =
            (reals(&network, &inputs, &network), reals(&narrow, &inputs, &network));
        let spread = before.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        let square = before.iter().zip(&after).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let off = (square / before.len() as f64).sqrt() / spread;
        println!("{name}: {:.2} % of the largest result off, in the mean square", 100.0 * off);
        assert!(off < 0.06, "{name}");
    }
}

/// A layer that passes on what a softmax made: it keeps its steps.
fn reads_probabilities(network: &Network, name: &str) -> bool {
    let layer = network.layers.iter().find(|layer| layer.name == name);
    let makes = |tensor: &String| {
        let maker = network.layers.iter().find(|layer| layer.output == *tensor);
        maker.is_some_and(|maker| matches!(maker.operator.kind(), "softmax"))
    };
    layer.is_some_and(|layer| layer.inputs.iter().any(makes))
}

#[test]
fn what_a_policy_cannot_have_is_named() {
    let network = hwgen_network::zoo::kws_mini(1);
    let layer = &network.layers[0].name;
    let said = |text: &str| {
        let policy: Policy = serde_json::from_str(&text.replace("LAYER", layer)).unwrap();
        policy.apply(&network).unwrap_err().to_string()
    };
    let cases = [
        (r#"{"version": 3}"#, "policy of version 3: only 1 and 2 are known"),
        (
            r#"{"version": 1, "symmetric": true}"#,
            "a policy of version 1 has no `symmetric`: say \"version\": 2",
        ),
        (
            r#"{"version": 2, "multiplier_bits": 14}"#,
            "the policy's `multiplier_bits` is 14: must be 15 to 31",
        ),
        (
            r#"{"version": 2, "addition_shift": 21}"#,
            "the policy's `addition_shift` is 21: must be 4 to 20",
        ),
        (
            r#"{"version": 2, "activation_bits": {"nothing": 4}}"#,
            "the policy gives `nothing` bits of activations: the network has neither a layer nor an input of that name",
        ),
        (r#"{"version": 2, "activation_bits": {"LAYER": 9}}"#, "bits: must be 2 to its 8"),
        (r#"{"version": 2, "weight_bits": {"nothing": 4}}"#, "the policy names layer `nothing`"),
        (r#"{"version": 2, "rounded_bits": {"LAYER": 1}}"#, "bits: must be 2 to its 8"),
    ];
    for (text, expected) in cases {
        let said = said(text);
        assert!(said.contains(expected), "{text}: {said}");
    }
}

/// Double rounding is done by the importer: the highest bits of a word and the next, saturated; what a lane
/// reads of shared words are their highest bits with half a step.
#[test]
fn who_adds_the_next_bit() {
    let network = hwgen_network::zoo::kws_mini(1);
    let name = network.layers[0].name.clone();
    let weights = |network: &Network| network.layers[0].operator.linear().unwrap().weights.to_vec();
    let stored = weights(&network);
    for bits in 2..8 {
        let below = 8 - bits;
        let of = |symmetric| {
            let rounded_bits = [(name.clone(), bits)].into();
            let policy = Policy { version: 2, rounded_bits, symmetric, ..Policy::default() };
            weights(&policy.apply(&network).unwrap())
        };
        let most = (1i32 << (bits - 1)) - 1;
        for symmetric in [false, true] {
            for (&word, rounded) in stored.iter().zip(of(symmetric)) {
                let word = i32::from(word);
                let next = word >> (below - 1) & 1;
                let least = if symmetric { -most } else { -most - 1 };
                assert_eq!(i32::from(rounded), ((word >> below) + next).clamp(least, most));
            }
        }
        let shared_bits = [(name.clone(), bits)].into();
        let policy = Policy { version: 2, shared_bits, ..Policy::default() };
        let shared = policy.apply(&network).unwrap();
        let linear = shared.layers[0].operator.linear().unwrap();
        assert_eq!(linear.weights.to_vec(), stored);
        for &word in &stored {
            assert_eq!(linear.read(word), (word >> below << below) | 1 << (below - 1));
        }
    }
}

#[test]
fn the_policys_schema_is_the_one_in_the_docs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/policy.schema.json");
    let schema = hwgen_network::policy::schema();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), schema, "UPDATE_DOCS=1 writes it anew");
}

/// The policies that the page shows are read.
#[test]
fn the_pages_policies_are_read() {
    let page = include_str!("../../../docs/policy.md");
    let blocks: Vec<_> = page.split("```json\n").skip(1).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let text = block.split("```").next().unwrap();
        serde_json::from_str::<Policy>(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}
