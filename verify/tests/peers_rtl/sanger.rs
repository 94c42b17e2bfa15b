//! Sanger.

use super::{engine, pick, predictor};
use hwgen_designs::attention::engine::SangerAttentionSpec;
use hwgen_designs::attention::sanger_predictor::SangerPredictorSpec;
use hwgen_verify::cosim::Engine;
use rand_chacha::ChaCha8Rng;

fn common(rng: &mut ChaCha8Rng) -> String {
    format!(
        "threshold65536={} row_normalise={}",
        pick(rng, &[1, 131, 1311, 10000, 65535]),
        pick(rng, &[true, true, false]),
    )
}

fn settings(rng: &mut ChaCha8Rng) -> String {
    format!("probability_bits={} {}", pick(rng, &[4, 8, 11, 16]), common(rng))
}

fn engine_settings(rng: &mut ChaCha8Rng) -> String {
    format!("estimate_bits={} {}", pick(rng, &[4, 8, 16]), common(rng))
}

#[test]
fn random_specifications_heads_and_stalls() {
    predictor::random_specifications_heads_and_stalls::<SangerPredictorSpec>(settings);
}

#[test]
fn every_beat_passes_in_the_cycle_the_cost_model_says() {
    predictor::every_beat_passes_in_the_cycle_the_cost_model_says::<SangerPredictorSpec>(settings);
}

#[test]
fn corners() {
    for settings in
        ["", "row_normalise=false threshold65536=3000", "probability_bits=16 threshold65536=1"]
    {
        predictor::corners::<SangerPredictorSpec>(settings);
    }
}

#[test]
fn a_hundred_heads_without_reset() {
    predictor::a_hundred_heads_without_reset::<SangerPredictorSpec>("");
}

#[test]
fn a_reset_in_the_middle_leaves_nothing_behind() {
    predictor::a_reset_in_the_middle_leaves_nothing_behind::<SangerPredictorSpec>("");
}

#[test]
fn what_does_not_fit_is_held_to_the_range() {
    predictor::what_does_not_fit_is_held_to_the_range::<SangerPredictorSpec>("");
}

#[test]
fn extremes() {
    predictor::extremes::<SangerPredictorSpec>(&["", "probability_bits=4 row_normalise=false"]);
}

#[test]
fn engines_of_random_sizes() {
    engine::random_specifications_heads_and_stalls::<SangerAttentionSpec>(engine_settings);
}

#[test]
fn the_engines_cycle_model_is_within_two_percent() {
    engine::the_cycle_model_is_within_two_percent::<SangerAttentionSpec>("");
}

#[test]
fn a_reset_of_the_engine_leaves_nothing_behind() {
    engine::a_reset_in_mid_run_leaves_nothing_behind::<SangerAttentionSpec>();
}

fn elsewhere(engines: &[Engine]) {
    predictor::elsewhere::<SangerPredictorSpec>(&["", "row_normalise=false"], engines);
    engine::elsewhere::<SangerAttentionSpec>(engines);
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
