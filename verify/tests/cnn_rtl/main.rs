//! The CNN core's circuit against its golden model, and its cycles.

use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::registry::Generate;
use hwgen_designs::spec::Spec;
use hwgen_hdl::Module;
use hwgen_hdl::sim::{Engine, Initial, SimOptions, Simulator};
use hwgen_verify::check::Golden;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// Our fast engine, started from random registers and memories.
fn simulator(module: &Arc<Module>, seed: u64) -> Simulator {
    let initial = Initial::Random(seed);
    let options = SimOptions { engine: Engine::default(), initial, ..SimOptions::default() };
    Simulator::with_options(module, options)
}

fn pick<T: Copy>(rng: &mut impl Rng, list: &[T]) -> T {
    list[rng.random_range(0..list.len())]
}

fn random_spec(rng: &mut impl Rng) -> CnnSpec {
    let lanes = pick(rng, &[2, 4, 8, 16]);
    let pixels = rng.random_range(1..=2);
    let results = pick(rng, &[1, 2, 4, 8, 16]).min(lanes);
    let additions = rng.random();
    let spec = CnnSpec {
        lanes,
        pixels,
        packed: pixels == 2 && rng.random_bool(0.7),
        results,
        accumulator_bits: if additions { 32 } else { pick(rng, &[24, 28, 32]) },
        narrow_weights: rng.random(),
        activation_words: 2048 / lanes,
        weight_rows: 4096 / lanes,
        scale_rows: 64,
        jobs: 12,
        additions,
    };
    spec.validate().unwrap();
    spec
}

#[test]
fn random_programs_on_random_cores() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let mut compared = 0;
    for _ in 0..60 {
        let spec = random_spec(rng);
        let mut device = simulator(&spec.build(), rng.random());
        for seed in 0..100 {
            let batch = spec.batch(&mut device, seed);
            compared +=
                batch.unwrap_or_else(|error| panic!("{spec:?}, seed {seed}: {error}")).compared;
        }
    }
    println!("{compared} bytes equal");
    assert!(compared > 10_000, "{compared}");
}
