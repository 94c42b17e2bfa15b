//! FACT.

use super::peer::{self, Peer};
use super::{engine, predictor};
use hwgen_designs::attention::engine::FactAttentionSpec as Whole;
use hwgen_designs::attention::fact_predictor::FactPredictorSpec as Alone;
use hwgen_designs::attention::predictor::Predictor;
use hwgen_verify::suite::{self, pick, spec};
use rand_chacha::ChaCha8Rng;

struct Fact;

peer_tests!(Fact);

fn settings(rng: &mut ChaCha8Rng) -> String {
    format!("keep256={}", pick(rng, &[1, 50, 64, 128, 255, 256]))
}

impl Peer for Fact {
    type Alone = Alone;
    type Whole = Whole;

    fn random_spec(rng: &mut ChaCha8Rng) -> Alone {
        spec(&format!("{} {}", predictor::random_size(rng), settings(rng)))
    }

    fn random_engine(rng: &mut ChaCha8Rng) -> Whole {
        spec(&format!("{} {}", engine::random_size(rng), settings(rng)))
    }

    fn corners() -> Vec<String> {
        ["", "keep256=1", "keep256=200"].map(str::to_owned).into()
    }

    fn extremes() -> Vec<String> {
        predictor::EXTREMES.map(str::to_owned).into()
    }

    fn elsewhere() -> [Vec<String>; 2] {
        [vec![String::new()], vec![String::new()]]
    }
}

/// The predictor keeps about the pace of an exact stage that multiplies half a key a cycle.
#[test]
fn cycles_of_a_row() {
    println!("| elements | keys | a row | exact stage |");
    for head_dim in [32, 64] {
        for keys in [26, 128, 257] {
            let spec = Alone { head_dim, max_keys: keys, rows: 4, ..Alone::default() };
            let row = spec.cycles_per_row(keys);
            let exact = 2 * ((keys * spec.keep256) >> 8);
            println!("| {head_dim} | {keys} | {row} | {exact} |");
            assert!(
                row <= exact.max(32),
                "{row} cycles for {keys} keys, {exact} in the exact stage"
            );
        }
    }
}
