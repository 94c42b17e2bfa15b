//! Sanger.

use super::peer::{self, Peer};
use super::{engine, predictor};
use hwgen_designs::attention::engine::SangerAttentionSpec as Whole;
use hwgen_designs::attention::sanger_predictor::SangerPredictorSpec as Alone;
use hwgen_verify::suite::{self, pick, spec};
use rand_chacha::ChaCha8Rng;

struct Sanger;

peer_tests!(Sanger);

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

impl Peer for Sanger {
    type Alone = Alone;
    type Whole = Whole;

    fn random_spec(rng: &mut ChaCha8Rng) -> Alone {
        spec(&format!("{} {}", predictor::random_size(rng), settings(rng)))
    }

    fn random_engine(rng: &mut ChaCha8Rng) -> Whole {
        spec(&format!("{} {}", engine::random_size(rng), engine_settings(rng)))
    }

    fn corners() -> Vec<String> {
        let powers = "row_normalise=false threshold65536=3000";
        ["", powers, "probability_bits=16 threshold65536=1"].map(str::to_owned).into()
    }

    fn extremes() -> Vec<String> {
        let settings = ["", "probability_bits=4 row_normalise=false"];
        let all = predictor::EXTREMES.iter().flat_map(|size| settings.map(|set| (size, set)));
        all.map(|(size, set)| format!("{size} {set}")).collect()
    }

    fn elsewhere() -> [Vec<String>; 2] {
        [["", "row_normalise=false"].map(str::to_owned).into(), vec![String::new()]]
    }
}
