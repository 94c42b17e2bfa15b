//! What predicting keys before they exist costs in quality, and saves in columns and cycles.

use bitvec::vec::BitVec;
use hwgen_designs::attention::lapa::LapaSpec;
use hwgen_designs::attention::lapa::cost::{HeadShape, JobShape};
use hwgen_designs::attention::lapa::drive::shape;
use hwgen_designs::attention::lapa_predictor::{Filter, LapaPredictorSpec};
use hwgen_designs::cost::Cost;
use hwgen_designs::spec::Spec;
use hwgen_verify::attention::lapa::{Synthetic, measure};
use hwgen_verify::attention::output::{Integers, lapa};
use hwgen_verify::attention::synthetic::Clustered;
use hwgen_verify::attention::{Workload, data};

/// The mean over heads of a filter's kept keys, columns made, cosine, and the layer's cycles.
fn figures(shape_of: &Synthetic, spec: &LapaSpec) -> [f64; 5] {
    let layer = shape_of.layer(1);
    let heads = measure(&layer, spec).unwrap();
    let count = heads.len() as f64;
    let mean = |figure: &dyn Fn(usize) -> f64| (0..heads.len()).map(figure).sum::<f64>() / count;
    let job = layer.job();
    let job = shape(spec, &job, &job.results(spec).unwrap());
    let cycles = spec.cycles(&[job]);
    [
        mean(&|head| heads[head].0.kept),
        mean(&|head| heads[head].0.mass),
        mean(&|head| heads[head].1),
        mean(&|head| heads[head].0.cosine),
        cycles as f64,
    ]
}

#[test]
fn predicted_keys_choose_nearly_as_well_as_exact_ones() {
    println!("| tokens | filter | keys | kept | mass | columns made | cosine | cycles |");
    for causal in [false, true] {
        let tokens = 96;
        let shape = Synthetic {
            tokens,
            inputs: 96,
            head_dim: 32,
            heads: 4,
            clusters: 12,
            causal,
            gain: 1.0,
        };
        for (name, filter) in [
            ("`mean_max` 0, 0", Filter::MeanMax { alpha16: vec![0, 0] }),
            ("`mean_max` 4, 4", Filter::MeanMax { alpha16: vec![4, 4] }),
            ("`top_k` 64, 16", Filter::TopK { keep256: vec![64, 16] }),
        ] {
            let [predicted, exact] = [true, false].map(|predict_keys| {
                let mut spec = LapaSpec {
                    inputs: 96,
                    log_lanes: 64,
                    query_lanes: 32,
                    key_value_lanes: 64,
                    causal,
                    predict_keys,
                    ..LapaSpec::default()
                };
                let attention = &mut spec.attention;
                (attention.lapa.head_dim, attention.lapa.max_keys) = (32, 96);
                attention.lapa.filter = filter.clone();
                attention.exact.lanes = 32;
                spec.validate().unwrap();
                let figures = figures(&shape, &spec);
                let [kept, mass, made, cosine, cycles] = figures;
                let (kind, mask) = (
                    if predict_keys { "predicted" } else { "exact" },
                    if causal { ", causal" } else { "" },
                );
                println!(
                    "| {tokens}{mask} | {name} | {kind} | {kept:.3} | {mass:.3} | {made:.3} | {cosine:.4} | {cycles} |"
                );
                figures
            });
            assert!(exact[3] > 0.8, "{name}: {exact:?}");
            assert!(predicted[3] > exact[3] - 0.05, "{name}: {predicted:?}, {exact:?}");
            assert!(predicted[2] <= 1.0 && exact[2] == 1.0);
        }
    }
}

/// The recorded ones, else synthetic ones.
fn workloads(tokens: usize, seeds: u64) -> Vec<Workload> {
    let shape = Clustered { tokens, head_dim: 32, seeds, ..Clustered::default() };
    data::recorded_or(|| shape.both_masks())
}

