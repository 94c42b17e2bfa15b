//! Damaged files: a fault told in words, never a panic, never memory that the file does not justify.

mod models;

use hwgen_network::graph::load;
use hwgen_network::import::{ImportError, MOST_BYTES, import};
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
