//! FACT.

use super::{engine, pick, predictor};
use hwgen_designs::attention::engine::FactAttentionSpec;
use hwgen_designs::attention::fact_predictor::{FactPredictorSpec, cost};
use hwgen_verify::cosim::Engine;
use rand_chacha::ChaCha8Rng;

fn settings(rng: &mut ChaCha8Rng) -> String {
    format!("keep256={}", pick(rng, &[1, 50, 64, 128, 255, 256]))
}

#[test]
fn random_specifications_heads_and_stalls() {
    predictor::random_specifications_heads_and_stalls::<FactPredictorSpec>(settings);
}

#[test]
fn every_beat_passes_in_the_cycle_the_cost_model_says() {
    predictor::every_beat_passes_in_the_cycle_the_cost_model_says::<FactPredictorSpec>(settings);
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
    predictor::a_reset_in_the_middle_leaves_nothing_behind::<FactPredictorSpec>("");
}

#[test]
fn what_does_not_fit_is_held_to_the_range() {
    predictor::what_does_not_fit_is_held_to_the_range::<FactPredictorSpec>("");
}

#[test]
fn extremes() {
    predictor::extremes::<FactPredictorSpec>(&[""]);
}

#[test]
fn engines_of_random_sizes() {
    engine::random_specifications_heads_and_stalls::<FactAttentionSpec>(settings);
}

#[test]
fn the_engines_cycle_model_is_within_two_percent() {
    engine::the_cycle_model_is_within_two_percent::<FactAttentionSpec>("");
}

#[test]
fn a_reset_of_the_engine_leaves_nothing_behind() {
    engine::a_reset_in_mid_run_leaves_nothing_behind::<FactAttentionSpec>();
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
    predictor::elsewhere::<FactPredictorSpec>(&[""], engines);
    engine::elsewhere::<FactAttentionSpec>(engines);
}

#[test]
fn the_printed_verilog() {
    elsewhere(&[Engine::Verilator, Engine::Icarus]);
}

#[test]
#[ignore = "a minute of synthesis"]
fn the_synthesized_gates() {
    elsewhere(&[Engine::YosysIcarus]);
}
