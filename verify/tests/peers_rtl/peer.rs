//! What is asked of every peer: of its predictor alone, and of its whole engine.

use super::engine;
use super::predictor::{self, Alone};
use hwgen_designs::attention::engine::Engine;
use hwgen_verify::cosim;
use hwgen_verify::suite::{self, spec};
use rand_chacha::ChaCha8Rng;

/// A predictor and the engine that it stands in.
pub(super) trait Peer {
    type Alone: Alone;
    type Whole: Engine;

    /// Random sizes: of the predictor, of the predictor's cycles, of the engine.
    const SEEDS: [u64; 3] = [24, 20, 16];
    /// Sizes of the engine as they would be built: keys of a group, and what else is set.
    const SIZES: &[(u32, &str)] = &[(1, ""), (4, ""), (16, "")];
    /// Settings of small engines.
    const ENGINES: &[&str] = &[""];

    fn random_spec(rng: &mut ChaCha8Rng) -> Self::Alone;
    fn random_engine(rng: &mut ChaCha8Rng) -> Self::Whole;

    /// Settings of small predictors.
    fn settings() -> Vec<String> {
        vec![String::new()]
    }

    /// Settings for extreme and equal numbers.
    fn corners() -> Vec<String> {
        Self::settings()
    }

    /// The narrowest and the widest numbers, and sizes as they would be built.
    fn extremes() -> Vec<String>;

    /// Settings of what other engines run: the predictor, the whole engine.
    fn elsewhere() -> [Vec<String>; 2];
}

pub(super) fn every_beat_passes_in_the_cycle_the_cost_model_says<P: Peer>() {
    predictor::every_beat_passes_in_the_cycle_the_cost_model_says(P::SEEDS[1], P::random_spec);
}

/// Wherever a reset falls in any small predictor.
pub(super) fn a_reset_in_the_middle_leaves_nothing_behind<P: Peer>() {
    for set in P::settings() {
        suite::resets(&predictor::small::<P::Alone>(&set), (2, 4));
    }
}

pub(super) fn a_reset_of_the_engine_leaves_nothing_behind<P: Peer>() {
    for set in P::ENGINES {
        let size = format!("head_dim=5 lanes=2 max_keys=20 rows=4 {set}");
        suite::resets(&engine::small::<P::Whole>(&size), (3, 4));
    }
}

pub(super) fn elsewhere<P: Peer>(engines: &[cosim::Engine]) {
    let [alone, whole] = P::elsewhere();
    let small = |set: &String| spec(&format!("head_dim=3 max_keys=9 rows=2 {set}"));
    suite::elsewhere::<P::Alone>(engines, &alone.iter().map(small).collect::<Vec<_>>(), (2, 5));
    let whole: Vec<_> = whole.iter().map(|set| engine::small(set)).collect();
    suite::elsewhere::<P::Whole>(engines, &whole, (3, 5));
}

/// The tests of a peer, in its own module.
macro_rules! peer_tests {
    ($peer:ty) => {
        #[test]
        fn random_specifications_heads_and_stalls() {
            suite::random(0..<$peer>::SEEDS[0], <$peer>::random_spec, (3, 5));
        }

        #[test]
        fn every_beat_passes_in_the_cycle_the_cost_model_says() {
            peer::every_beat_passes_in_the_cycle_the_cost_model_says::<$peer>();
        }

        #[test]
        fn corners() {
            <$peer>::corners().iter().for_each(|set| predictor::corners::<Alone>(set));
        }

        #[test]
        fn a_hundred_heads_without_reset() {
            let all = <$peer>::settings();
            all.iter().for_each(|set| predictor::a_hundred_heads_without_reset::<Alone>(set));
        }

        #[test]
        fn a_reset_in_the_middle_leaves_nothing_behind() {
            peer::a_reset_in_the_middle_leaves_nothing_behind::<$peer>();
        }

        #[test]
        fn what_does_not_fit_is_held_to_the_range() {
            let all = <$peer>::settings();
            all.iter()
                .for_each(|set| predictor::what_does_not_fit_is_held_to_the_range::<Alone>(set));
        }

        #[test]
        fn extremes() {
            <$peer>::extremes().iter().for_each(|set| predictor::extremes::<Alone>(set));
        }

        #[test]
        fn engines_of_random_sizes() {
            suite::random(0..<$peer>::SEEDS[2], <$peer>::random_engine, (3, 7));
        }

        #[test]
        fn the_engines_cycle_model_is_within_two_percent() {
            engine::the_cycle_model_is_within_two_percent::<Whole>(<$peer>::SIZES);
        }

        #[test]
        fn a_reset_of_the_engine_leaves_nothing_behind() {
            peer::a_reset_of_the_engine_leaves_nothing_behind::<$peer>();
        }

        #[test]
        fn the_printed_verilog() {
            peer::elsewhere::<$peer>(&suite::PRINTED);
        }

        #[test]
        #[ignore = "minutes of synthesis"]
        fn the_synthesized_gates() {
            peer::elsewhere::<$peer>(&suite::GATES);
        }
    };
}
