//! LAPA whole on attention: every head of every recorded model, queries in, outputs out, circuit
//! against golden models; and a sequence of 2,048 tokens.
//!
//! `cargo test -p hwgen-verify --test engine_attention -- --nocapture` prints the figures.

use hwgen_designs::attention::engine::drive::Head;
use hwgen_designs::attention::engine::{LapaAttentionSpec, build};
use hwgen_designs::drive::{Driven, Stalls};
use hwgen_hdl::sim::Initial;
use hwgen_verify::attention::data::recorded;
use hwgen_verify::attention::output::{self, Integers};
use hwgen_verify::attention::synthetic::Clustered;
use hwgen_verify::attention::{self, Workload};
use hwgen_verify::cosim::Engine;
use std::time::Instant;

/// The default engine, with room for these heads.
fn spec_for(workload: &Workload) -> LapaAttentionSpec {
    let [head_dim, max_keys] = workload.largest();
    let lanes = head_dim.next_power_of_two();
    let mut spec = LapaAttentionSpec::default();
    (spec.lapa.head_dim, spec.lapa.max_keys, spec.exact.lanes) = (head_dim, max_keys, lanes);
    spec
}

/// The same with one round over high nibbles, for as many queries at a time as keys were.
fn tiled_for(workload: &Workload) -> LapaAttentionSpec {
    let mut spec = spec_for(workload);
    (spec.lapa.key_slices, spec.lapa.tile) = (vec![4], spec.lapa.rows);
    spec
}

/// A head as the engine gets it, its survivors those of the golden model.
fn head(of: &attention::Head, spec: &LapaAttentionSpec) -> Head {
    let mut head = Integers::of(of).driven();
    head.predict(spec).unwrap();
    head
}

/// What a run showed.
struct Shown {
    /// Rows that differ from the golden model's.
    mismatches: usize,
    /// How far the cycle model is off.
    off: f64,
    /// Multipliers at work, of the cycles in which no keys are loaded.
    busy: f64,
}

/// Sends the heads, one behind the other without a reset.
fn compare(spec: &LapaAttentionSpec, workload: &Workload, engine: Engine) -> Shown {
    let heads: Vec<_> = workload.heads.iter().map(|of| head(of, spec)).collect();
    let (expected, model) = (spec.expected(&heads).unwrap(), spec.out_cycles(&heads));
    let mut device = engine.open(&build(spec), Initial::Zero).unwrap();
    let start = Instant::now();
    let run = spec.run(&mut *device, &heads, Stalls::default(), expected.len()).unwrap();
    let mismatches = run.beats.iter().zip(&expected).filter(|(is, must)| is != must).count();
    let (cycles, model) = (run.cycles[run.cycles.len() - 1], model[model.len() - 1]);
    let off = model as f64 / cycles as f64 - 1.0;
    let (kept, seen) =
        heads.iter().fold((0, 0), |(kept, seen), head| (kept + head.kept(), seen + head.seen()));
    let mut counter = |name: &str| {
        let port = device.module().outputs.iter().position(|port| *port.name == *name).unwrap();
        u64::try_from(device.peek(port)).unwrap() as f64
    };
    let [scoring, loading, all] = ["scoring", "loading", "cycles"].map(&mut counter);
    let busy = scoring / (all - loading);
    println!(
        "{}, tile {}: {} heads, {} rows, keys kept {:.3}, {cycles} cycles on {engine} ({:.1} s), multipliers \
         at work {:.3}, {busy:.3} while no keys are loaded, cycle model {:+.2} %: {mismatches} rows differ",
        workload.name,
        spec.lapa.tile,
        heads.len(),
        expected.len(),
        kept as f64 / seen as f64,
        start.elapsed().as_secs_f64(),
        scoring / all,
        100.0 * off,
    );
    Shown { mismatches, off: off.abs(), busy }
}

/// One head a layer: a sample where all would take too long.
fn sample(mut workload: Workload) -> Workload {
    let mut layers = std::collections::HashSet::new();
    workload.heads.retain(|head| {
        let layer = head.name.split(" head").next().unwrap_or_default();
        layers.insert(layer.to_owned())
    });
    workload
}

fn synthetic(tokens: usize, head_dim: usize, seeds: u64) -> Workload {
    Clustered { tokens, head_dim, seeds, causal: true, ..Clustered::default() }.workload()
}

#[test]
fn synthetic_attention() {
    let workload = synthetic(96, 32, 2);
    for engine in [Engine::Jit, Engine::Verilator] {
        for spec in [spec_for(&workload), tiled_for(&workload)] {
            let shown = compare(&spec, &workload, engine);
            assert!(shown.mismatches == 0 && shown.off < 0.02);
        }
    }
}

#[test]
fn a_head_a_layer_of_recorded_attention() {
    for workload in recorded().into_iter().map(sample) {
        let shown = compare(&spec_for(&workload), &workload, Engine::Jit);
        assert!(shown.mismatches == 0 && shown.off < 0.02 && shown.busy >= 0.8);
    }
}

/// The default engine's output on every head: mean cosine with exact attention.
#[test]
fn the_default_loses_less_than_a_hundredth() {
    let workloads = recorded();
    let synthetic = workloads.is_empty().then(|| synthetic(96, 32, 2));
    for workload in workloads.into_iter().chain(synthetic) {
        let spec = spec_for(&workload);
        let predictor = spec.predictor();
        let select = output::lapa(&predictor, 0.0);
        let output = output::measure(&workload, spec.exact.probability_bits, select).unwrap();
        println!(
            "{}: keys kept {:.3}, cosine {:.4}, without sinks {:.4}",
            workload.name,
            output.kept(),
            output.cosine(),
            output.cosine_without_sinks()
        );
        assert!(output.cosine() >= 0.99, "{}", workload.name);
    }
}

#[test]
#[ignore = "minutes: `cargo xtask bars engine`"]
fn recorded_attention() {
    let workloads = recorded();
    assert!(!workloads.is_empty(), "nothing to compare: set HWGEN_DATA to the recordings' folder");
    let (mut mismatches, mut worst) = (0, 0.0f64);
    for workload in workloads {
        for (workload, engine) in
            [(workload.clone(), Engine::Jit), (sample(workload), Engine::Verilator)]
        {
            for spec in [spec_for(&workload), tiled_for(&workload)] {
                let shown = compare(&spec, &workload, engine);
                (mismatches, worst) = (mismatches + shown.mismatches, worst.max(shown.off));
                assert!(spec.lapa.tile > 1 || shown.busy >= 0.8);
            }
        }
    }
    println!("engine: {mismatches} rows differ; cycle model {:.3} % off at most", 100.0 * worst);
    assert!(worst < 0.02);
}

#[test]
#[ignore = "minutes: `cargo xtask bars long`"]
fn two_thousand_tokens() {
    let workload = synthetic(2048, 64, 1);
    let Shown { mismatches, off, .. } = compare(&spec_for(&workload), &workload, Engine::Jit);
    println!("long: {mismatches} rows differ; cycle model {:.3} % off", 100.0 * off);
    assert!(off < 0.02);
}
