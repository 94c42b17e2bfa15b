//! Sanger.

use super::{engine, predictor};
use hwgen_designs::attention::engine::SangerAttentionSpec;
use hwgen_designs::attention::sanger_predictor::SangerPredictorSpec;
use hwgen_verify::cosim::Engine;
use hwgen_verify::suite::{self, GATES, PRINTED, pick, spec};
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

fn random_spec(rng: &mut ChaCha8Rng) -> SangerPredictorSpec {
    spec(&format!("{} {}", predictor::random_size(rng), settings(rng)))
}

fn random_engine(rng: &mut ChaCha8Rng) -> SangerAttentionSpec {
    spec(&format!("{} {}", engine::random_size(rng), engine_settings(rng)))
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
    suite::resets(&predictor::small::<SangerPredictorSpec>(""), (2, 4));
}

#[test]
fn what_does_not_fit_is_held_to_the_range() {
    predictor::what_does_not_fit_is_held_to_the_range::<SangerPredictorSpec>("");
}

#[test]
fn extremes() {
    for size in ["head_dim=256 rows=2 max_keys=5", "head_dim=1 max_keys=1 rows=1", ""] {
        for settings in ["", "probability_bits=4 row_normalise=false"] {
            predictor::extremes::<SangerPredictorSpec>(&format!("{size} {settings}"));
        }
    }
}

#[test]
fn engines_of_random_sizes() {
    suite::random(0..16, random_engine, (3, 7));
}

#[test]
fn the_engines_cycle_model_is_within_two_percent() {
    engine::the_cycle_model_is_within_two_percent::<SangerAttentionSpec>(&[
        (1, ""),
        (4, ""),
        (16, ""),
    ]);
}

#[test]
fn a_reset_of_the_engine_leaves_nothing_behind() {
    suite::resets(
        &engine::small::<SangerAttentionSpec>("head_dim=5 lanes=2 max_keys=20 rows=4"),
        (3, 4),
    );
}

fn elsewhere(engines: &[Engine]) {
    let small = "head_dim=3 max_keys=9 rows=2";
    let alone = ["", "row_normalise=false"].map(|set| spec(&format!("{small} {set}")));
    suite::elsewhere::<SangerPredictorSpec>(engines, &alone, (2, 5));
    suite::elsewhere(engines, &[engine::small::<SangerAttentionSpec>("")], (3, 5));
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
