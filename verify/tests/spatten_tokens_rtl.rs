//! The unit that prunes tokens against its golden model, and the cycles of its answers.

use hwgen_designs::attention::spatten::SpattenTokensSpec;
use hwgen_verify::suite::{self, GATES, PRINTED, pick};
use rand_chacha::ChaCha8Rng;

fn random_spec(rng: &mut ChaCha8Rng) -> SpattenTokensSpec {
    SpattenTokensSpec { max_keys: pick(rng, &[1, 2, 3, 5, 16, 20, 33]) }
}

#[test]
fn random_sequences_and_stalls() {
    suite::random(0..40, random_spec, (3, 4));
}

#[test]
fn every_bit_passes_in_the_cycle_the_cost_model_says() {
    suite::cycles(0..10, random_spec, (3, 4));
}

#[test]
fn a_reset_in_mid_run_leaves_nothing_behind() {
    suite::resets(&SpattenTokensSpec { max_keys: 6 }, (3, 4));
}

/// The printed text in engines that are not ours; nothing unknown comes out of a four-state one.
#[test]
fn the_printed_verilog() {
    suite::elsewhere(&PRINTED, &[SpattenTokensSpec { max_keys: 7 }], (3, 4));
}

#[test]
#[ignore = "synthesis"]
fn the_synthesized_gates() {
    suite::elsewhere(&GATES, &[SpattenTokensSpec { max_keys: 7 }], (3, 4));
}