/// Columns that some row of a head keeps, by the predictor on exact keys; every sixth head.
#[test]
fn columns_needed() {
    let workloads = workloads(128, 7);
    println!("| workload | filter | kept | columns needed | of the head with least |");
    for workload in workloads {
        for (name, filter) in [
            ("`mean_max` 0, 0", Filter::MeanMax { alpha16: vec![0, 0] }),
            ("`mean_max` 4, 4", Filter::MeanMax { alpha16: vec![4, 4] }),
            ("`top_k` 64, 16", Filter::TopK { keep256: vec![64, 16] }),
        ] {
            let spec = LapaPredictorSpec { filter, ..LapaPredictorSpec::default() };
            let select = lapa(&spec, 12.0);
            let (mut kept, mut needed) = (vec![], vec![]);
            for head in workload.heads.iter().step_by(6) {
                let rows = select(&Integers::of(head)).unwrap();
                let ones: usize = rows.iter().map(|row| row.count_ones()).sum();
                let seen: usize = rows.iter().map(|row| row.len()).sum();
                let mut columns: BitVec = BitVec::repeat(false, head.keys.rows());
                rows.iter().flat_map(|row| row.iter_ones()).for_each(|j| columns.set(j, true));
                kept.push(ones as f64 / seen as f64);
                needed.push(columns.count_ones() as f64 / columns.len() as f64);
            }
            let mean = |list: &[f64]| list.iter().sum::<f64>() / list.len() as f64;
            let least = needed.iter().copied().fold(1.0, f64::min);
            let (kept, needed) = (mean(&kept), mean(&needed));
            println!("| {} | {name} | {kept:.3} | {needed:.3} | {least:.3} |", workload.name);
            assert!(kept <= needed || workload.heads[0].causal);
        }
    }
}

/// What a window over rows brings where columns, queries or the exact stage are the bottleneck:
/// cycles of the masks that the predictor chooses on exact keys; every twelfth head.
#[test]
fn rows_out_of_order() {
    let workloads = workloads(64, 13);
    println!("| workload | filter | slowest | window 1 | 2 | 4 | 8 |");
    for workload in workloads {
        for (name, filter) in [
            ("`mean_max` 0, 0", Filter::MeanMax { alpha16: vec![0, 0] }),
            ("`mean_max` 4, 4", Filter::MeanMax { alpha16: vec![4, 4] }),
        ] {
            let predictor =
                LapaPredictorSpec { filter: filter.clone(), ..LapaPredictorSpec::default() };
            let select = lapa(&predictor, 12.0);
            let heads: Vec<_> = (workload.heads.iter().step_by(12))
                .map(|head| head_shape(&select(&Integers::of(head)).unwrap()))
                .collect();
            let first = &workload.heads[0];
            for (slowest, [query_lanes, key_value_lanes, lanes]) in [
                ("queries", [16, 128, 64]),
                ("columns", [64, 16, 64]),
                ("exact stage", [64, 128, 4]),
                ("balanced", [32, 64, 16]),
            ] {
                let cycles = [1, 2, 4, 8].map(|row_window| {
                    let mut spec = LapaSpec {
                        inputs: 384,
                        max_heads: 64,
                        causal: first.causal,
                        query_lanes,
                        key_value_lanes,
                        row_window,
                        hidden: 0,
                        ..LapaSpec::default()
                    };
                    let attention = &mut spec.attention;
                    attention.lapa.head_dim = first.keys.cols() as u32;
                    attention.lapa.max_keys = first.keys.rows() as u32;
                    attention.lapa.filter = filter.clone();
                    attention.exact.lanes = lanes;
                    let job = JobShape { heads: heads.clone(), feed: None };
                    spec.cycles(&[job])
                });
                let [one, two, four, eight] = cycles;
                println!(
                    "| {} | {name} | {slowest} | {one} | {two} | {four} | {eight} |",
                    workload.name
                );
                assert!(eight as f64 <= one as f64 * 1.01, "{cycles:?}");
            }
        }
    }
}

/// A head's mask as the timing sees it.
fn head_shape(rows: &[BitVec]) -> HeadShape {
    let groups = LapaSpec::default().shape().rows as usize;
    let count = |row: &BitVec| row.chunks(groups).map(|g| g.count_ones() as u32).collect();
    let columns = rows.iter().map(|row| row.len()).max().unwrap_or_default();
    let kept = |j: usize| rows.iter().any(|row| row.get(j).is_some_and(|bit| *bit));
    HeadShape {
        made: (0..columns).map(kept).collect(),
        rows: rows.iter().map(count).collect(),
        kept: rows.iter().map(|row| row.iter_ones().collect()).collect(),
    }
}
