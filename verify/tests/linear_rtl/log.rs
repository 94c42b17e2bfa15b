//! `log_linear`.

use super::{chance, pick, simulator};
use hwgen_designs::cost::Cost;
use hwgen_designs::drive::{Run, run};
use hwgen_designs::generate::Generate;
use hwgen_designs::linear::LogLinearSpec;
use hwgen_designs::linear::drive::log::{Batch, feeds, results};
use hwgen_designs::spec::Spec;
use hwgen_hdl::sim::{Device, Initial};
use hwgen_verify::cosim;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random_spec(rng: &mut impl Rng) -> LogLinearSpec {
    let spec = LogLinearSpec {
        inputs: pick(rng, &[1, 2, 3, 8, 13, 16, 33, 64]),
        outputs: pick(rng, &[1, 2, 3, 7, 16]),
        lanes: pick(rng, &[1, 2, 4, 8, 16, 64]),
    };
    spec.validate().unwrap();
    spec
}

/// Runs the batches, without a reset between them, and compares every result.
fn check(
    device: &mut dyn Device,
    spec: &LogLinearSpec,
    batches: &[Batch],
    stalls: [f64; 3],
    rng: &mut impl Rng,
) -> Run {
    let [weights, tokens, out] = stalls;
    let expected: Vec<_> = batches.iter().flat_map(Batch::expected).collect();
    let feeds = feeds(spec, batches, [weights, tokens], rng);
    let run = run(device, &feeds, out, rng.random(), expected.len()).unwrap();
    for (beat, (is, must)) in results(spec, &run).iter().zip(&expected).enumerate() {
        assert_eq!(is, must, "{spec:?}, stalls {stalls:?}, beat {beat}");
    }
    run
}

fn batches(spec: &LogLinearSpec, rng: &mut impl Rng, count: usize, tokens: usize) -> Vec<Batch> {
    let mut batch = |_| {
        let (tokens, corners) = (rng.random_range(1..=tokens), rng.random());
        Batch::random(spec, rng, tokens, corners)
    };
    (0..count).map(&mut batch).collect()
}

#[test]
fn random_sizes_stalls_and_batches() {
    for seed in 0..60 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let spec = random_spec(rng);
        let batches = batches(&spec, rng, 4, 6);
        let stalls = [chance(rng), chance(rng), chance(rng)];
        check(&mut simulator(&spec.build(), seed), &spec, &batches, stalls, rng);
    }
}

#[test]
fn every_result_passes_in_the_cycle_the_cost_model_says() {
    for seed in 0..60 {
        let rng = &mut ChaCha8Rng::seed_from_u64(100 + seed);
        let spec = random_spec(rng);
        let batches = batches(&spec, rng, 3, 9);
        let run = check(&mut simulator(&spec.build(), seed), &spec, &batches, [0.0; 3], rng);
        let beats = u64::from(spec.layer().weight_beats());
        let shapes: Vec<_> = batches.iter().map(|batch| (beats, batch.tokens.len())).collect();
        assert_eq!(run.cycles, spec.result_cycles(&shapes), "{spec:?}");
        assert_eq!(run.cycles.last().map(|last| last + 1), Some(spec.cycles(&shapes[..])));
    }
}

/// Wherever a reset falls, the layer starts over with a load.
#[test]
fn a_reset_in_the_middle_leaves_nothing_behind() {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let spec = LogLinearSpec { inputs: 7, outputs: 3, lanes: 2 };
    let mut simulator = simulator(&spec.build(), 1);
    for beats in 0..12 {
        let batches = batches(&spec, rng, 3, 6);
        let feeds = feeds(&spec, &batches, [0.2, 0.2], rng);
        let expected: Vec<_> = batches.iter().flat_map(Batch::expected).take(beats).collect();
        // the next run starts with a reset, wherever this one ends
        let run = run(&mut simulator, &feeds, 0.3, beats as u64, expected.len()).unwrap();
        assert_eq!(results(&spec, &run), expected);
    }
}

/// Beats of weights past the load's last place are taken and forgotten.
#[test]
fn too_many_weights() {
    let rng = &mut ChaCha8Rng::seed_from_u64(8);
    let spec = LogLinearSpec { inputs: 5, outputs: 4, lanes: 2 };
    let batches = batches(&spec, rng, 2, 3);
    let mut feeds = feeds(&spec, &batches, [0.0; 2], rng);
    let beats = spec.layer().weight_beats() as usize;
    let mut last = feeds[0].beats[beats - 1].clone();
    last[2] = 0.into();
    (0..70).for_each(|_| feeds[0].beats.insert(beats - 1, last.clone()));
    let expected: Vec<_> = batches.iter().flat_map(Batch::expected).collect();
    let run = run(&mut simulator(&spec.build(), 2), &feeds, 0.0, 0, expected.len()).unwrap();
    assert_eq!(results(&spec, &run), expected);
}

/// The longest sums, and the default size.
#[test]
fn extremes() {
    let rng = &mut ChaCha8Rng::seed_from_u64(9);
    let long = LogLinearSpec { inputs: 4096, outputs: 2, lanes: 256 };
    for spec in [long, LogLinearSpec::default()] {
        let batches = [true, false].map(|corners| Batch::random(&spec, rng, 3, corners));
        check(&mut simulator(&spec.build(), 3), &spec, &batches, [0.0; 3], rng);
    }
    // every product at its largest, every shift
    let spec = LogLinearSpec { inputs: 16, outputs: 2, lanes: 4 };
    let mut simulator = simulator(&spec.build(), 4);
    let mut batch = Batch::random(&spec, rng, 3, true);
    for (row, sign) in batch.load.weights.iter_mut().zip([1, -1]) {
        row.iter_mut().for_each(|w| (w.sign, w.exponent) = (sign, 7));
    }
    batch.tokens[..2].clone_from_slice(&[vec![-128; 16], vec![127; 16]]);
    let all: Vec<_> = (0..32)
        .map(|shift| {
            let mut batch = batch.clone();
            batch.load.shift = shift;
            batch
        })
        .collect();
    check(&mut simulator, &spec, &all, [0.0; 3], rng);
}

/// The printed text in engines that are not ours; nothing unknown comes out of a four-state one.
#[test]
fn the_printed_verilog() {
    for engine in [cosim::Engine::Verilator, cosim::Engine::Icarus] {
        for (inputs, outputs, lanes) in [(5, 3, 2), (1, 1, 1)] {
            let rng = &mut ChaCha8Rng::seed_from_u64(10);
            let spec = LogLinearSpec { inputs, outputs, lanes };
            let batches = batches(&spec, rng, 3, 4);
            let mut device = engine.open(&spec.build(), Initial::Zero).unwrap();
            let run = check(&mut *device, &spec, &batches, [0.1, 0.1, 0.3], rng);
            assert_eq!(run.unknown, 0, "{engine}");
        }
    }
}
