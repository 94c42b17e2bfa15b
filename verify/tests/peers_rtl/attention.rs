//! The predictors on attention: every head of every recorded model (and of a synthetic one, for
//! machines without recordings), quantized to int8 per head, circuit against golden model.
//!
//! `cargo test -p hwgen-verify --test peers_rtl attention -- --nocapture` prints the figures.

use super::predictor::Alone;
use hwgen_designs::attention::engine::drive::Head;
use hwgen_designs::attention::engine::{Engine, SangerAttentionSpec};
use hwgen_designs::attention::fact_predictor::FactPredictorSpec;
use hwgen_designs::attention::predictor::drive::Predict;
use hwgen_designs::attention::sanger_predictor::SangerPredictorSpec;
use hwgen_designs::cost::Cost;
use hwgen_designs::drive::Stalls;
use hwgen_verify::attention::Workload;
use hwgen_verify::attention::data::recorded;
use hwgen_verify::attention::output::Integers;
use hwgen_verify::attention::packing::Segments;
use hwgen_verify::attention::synthetic::Clustered;
use hwgen_verify::suite::simulator;

/// A head as the engine gets it.
fn head(of: &hwgen_verify::attention::Head, spec: &impl Predict) -> Head {
    let mut head = Integers::of(of).driven();
    head.predict(spec).unwrap();
    head
}

/// Sends all heads, one behind the other without a reset, through the predictor that `spec` makes
/// for their elements and keys.
fn compare<P: Alone>(workload: &Workload, spec: impl Fn(u32, u32) -> P) {
    let [head_dim, keys] = workload.largest();
    let spec = spec(head_dim, keys.next_multiple_of(16));
    let heads: Vec<Head> = workload.heads.iter().map(|of| head(of, &spec)).collect();
    let expected = spec.expected(&heads).unwrap();
    let mut simulator = simulator(&spec.build(), 1);
    let run = spec.run(&mut simulator, &heads, Stalls::default(), expected.len()).unwrap();
    let mismatches = run.beats.iter().zip(&expected).filter(|(is, must)| is != must).count();
    let (kept, seen) =
        heads.iter().fold((0, 0), |(kept, seen), h| (kept + h.kept(), seen + h.seen()));
    println!(
        "{} on {}: {} heads, {} groups of survivors in {} cycles, {:.3} of the keys kept: \
         {mismatches} mismatches",
        P::NAME,
        workload.name,
        heads.len(),
        expected.len(),
        run.cycles.last().map_or(0, |last| last + 1),
        kept as f64 / seen as f64,
    );
    assert_eq!(mismatches, 0, "{} on {}", P::NAME, workload.name);
}

/// How full Sanger's array would be with the survivors of its predictor, packed as in the paper, and
/// how busy our exact stage's multipliers for scores are with them.
fn report_packing(workload: &Workload) {
    let [mut quarter, mut half] = [Segments::default(); 2];
    let (mut scoring, mut cycles, mut predicting) = (0, 0, 0);
    for of in &workload.heads {
        let (head_dim, max_keys) = (of.keys.cols() as u32, of.keys.rows() as u32);
        let lanes = head_dim.next_power_of_two();
        let mut spec = SangerAttentionSpec::default();
        (spec.sanger.head_dim, spec.sanger.max_keys, spec.exact.lanes) =
            (head_dim, max_keys, lanes);
        let head = head(of, &spec);
        for row in &head.rows {
            quarter.pack(&row.survivors, 16);
            half.pack(&row.survivors, 32);
            predicting += row.visible.div_ceil(spec.sanger.rows as usize);
        }
        scoring += head.kept() as u64 * u64::from(spec.attend().beats());
        cycles += spec.cycles(&[head.shape(spec.sanger.rows)]);
    }
    println!(
        "{}: segments of 16 filled to {:.3}, of 32 to {:.3}; ours scores in {:.3} of {cycles} cycles \
         (groups predicted in {:.3})",
        workload.name,
        quarter.utilization(16),
        half.utilization(32),
        scoring as f64 / cycles as f64,
        predicting as f64 / cycles as f64,
    );
    assert!(scoring < cycles && half.utilization(32) <= quarter.utilization(16));
}

fn compare_all(workload: &Workload) {
    compare(workload, |head_dim, max_keys| FactPredictorSpec {
        head_dim,
        max_keys,
        ..FactPredictorSpec::default()
    });
    let sanger = |head_dim, max_keys| SangerPredictorSpec {
        head_dim,
        max_keys,
        ..SangerPredictorSpec::default()
    };
    compare(workload, sanger);
    report_packing(workload);
}

#[test]
fn synthetic_attention() {
    compare_all(&Clustered { tokens: 96, head_dim: 32, ..Clustered::default() }.workload());
}

#[test]
fn recorded_attention() {
    recorded().iter().for_each(compare_all);
}
