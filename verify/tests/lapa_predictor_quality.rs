//! Measures how well the LAPA predictor finds the keys that matter. Print the tables with
//! `cargo test -p hwgen-verify --test lapa_predictor_quality -- --nocapture --test-threads=1`.

use hwgen_designs::attention::lapa_predictor::{Filter, LapaPredictorSpec};
use hwgen_verify::attention::quality::{
    FilterQuality, ScoreQuality, measure_filter, measure_scores,
};
use hwgen_verify::attention::synthetic::Clustered;
use hwgen_verify::attention::tables::{filter_table, score_table};
use hwgen_verify::attention::{Workload, data};

/// The filters whose figures are printed: those of our notes, and each other mode once.
fn filters() -> Vec<(&'static str, LapaPredictorSpec)> {
    let with = |filter| LapaPredictorSpec { filter, ..LapaPredictorSpec::default() };
    let mean_max = |alpha16: [i32; 2]| with(Filter::MeanMax { alpha16: alpha16.to_vec() });
    vec![
        ("mean_max -3/16 0", mean_max([-3, 0])),
        ("mean_max 0 0 (default)", mean_max([0, 0])),
        ("mean_max 0 2/16", mean_max([0, 2])),
        ("mean_max 2/16 3/16", mean_max([2, 3])),
        ("mean_max 0 0, approx_mean", LapaPredictorSpec { approx_mean: true, ..mean_max([0, 0]) }),
        ("sigma 4/16 8/16", with(Filter::Sigma { c16: vec![4, 8] })),
        ("radius 1 1", with(Filter::Radius { alpha16: vec![16] })),
        ("top_k 1/2 1/4", with(Filter::TopK { keep256: vec![128, 64] })),
    ]
}

/// Figures of one workload.
struct Figures {
    scores: ScoreQuality,
    rounded: ScoreQuality,
    filters: Vec<FilterQuality>,
}

/// Measures and prints the figures of every filter, and of the scores.
fn measure(workloads: &[Workload]) -> Vec<Figures> {
    let rounded = LapaPredictorSpec { round_leading_one: true, ..LapaPredictorSpec::default() };
    let specs = filters();
    let mut figures = Vec::new();
    for workload in workloads {
        let filters = specs.iter().map(|(_, spec)| measure_filter(spec, workload).unwrap());
        let filters: Vec<_> = filters.collect();
        let lines = specs.iter().map(|(name, _)| *name).zip(&filters);
        println!("{}", filter_table(&workload.name, lines));
        figures.push(Figures {
            scores: measure_scores(&LapaPredictorSpec::default(), workload).unwrap(),
            rounded: measure_scores(&rounded, workload).unwrap(),
            filters,
        });
    }
    let lines = workloads.iter().zip(&figures).flat_map(|(workload, figures)| {
        let rounded = ("    round_leading_one", &figures.rounded);
        [(workload.name.as_str(), &figures.scores), rounded]
    });
    println!("{}", score_table(lines));
    figures
}

/// What holds on any workload.
fn check_bounds(scores: &ScoreQuality, filters: &[FilterQuality]) {
    assert!(scores.recall_final > 0.5, "scores that do not follow the keys: {scores:?}");
    assert!(scores.mass_final <= scores.mass_top_quarter + 1e-9);
    for filter in filters {
        assert!(filter.mass <= filter.oracle_mass + 1e-9, "{filter:?}");
        assert!(filter.live[0] >= filter.live[1], "{filter:?}");
    }
}

#[test]
fn synthetic() {
    let shapes = [
        Clustered::default(),
        Clustered { tokens: 128, head_dim: 32, ..Clustered::default() },
        Clustered { tokens: 256, causal: true, ..Clustered::default() },
    ];
    let workloads = shapes.map(|shape| shape.workload());
    for Figures { scores, filters, .. } in measure(&workloads) {
        check_bounds(&scores, &filters);
        // our notes measured 0.885 after the first round and 0.926 at the end
        assert!(scores.recall_final >= 0.90, "{scores:?}");
        assert!(scores.recall_first_round < scores.recall_final, "{scores:?}");
        assert!(scores.recall_final < scores.recall_integer, "{scores:?}");
        // a larger alpha keeps fewer keys and less mass
        for pair in filters[..4].windows(2) {
            assert!(pair[0].live[1] > pair[1].live[1], "{pair:?}");
            assert!(pair[0].mass > pair[1].mass, "{pair:?}");
        }
    }
}

#[test]
fn recorded() {
    let Some(workloads) = data::recorded_workloads().unwrap() else {
        println!("no recordings (HWGEN_DATA): nothing measured");
        return;
    };
    for Figures { scores, filters, .. } in measure(&workloads) {
        check_bounds(&scores, &filters);
    }
}
