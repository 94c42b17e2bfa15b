//! The listener's circuit against its golden model: clips that overlap, samples that stall.

use hwgen_designs::generate::Generate;
use hwgen_designs::golden::Golden;
use hwgen_designs::spec::Spec;
use hwgen_designs::speech::listen::ListenSpec;
use hwgen_designs::speech::mfcc::MfccSpec;
use hwgen_hdl::sim::Initial;
use hwgen_verify::cosim::Engine;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random_spec(rng: &mut impl Rng) -> ListenSpec {
    let fft = [16, 32, 64][rng.random_range(0..3)];
    let window = rng.random_range(2..=fft);
    let mels = rng.random_range(1..=8);
    let clip = rng.random_range(1..=200);
    let spec = ListenSpec {
        clip,
        stride: rng.random_range(1..=clip),
        slack: rng.random_range(1..=60),
        front: MfccSpec {
            window,
            hop: rng.random_range(1..=window),
            fft,
            mels,
            coefficients: rng.random_range(1..=mels),
            frames: rng.random_range(1..=3),
            ..MfccSpec::default()
        },
    };
    spec.validate().unwrap();
    spec
}

#[test]
fn random_sizes_hear_what_the_golden_model_hears() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let mut compared = 0;
    for n in 0..14 {
        let spec = random_spec(rng);
        let engines = if n < 2 { &[Engine::Jit, Engine::Interpreter][..] } else { &[Engine::Jit] };
        for &engine in engines {
            let initial = Initial::Random(rng.random());
            let mut device = engine.open(&spec.build(), initial).unwrap();
            for seed in 0..3 {
                let batch = spec.batch(&mut *device, seed);
                compared += batch.unwrap_or_else(|error| panic!("{spec:?}: {error}")).compared;
            }
        }
    }
    println!("{compared} numbers equal");
    assert!(compared > 800, "{compared}");
}

#[test]
fn other_simulators_hear_the_same() {
    let spec = random_spec(&mut ChaCha8Rng::seed_from_u64(5));
    for engine in [Engine::Icarus, Engine::Verilator] {
        let mut device = engine.open(&spec.build(), Initial::Random(1)).unwrap();
        for seed in 0..2 {
            spec.batch(&mut *device, seed).unwrap();
        }
    }
}
