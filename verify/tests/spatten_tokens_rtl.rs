//! The unit that prunes tokens against its golden model, and the cycles of its answers.

use hwgen_designs::attention::spatten::SpattenTokensSpec;
use hwgen_designs::attention::spatten::tokens_drive::{Sequence, beats, feeds, results, shape};
use hwgen_designs::drive::run;
use hwgen_designs::generate::Generate;
use hwgen_hdl::sim::{Engine, Initial, SimOptions, Simulator};
use hwgen_verify::cosim;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Three sequences, and the bits that must come out.
fn sequences(rng: &mut impl Rng, most: u32) -> (Vec<Sequence>, Vec<(bool, bool)>) {
    let random = [1, 2, 3].map(|_| Sequence::random(rng, most as usize));
    let (sequences, stays): (Vec<_>, Vec<_>) = random.into_iter().unzip();
    (sequences, beats(&stays.concat()))
}

#[test]
fn random_sequences_and_stalls() {
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = SpattenTokensSpec { max_keys: [1, 2, 5, 16, 33][rng.random_range(0..5)] };
        let (sequences, must) = sequences(&mut rng, spec.max_keys);
        let mut chance = || [0.0, 0.1, 0.5, 0.9][rng.random_range(0..4)];
        let feeds = feeds(&sequences, [chance(), chance()]);
        let initial = Initial::Random(seed);
        let options = SimOptions { engine: Engine::default(), initial, ..SimOptions::default() };
        let mut simulator = Simulator::with_options(&spec.build(), options);
        let run = run(&mut simulator, &feeds, chance(), seed, must.len()).unwrap();
        assert_eq!(results(&run), must, "{spec:?}, seed {seed}");
    }
}

#[test]
fn every_bit_passes_in_the_cycle_the_cost_model_says() {
    for seed in 0..10 {
        let mut rng = ChaCha8Rng::seed_from_u64(100 + seed);
        let spec = SpattenTokensSpec { max_keys: [1, 3, 20][rng.random_range(0..3)] };
        let (sequences, must) = sequences(&mut rng, spec.max_keys);
        let mut simulator = Simulator::new(&spec.build(), Engine::default());
        let feeds = feeds(&sequences, [0.0, 0.0]);
        let run = run(&mut simulator, &feeds, 0.0, 1, must.len()).unwrap();
        assert_eq!(run.cycles, spec.bit_cycles(&shape(&sequences)), "{spec:?}");
    }
}

#[test]
fn a_reset_in_mid_run_leaves_nothing_behind() {
    let spec = SpattenTokensSpec { max_keys: 6 };
    let (sequences, must) = sequences(&mut ChaCha8Rng::seed_from_u64(5), spec.max_keys);
    let mut simulator = Simulator::new(&spec.build(), Engine::default());
    let feeds = feeds(&sequences, [0.1, 0.1]);
    for bits in 0..must.len() {
        run(&mut simulator, &feeds, 0.3, bits as u64, bits).unwrap();
        let run = run(&mut simulator, &feeds, 0.3, 1, must.len()).unwrap();
        assert_eq!(results(&run), must, "after a reset behind {bits} bits");
    }
}

/// The printed text in engines that are not ours; nothing unknown comes out of a four-state one.
#[test]
fn the_printed_verilog() {
    elsewhere(&[cosim::Engine::Verilator, cosim::Engine::Icarus]);
}

#[test]
#[ignore = "synthesis"]
fn the_synthesized_gates() {
    elsewhere(&[cosim::Engine::YosysIcarus]);
}

fn elsewhere(engines: &[cosim::Engine]) {
    let spec = SpattenTokensSpec { max_keys: 7 };
    let (sequences, must) = sequences(&mut ChaCha8Rng::seed_from_u64(6), spec.max_keys);
    for engine in engines {
        let mut device = engine.open(&spec.build(), Initial::Zero).unwrap();
        let feeds = feeds(&sequences, [0.1, 0.1]);
        let run = run(&mut *device, &feeds, 0.3, 1, must.len()).unwrap();
        assert_eq!((run.unknown, results(&run)), (0, must.clone()), "{engine}");
    }
}
