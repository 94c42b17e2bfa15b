//! The forward passes against queries, keys and values that others recorded: where weights
//! (`scripts/fetch-models`) and recordings (`HWGEN_DATA`) are at hand.

use hwgen_models::attention::{Float, Recorder, Site, array};
use hwgen_models::measure::perplexity;
use hwgen_models::weights;
use hwgen_verify::attention::{Head, Workload, data};
use serde_json::Value;
use std::fs;

/// Weights, recordings and their index, or a word on what is missing.
fn at_hand() -> Option<(std::path::PathBuf, Vec<Workload>, Value)> {
    let Some(models) = weights::folder() else {
        println!("no weights: scripts/fetch-models gets them");
        return None;
    };
    let Some(recordings) = data::recorded_workloads().unwrap() else {
        println!("no recordings: HWGEN_DATA names their folder");
        return None;
    };
    let index = data::folder()?.join("transformer_qkv/index.json");
    let index = serde_json::from_slice(&fs::read(index).unwrap()).unwrap();
    Some((models, recordings, index))
}

fn ids(index: &Value, recording: &str) -> Vec<u32> {
    serde_json::from_value(index[recording]["ids"].clone()).unwrap()
}

/// Half precision has 11 bits; the run that was recorded had an order of summing of its own.
fn compare(recorded_head: &Head, ours: &Head) {
    for (part, recorded, ours) in [
        ("queries", &recorded_head.queries, &ours.queries),
        ("keys", &recorded_head.keys, &ours.keys),
        ("values", &recorded_head.values, &ours.values),
    ] {
        let (recorded, ours) = (array(recorded).unwrap(), array(ours).unwrap());
        assert_eq!(recorded.dim(), ours.dim());
        for (r, o) in recorded.iter().zip(&ours) {
            let close = (r - o).abs() <= r.abs() / 1024.0 + 1e-3;
            assert!(close, "{} {part}: {r} recorded, {o} here", recorded_head.name);
        }
    }
}

#[test]
fn minilm_is_as_recorded() {
    let Some((models, recordings, index)) = at_hand() else { return };
    let encoder = weights::encoder(&models, "minilm").unwrap();
    for (file, name) in [
        ("minilm_gsm8k_single.npy", "MiniLM, 26 tokens"),
        ("minilm_gsm8k_t128.npy", "MiniLM, 128 tokens"),
    ] {
        let recorded = recordings.iter().find(|workload| workload.name == name).unwrap();
        let mut recorder = Recorder { attention: Float::default(), heads: vec![] };
        encoder.hidden(&ids(&index, file), &mut recorder).unwrap();
        assert_eq!(recorder.heads.len(), recorded.heads.len());
        for (recorded, (site, ours)) in recorded.heads.iter().zip(&recorder.heads) {
            assert_eq!(recorded.name, ours.name, "{site:?}");
            compare(recorded, ours);
        }
        println!("{name}: {} heads agree", recorded.heads.len());
    }
}

#[test]
fn smollm2_is_as_recorded() {
    let Some((models, recordings, index)) = at_hand() else { return };
    let decoder = weights::decoder(&models.join("smollm2.gguf")).unwrap();
    let recorded = recordings.last().unwrap();
    let index = &index["smollm2_humaneval_t128"];
    let text: Vec<u32> = serde_json::from_value(index["ids"].clone()).unwrap();
    let layers: Vec<usize> = serde_json::from_value(index["layers"].clone()).unwrap();
    let mut recorder = Recorder { attention: Float::default(), heads: vec![] };
    let surprises = decoder.surprise(&text, &mut recorder).unwrap();
    for (n, recorded) in recorded.heads.iter().enumerate() {
        let site = Site { layer: layers[n / 9], head: n % 9 };
        let (_, ours) = recorder.heads.iter().find(|(at, _)| *at == site).unwrap();
        compare(recorded, ours);
    }
    let (expected, ours) = (index["perplexity"].as_f64().unwrap(), perplexity(&surprises));
    println!("{} heads agree; perplexity {ours:.3}, recorded {expected}", recorded.heads.len());
    assert!((ours / expected - 1.0).abs() < 0.01, "{ours} {expected}");
}
