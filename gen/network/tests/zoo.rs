//! The built-in networks: sizes as printed in the paper, files that read back.

use hwgen_network::graph::{Network, load, save, save_with_binary, schema};
use hwgen_network::zoo;

/// Name, bottlenecks a stage, and parameters (arXiv 1912.05124: 16.2K, 44.3K, 61K, and with graph
/// convolutions 27.6K, 55.6K, 72.3K).
const CENET: [(&str, [u64; 3], usize); 6] = [
    ("cenet_6", [1, 1, 1], 16_252),
    ("cenet_24", [7, 7, 7], 44_284),
    ("cenet_40", [15, 15, 7], 60_924),
    ("cenet_gcn_6", [1, 1, 1], 27_607),
    ("cenet_gcn_24", [7, 7, 7], 55_639),
    ("cenet_gcn_40", [15, 15, 7], 72_279),
];

/// Multiplications on maps of 50x20, 25x10, 13x5 and 7x3 pixels.
fn multiplies(bottlenecks: [u64; 3], gcn: bool) -> u64 {
    let pixels = [50 * 20, 25 * 10, 13 * 5, 7 * 3];
    let mut sum = 101 * 40 * 9 * 16 + 64 * 12;
    for (stage, (channels, middle, after)) in
        [(16, 8, 32), (32, 8, 48), (48, 12, 64)].iter().enumerate()
    {
        let (before, left) = (pixels[stage], pixels[stage + 1]);
        let filter = 9 * middle * middle;
        sum += bottlenecks[stage] * before * (2 * channels * middle + filter);
        sum += before * channels * middle;
        sum += left * (filter + middle * after + channels * after);
        if gcn {
            let embedded = after / 4;
            sum += left * (2 * after * embedded + after * after);
            sum += left * left * (embedded + after);
        }
    }
    sum
}

#[test]
fn cenet_has_the_papers_parameters() {
    for (name, bottlenecks, parameters) in CENET {
        let built = zoo::build(name, 1).unwrap();
        built.network.validate().unwrap();
        assert_eq!((built.network.name.as_str(), built.parameters), (name, parameters));
        let expected = multiplies(bottlenecks, name.contains("gcn"));
        assert_eq!(built.network.multiplies(), expected, "{name}");
    }
    assert_eq!(multiplies([1, 1, 1], false), 2_681_184);
    assert_eq!(multiplies([15, 15, 7], true), 22_618_348);
}

#[test]
fn kws_mini_is_its_size() {
    let network = zoo::kws_mini(3);
    network.validate().unwrap();
    assert_eq!(network.multiplies(), 205_200);
    assert_eq!(zoo::build("kws_mini", 3).unwrap().parameters, 12_348);
    assert!(zoo::kws_mini(3) == network);
    assert!(zoo::kws_mini(4) != network);
    for bits in 2..=8 {
        zoo::kws_mini_at(1, bits, bits).validate().unwrap();
    }
}

#[test]
fn every_name_builds() {
    assert!(zoo::NAMES.iter().all(|name| zoo::build(name, 1).is_some()));
    assert!(zoo::build("resnet", 1).is_none());
}

#[test]
fn files_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.json");
    for network in [zoo::kws_mini(1), zoo::build("cenet_gcn_6", 2).unwrap().network] {
        save(&network, &path).unwrap();
        assert!(load(&path).unwrap() == network);
        save_with_binary(&network, &path).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("\"weights\": ["));
        assert!(load(&path).unwrap() == network);
    }
    let mut bytes = std::fs::read(folder.path().join("network.bin")).unwrap();
    bytes[100] ^= 1;
    std::fs::write(folder.path().join("network.bin"), bytes).unwrap();
    let error = load(&path).unwrap_err().to_string();
    assert!(error.contains("network.bin has sha256"), "{error}");
}

#[test]
fn the_schema_is_the_one_in_the_docs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/network.schema.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), schema(), "UPDATE_DOCS=1 writes it anew");
}

#[test]
fn an_unknown_member_is_refused() {
    let text = serde_json::to_string(&zoo::kws_mini(1)).unwrap();
    let text = text.replacen("\"version\":1", "\"version\":1,\"color\":2", 1);
    assert!(serde_json::from_str::<Network>(&text).unwrap_err().to_string().contains("color"));
}
