//! FACT.

use super::{engine, predictor};
use hwgen_designs::attention::engine::FactAttentionSpec;
use hwgen_designs::attention::fact_predictor::{FactPredictorSpec, cost};
use hwgen_verify::cosim::Engine;
use hwgen_verify::suite::{self, GATES, PRINTED, pick, spec};
use rand_chacha::ChaCha8Rng;

fn settings(rng: &mut ChaCha8Rng) -> String {
    format!("keep256={}", pick(rng, &[1, 50, 64, 128, 255, 256]))
}

fn random_spec(rng: &mut ChaCha8Rng) -> FactPredictorSpec {
    spec(&format!("{} {}", predictor::random_size(rng), settings(rng)))
}

fn random_engine(rng: &mut ChaCha8Rng) -> FactAttentionSpec {
    spec(&format!("{} {}", engine::random_size(rng), settings(rng)))
}

#[test]
fn random_specifications_heads_and_stalls() {
    suite::random(0..24, random_spec, (3, 5));
}

#[test]
fn every_beat_passes_in_the_cycle_the_cost_model_says() {
    predictor::every_beat_passes_in_the_cycle_the_cost_model_says(20, random_spec);
}

#[test]
fn corners() {
    for settings in ["", "keep256=1", "keep256=200"] {
        predictor::corners::<FactPredictorSpec>(settings);
    }
}

#[test]
fn a_hundred_heads_without_reset() {
    predictor::a_hundred_heads_without_reset::<FactPredictorSpec>("");
}

#[test]
fn a_reset_in_the_middle_leaves_nothing_behind() {
    suite::resets(&predictor::small::<FactPredictorSpec>(""), (2, 4));
}

#[test]
fn what_does_not_fit_is_held_to_the_range() {
    predictor::what_does_not_fit_is_held_to_the_range::<FactPredictorSpec>("");
}

#[test]
fn extremes() {
    for size in ["head_dim=256 rows=2 max_keys=5", "head_dim=1 max_keys=1 rows=1", ""] {
        predictor::extremes::<FactPredictorSpec>(size);
    }
}

#[test]
fn engines_of_random_sizes() {
    suite::random(0..16, random_engine, (3, 7));
}

#[test]
fn the_engines_cycle_model_is_within_two_percent() {
    engine::the_cycle_model_is_within_two_percent::<FactAttentionSpec>(&[
        (1, ""),
        (4, ""),
        (16, ""),
    ]);
}

#[test]
fn a_reset_of_the_engine_leaves_nothing_behind() {
    suite::resets(
        &engine::small::<FactAttentionSpec>("head_dim=5 lanes=2 max_keys=20 rows=4"),
        (3, 4),
    );
}

/// The predictor keeps about the pace of an exact stage that multiplies half a key a cycle.
#[test]
fn cycles_of_a_row() {
    println!("| elements | keys | a row | exact stage |");
    for head_dim in [32, 64] {
        for keys in [26, 128, 257] {
            let spec = FactPredictorSpec {
                head_dim,
                max_keys: keys,
                rows: 4,
                ..FactPredictorSpec::default()
            };
            let row = cost::cycles_per_row(&spec, keys);
            let exact = 2 * ((keys * spec.keep256) >> 8);
            println!("| {head_dim} | {keys} | {row} | {exact} |");
            assert!(
                row <= exact.max(32),
                "{row} cycles for {keys} keys, {exact} in the exact stage"
            );
        }
    }
}

fn elsewhere(engines: &[Engine]) {
    let alone: FactPredictorSpec = spec("head_dim=3 max_keys=9 rows=2");
    suite::elsewhere(engines, &[alone], (2, 5));
    suite::elsewhere(engines, &[engine::small::<FactAttentionSpec>("")], (3, 5));
}

#[test]
fn the_printed_verilog() {
    elsewhere(&PRINTED);
}

#[test]
#[ignore = "a minute of synthesis"]
fn the_synthesized_gates() {
    elsewhere(&GATES);
}
