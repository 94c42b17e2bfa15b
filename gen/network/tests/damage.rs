//! Damaged files: a fault told in words, never a panic, never memory that the file does not justify.

mod models;

use hwgen_network::graph::{self, load, save_with_binary};
use hwgen_network::import::{ImportError, MOST_BYTES, import};
use hwgen_network::policy::Policy;
use hwgen_network::zoo;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// Takes it or says why not; a network that is taken passes the checks.
fn try_import(bytes: &[u8]) -> bool {
    match import("damaged", bytes) {
        Ok(network) => network.validate().is_ok(),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

#[test]
fn damaged_models() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let models = [models::small(1), models::operators(2), models::streaming(5)];
    let (mut taken, mut refused) = (0, 0);
    for n in 0..6000 {
        let mut bytes = models[n % models.len()].clone();
        // weights are most of a file; its tables are at either end
        for _ in 0..rng.random_range(1..6) {
            let at = match rng.random_range(0..3) {
                0 => rng.random_range(0..bytes.len()),
                1 => rng.random_range(0..bytes.len().min(400)),
                _ => bytes.len() - 1 - rng.random_range(0..bytes.len().min(3000)),
            };
            match rng.random_range(0..4) {
                0 => bytes[at] ^= 1 << rng.random_range(0..8),
                1 => bytes[at] = rng.random(),
                2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][rng.random_range(0..5)],
                _ => {
                    let end = (at + 4).min(bytes.len());
                    let word = [0, 1, i32::MAX, i32::MIN, -1, 1 << 24][rng.random_range(0..6)];
                    bytes[at..end].copy_from_slice(&word.to_le_bytes()[..end - at]);
                }
            }
        }
        if rng.random_range(0..8) == 0 {
            bytes.truncate(rng.random_range(0..bytes.len()));
        }
        if try_import(&bytes) { taken += 1 } else { refused += 1 }
    }
    assert!(taken > 500 && refused > 500, "{taken} taken, {refused} refused");
}

/// Files that were hard once, and every prefix of a small model.
#[test]
fn corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        assert!(!try_import(&std::fs::read(&file).unwrap()), "{}", file.display());
    }
    let model = models::small(1);
    assert!(try_import(&model));
    (0..model.len()).for_each(|length| assert!(!try_import(&model[..length]), "{length} bytes"));
}

#[test]
fn too_long() {
    let error = import("long", &vec![0; MOST_BYTES + 1]);
    assert_eq!(error, Err(ImportError::TooLarge(MOST_BYTES + 1)));
}

/// What many tables share counts as often as it is used, before it is read.
#[test]
fn what_is_shared_is_bounded() {
    for (name, model) in models::shared() {
        let begin = std::time::Instant::now();
        let said = import(name, &model).err().map(|error| error.to_string());
        assert!(begin.elapsed().as_secs() < 5, "{name}");
        if name != "names" {
            let said = said.unwrap_or_else(|| panic!("{name}: {} bytes are taken", model.len()));
            assert!(said.len() < 2_000_000 && !said.contains("damaged"), "{name}: {said:.300}");
        }
    }
}

/// Lists of a binary file that lie over each other are no more than the file.
#[test]
fn lists_that_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.json");
    save_with_binary(&zoo::kws_mini(1), &path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let size = std::fs::metadata(path.with_extension("bin")).unwrap().len();
    for layer in value["layers"].as_array_mut().unwrap() {
        if let Some(linear) = layer["operator"].get_mut("linear") {
            linear["weights"] = serde_json::json!({"offset": 0, "length": size});
        }
    }
    std::fs::write(&path, value.to_string()).unwrap();
    let said = load(&path).unwrap_err().to_string();
    assert!(said.ends_with("they must not overlap"), "{said}");
}

/// An unknown or repeated key is an error, however deep it lies.
#[test]
fn keys_are_known_and_once() {
    let text = serde_json::to_string(&zoo::kws_mini(1)).unwrap();
    let keys = [
        "\"version\":",
        "\"shape\":",
        "\"operator\":",
        "\"kind\":",
        "\"stride\":",
        "\"top\":",
        "\"weights\":",
        "\"mantissas\":",
        "\"min\":",
    ];
    for key in keys {
        let at = text.find(key).unwrap();
        let value = text[at + key.len()..].chars().next().unwrap();
        let again = match value {
            '[' => "[1, 1]",
            '{' => "{}",
            '"' => "\"reshape\"",
            _ => "1",
        };
        let twice = format!("{}{key}{again},{}", &text[..at], &text[at..]);
        let said = graph::read(&twice).unwrap_err();
        // an operator's kind is no field of what that kind has
        let told = ["duplicate field", "missing", "unknown field `kind`"];
        assert!(told.iter().any(|told| said.contains(told)), "{key}: {said}");
        let unknown = format!("{}\"nothing\":1,{}", &text[..at], &text[at..]);
        let said = graph::read(&unknown).unwrap_err();
        assert!(said.contains("unknown field `nothing`"), "{key}: {said}");
    }
    let policy = |text: &str| serde_json::from_str::<Policy>(text).unwrap_err().to_string();
    let said = policy(r#"{"version": 1, "weight_bits": {"a": 4, "b": 3, "a": 2}}"#);
    assert!(said.starts_with("layer `a` is named twice"), "{said}");
    assert!(policy(r#"{"version": 1, "version": 1}"#).contains("duplicate field"));
    assert!(policy(r#"{"version": 1, "bits": {}}"#).contains("unknown field"));
}

#[test]
fn names_move_no_cursor() {
    let mut network = zoo::kws_mini(1);
    network.layers[0].name = "\u{1b}[2Jconv".to_owned();
    let said = network.validate().unwrap_err().to_string();
    assert!(said.contains(r"\u{1b}[2Jconv") && !said.contains('\u{1b}'), "{said}");
}

#[test]
fn damaged_networks() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.json");
    let text = serde_json::to_vec(&zoo::kws_mini(1)).unwrap();
    // the weights of the last layer are most of the text
    let head = text.len().min(3000);
    for _ in 0..500 {
        let mut bytes = text.clone();
        for _ in 0..rng.random_range(1..3) {
            let at = rng.random_range(0..head);
            bytes[at] = b"0123456789-,.[]{}\"ex"[rng.random_range(0..20)];
        }
        std::fs::write(&path, bytes).unwrap();
        if let Err(error) = load(&path) {
            assert!(!error.to_string().is_empty());
        }
    }
}
