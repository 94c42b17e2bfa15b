//! The LAPA circuit on attention: every head of every recorded model (and of a synthetic one, for
//! machines without recordings), quantized to int8 per head, circuit against golden model.
//!
//! `cargo test -p hwgen-verify --test lapa_attention -- --nocapture` prints the figures.

use hwgen_designs::attention::lapa_predictor::{LapaPredictorSpec, build};
use hwgen_designs::drive::{Driven, Stalls};
use hwgen_hdl::sim::{Device, Initial};
use hwgen_verify::attention::Workload;
use hwgen_verify::attention::data::recorded;
use hwgen_verify::attention::output::Integers;
use hwgen_verify::attention::quality::{measure_filter, measure_scores};
use hwgen_verify::attention::synthetic::Clustered;
use hwgen_verify::cosim::Engine;
use std::time::Instant;

/// The default predictor, with room for these heads.
fn spec_for(workload: &Workload) -> LapaPredictorSpec {
    let [head_dim, keys] = workload.largest();
    let max_keys = keys.next_multiple_of(16);
    LapaPredictorSpec { head_dim, max_keys, ..LapaPredictorSpec::default() }
}

/// Sends the heads, one behind the other without a reset, through the engine. Returns how many
/// groups of survivors and scores were compared.
fn compare(workload: &Workload, engine: Engine) -> usize {
    let spec = spec_for(workload);
    let heads: Vec<_> = workload.heads.iter().map(|head| Integers::of(head).driven()).collect();
    let expected = spec.expected(&heads).unwrap();
    let mut device: Box<dyn Device> = engine.open(&build(&spec), Initial::Zero).unwrap();
    let start = Instant::now();
    let run = spec.run(device.as_mut(), &heads, Stalls::default(), expected.len()).unwrap();
    let mismatches = run.beats.iter().zip(&expected).filter(|(is, must)| is != must).count();
    let (beats, cycles) = (expected.len(), run.cycles.last().map_or(0, |last| last + 1));
    println!(
        "{}: {} heads, {beats} groups of survivors and scores in {cycles} cycles on {engine} \
         ({:.1} s): {mismatches} mismatches",
        workload.name,
        heads.len(),
        start.elapsed().as_secs_f64()
    );
    assert_eq!(mismatches, 0, "{} on {engine}", workload.name);
    beats
}

fn report_quality(workload: &Workload) {
    let scores = measure_scores(&LapaPredictorSpec::default(), workload).unwrap();
    let filter = measure_filter(&LapaPredictorSpec::default(), workload).unwrap();
    let live: Vec<_> = filter.live.iter().map(|live| format!("{:.1} %", live * 100.0)).collect();
    println!(
        "{}: recall of the true top 25 % {:.3}, softmax mass kept {:.3} (oracle {:.3}), \
         keys surviving each round {}",
        workload.name,
        scores.recall_final,
        filter.mass,
        filter.oracle_mass,
        live.join(", ")
    );
}

fn synthetic() -> Workload {
    Clustered { tokens: 96, head_dim: 32, ..Clustered::default() }.workload()
}

#[test]
fn synthetic_attention() {
    let workload = synthetic();
    report_quality(&workload);
    compare(&workload, Engine::Jit);
    compare(&workload, Engine::Verilator);
}

#[test]
fn recorded_attention_on_our_engine() {
    for workload in recorded() {
        report_quality(&workload);
        compare(&workload, Engine::Jit);
    }
}

#[test]
#[ignore = "minutes: `cargo xtask bars attention`"]
fn recorded_attention_in_verilator() {
    let workloads = recorded();
    let beats: usize = workloads.iter().map(|w| compare(w, Engine::Verilator)).sum();
    let models = workloads.len();
    assert!(beats > 0, "nothing to compare: set HWGEN_DATA to the folder of recordings");
    println!("attention: 0 mismatches in {beats} groups of {models} recorded workloads");
}
