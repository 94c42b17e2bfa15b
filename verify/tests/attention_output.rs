//! How close integer attention on predicted keys comes to floating-point attention, and what it
//! takes to stay close. `cargo xtask bars output` prints the sweep on every recorded model.

use hwgen_designs::attention::lapa_predictor::{Filter, LapaPredictorSpec};
use hwgen_designs::attention::sanger_predictor::golden::Setting;
use hwgen_verify::attention::output::{Output, all_keys, fact, lapa, measure, sanger};
use hwgen_verify::attention::synthetic::Clustered;
use hwgen_verify::attention::{Workload, data};

/// The mean cosine that counts as no loss.
const TARGET: f64 = 0.99;

/// The radius filter's radius in logits: what its setting scales.
const RADIUS: f32 = 12.0;

/// Every recorded model, or synthetic ones of the same kind.
fn workloads() -> Vec<Workload> {
    let shape = Clustered { tokens: 128, head_dim: 32, seeds: 3, ..Clustered::default() };
    data::recorded_or(|| shape.both_masks())
}

fn with(filter: Filter) -> LapaPredictorSpec {
    LapaPredictorSpec { filter, ..LapaPredictorSpec::default() }
}

fn line(name: &str, output: &Output) {
    println!(
        "  {name:24} kept {:.3} mass {:.3} cosine {:.4}, without sinks {:.4}",
        output.kept(),
        output.mass(),
        output.cosine(),
        output.cosine_without_sinks()
    );
}

#[test]
fn integers_lose_next_to_nothing() {
    for workload in workloads() {
        println!("{}: all keys", workload.name);
        for bits in [6, 8, 10, 12] {
            let output = measure(&workload, bits, all_keys).unwrap();
            line(&format!("{bits} bits a weight"), &output);
            assert!(output.cosine() > if bits < 10 { 0.98 } else { 0.995 });
        }
        let sinks = measure(&workload, 8, all_keys).unwrap();
        println!(
            "  {} of {} heads are sinks",
            sinks.heads.iter().filter(|h| h.sink).count(),
            sinks.heads.len()
        );
    }
}

/// Filters from many keys to few; for each kind, settings of both rounds.
fn filters() -> Vec<(String, LapaPredictorSpec)> {
    let mut filters = vec![];
    for last in [-10, -8, -6, -5, -4, -3, -2, -1, 0, 1, 2] {
        for first in [-14, -10, -6, -4, -2, 0].into_iter().filter(|first| *first <= last) {
            let spec = with(Filter::MeanMax { alpha16: vec![first, last] });
            filters.push((format!("mean_max {first} {last}"), spec));
        }
    }
    for last in [-20, -16, -12, -8, -4, 0, 4, 8] {
        for first in [-32, -24, -16, -8, 0].into_iter().filter(|first| *first <= last) {
            let spec = with(Filter::Sigma { c16: vec![first, last] });
            filters.push((format!("sigma {first} {last}"), spec));
        }
    }
    for keep in [64, 96, 128, 160, 192, 224] {
        let spec = with(Filter::TopK { keep256: vec![(keep + 256) / 2, keep] });
        filters.push((format!("top_k {} {keep}", (keep + 256) / 2), spec));
    }
    for last in [96, 112, 128, 144, 152, 160, 168, 176, 188, 200] {
        for loose in [4, 6, 8, 12] {
            // of what the last round may lose, the part that the first may
            let first = 256 - (256 - last) * 4 / loose;
            let spec = with(Filter::Mass { mass256: vec![first, last] });
            filters.push((format!("mass {first} {last}"), spec));
        }
    }
    for last in [4, 5, 6, 7, 8, 9, 10, 12] {
        for first in [6, 7, 8, 9, 10, 12, 14, 16].into_iter().filter(|first| *first >= last) {
            let spec = with(Filter::Radius { alpha16: vec![first, last] });
            filters.push((format!("radius {first} {last}"), spec));
        }
    }
    filters
}

#[test]
#[ignore = "minutes: `cargo xtask bars output`"]
fn one_percent_of_loss() {
    let mut worst = f64::INFINITY;
    for workload in workloads() {
        println!("{}", workload.name);
        let measured = filters().into_iter().map(|(name, spec)| {
            let output = measure(&workload, 8, lapa(&spec, RADIUS)).unwrap();
            (name, output)
        });
        let mut measured: Vec<_> = measured.collect();
        measured.sort_by(|a, b| a.1.kept().total_cmp(&b.1.kept()));
        let mut best = 0.0;
        for (name, output) in &measured {
            // those that no smaller selection beats
            if output.cosine() > best {
                best = output.cosine();
                line(name, output);
            }
        }
        let close = measured.iter().find(|(_, output)| output.cosine() >= TARGET);
        let (name, output) = close.expect("a setting that stays close");
        println!("  -> {name}");
        worst = worst.min(output.cosine());
    }
    println!("output: {worst:.4}");
}

/// LAPA's mass filter, FACT and Sanger at the setting that keeps the fewest keys and stays close.
#[test]
fn peers_at_equal_closeness() {
    for workload in workloads() {
        println!("{}", workload.name);
        let close = |name: &str, settings: &[u32], run: &dyn Fn(u32) -> Output| {
            let found = settings.iter().map(|&setting| (setting, run(setting)));
            let found = found.into_iter().find(|(_, output)| output.cosine() >= TARGET);
            match &found {
                Some((setting, output)) => line(&format!("{name} {setting}"), output),
                None => println!("  {name}: none is close enough"),
            }
            found.is_some()
        };
        let mass = [112, 128, 132, 136, 144, 160, 164, 168, 176, 180, 184, 188, 192, 200, 224];
        let kept = close("lapa mass256, last", &mass, &|last| {
            // the first round may lose seven tenths of what the last may
            let first = 256 - (256 - last) * 7 / 10;
            let spec = with(Filter::Mass { mass256: vec![first, last] });
            measure(&workload, 8, lapa(&spec, RADIUS)).unwrap()
        });
        assert!(kept, "nearly all of the mass is close");
        let keep: Vec<u32> = (4..=16).map(|sixteenths| 16 * sixteenths).collect();
        let kept = close("fact keep256", &keep, &|keep| measure(&workload, 8, fact(keep)).unwrap());
        assert!(kept, "all keys are close");
        let thresholds =
            [1311, 655, 524, 459, 393, 344, 328, 295, 262, 246, 229, 213, 197, 131, 66, 33, 16, 1];
        for row_normalise in [true, false] {
            let name = if row_normalise { "sanger, rows" } else { "sanger, one scale" };
            close(name, &thresholds, &|threshold65536| {
                let setting = Setting { threshold65536, row_normalise, ..Setting::default() };
                measure(&workload, 8, sanger(setting)).unwrap()
            });
        }
    }
}

#[test]
fn fewer_keys_cost_closeness() {
    for workload in workloads().iter().take(1) {
        println!("{}", workload.name);
        let outputs = [-8, -4, 0].map(|alpha| {
            let spec = with(Filter::MeanMax { alpha16: vec![alpha] });
            let output = measure(workload, 8, lapa(&spec, RADIUS)).unwrap();
            line(&format!("mean_max {alpha} {alpha}"), &output);
            output
        });
        for pair in outputs.windows(2) {
            assert!(pair[0].kept() > pair[1].kept() && pair[0].mass() > pair[1].mass());
            assert!(pair[0].cosine() > pair[1].cosine());
        }
    }
}
