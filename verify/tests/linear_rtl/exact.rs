//! `linear`.

use super::{chance, pick, simulator};
use hwgen_designs::cost::Cost;
use hwgen_designs::drive::{Run, run};
use hwgen_designs::generate::Generate;
use hwgen_designs::linear::LinearSpec;
use hwgen_designs::linear::drive::exact::{Batch, feeds, results};
use hwgen_designs::spec::Spec;
use hwgen_hdl::sim::{Device, Initial};
use hwgen_verify::cosim;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random_spec(rng: &mut impl Rng) -> LinearSpec {
    let spec = LinearSpec {
        inputs: pick(rng, &[1, 2, 3, 5, 8, 13, 16, 33, 64]),
        outputs: pick(rng, &[1, 2, 3, 7, 16]),
        lanes: pick(rng, &[1, 2, 4, 8, 16, 64]),
    };
    spec.validate().unwrap();
    spec
}

/// Runs the batches, without a reset between them, and compares every result.
fn check(
    device: &mut dyn Device,
    spec: &LinearSpec,
    batches: &[Batch],
    stalls: [f64; 5],
    rng: &mut impl Rng,
) -> Run {
    let [weights, scales, table, tokens, out] = stalls;
    let expected: Vec<_> = batches.iter().flat_map(Batch::expected).collect();
    let feeds = feeds(spec, batches, [weights, scales, table, tokens], rng);
    let run = run(device, &feeds, out, rng.random(), expected.len()).unwrap();
    for (beat, (is, must)) in results(spec, &run).iter().zip(&expected).enumerate() {
        assert_eq!(is, must, "{spec:?}, stalls {stalls:?}, beat {beat}");
    }
    run
}

fn batches(spec: &LinearSpec, rng: &mut impl Rng, count: usize, tokens: usize) -> Vec<Batch> {
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
        let stalls = [0; 5].map(|_| chance(rng));
        check(&mut simulator(&spec.build(), seed), &spec, &batches, stalls, rng);
    }
}

#[test]
fn every_result_passes_in_the_cycle_the_cost_model_says() {
    for seed in 0..60 {
        let rng = &mut ChaCha8Rng::seed_from_u64(100 + seed);
        let spec = random_spec(rng);
        let batches = batches(&spec, rng, 3, 9);
        let run = check(&mut simulator(&spec.build(), seed), &spec, &batches, [0.0; 5], rng);
        let shapes: Vec<_> = batches.iter().map(|batch| batch.shape(&spec)).collect();
        assert_eq!(run.cycles, spec.result_cycles(&shapes), "{spec:?}");
        assert_eq!(run.cycles.last().map(|last| last + 1), Some(spec.cycles(&shapes[..])));
    }
}

/// Wherever a reset falls, the layer starts over with a load.
#[test]
fn a_reset_in_the_middle_leaves_nothing_behind() {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let spec = LinearSpec { inputs: 7, outputs: 3, lanes: 2 };
    let mut simulator = simulator(&spec.build(), 1);
    for beats in 0..12 {
        let batches = batches(&spec, rng, 3, 6);
        let feeds = feeds(&spec, &batches, [0.2; 4], rng);
        let expected: Vec<_> = batches.iter().flat_map(Batch::expected).take(beats).collect();
        // the next run starts with a reset, wherever this one ends
        let run = run(&mut simulator, &feeds, 0.3, beats as u64, expected.len()).unwrap();
        assert_eq!(results(&spec, &run), expected);
    }
}

/// Beats past the last place of each memory are taken and forgotten.
#[test]
fn too_long_a_load() {
    let rng = &mut ChaCha8Rng::seed_from_u64(8);
    let spec = LinearSpec { inputs: 5, outputs: 4, lanes: 2 };
    let batches = [1, 2].map(|_| {
        loop {
            let batch = Batch::random(&spec, rng, 3, false);
            if batch.load.table.is_some() {
                break batch;
            }
        }
    });
    let mut feeds = feeds(&spec, &batches, [0.0; 4], rng);
    for (stream, places) in [(0, spec.layer().weight_beats()), (1, spec.outputs), (2, 256)] {
        let beats = &mut feeds[stream].beats;
        let more = beats[places as usize..].to_vec();
        beats.truncate(places as usize);
        // the true last beat, but without `last`, then noise
        let end = beats[places as usize - 1].len() - 1;
        beats[places as usize - 1][end] = 0.into();
        let noise = beats[..1].to_vec();
        (0..300).for_each(|_| beats.extend(noise.clone()));
        beats[places as usize + 299][end] = 1.into();
        beats.extend(more);
    }
    let expected: Vec<_> = batches.iter().flat_map(Batch::expected).collect();
    let run = run(&mut simulator(&spec.build(), 2), &feeds, 0.0, 0, expected.len()).unwrap();
    assert_eq!(results(&spec, &run), expected);
}

/// The longest sums, and the default size.
#[test]
fn extremes() {
    let rng = &mut ChaCha8Rng::seed_from_u64(9);
    let long = LinearSpec { inputs: 4096, outputs: 2, lanes: 256 };
    for spec in [long, LinearSpec::default()] {
        let batches = [true, false].map(|corners| Batch::random(&spec, rng, 3, corners));
        check(&mut simulator(&spec.build(), 3), &spec, &batches, [0.0; 5], rng);
    }
    // every product at its largest, at either precision, every shift
    let spec = LinearSpec { inputs: 16, outputs: 2, lanes: 4 };
    let mut simulator = simulator(&spec.build(), 4);
    let mut batch = Batch::random(&spec, rng, 4, true);
    batch.load.weights = vec![vec![-128; 16], vec![127; 16]];
    for (i, token) in batch.tokens.iter_mut().enumerate() {
        (token.elements, token.precise) = (vec![if i < 2 { -128 } else { 127 }; 16], i % 2 == 0);
    }
    let all: Vec<_> = (0..64)
        .map(|shift| {
            let mut batch = batch.clone();
            batch.load.scales.iter_mut().for_each(|scale| scale.shift = shift);
            batch
        })
        .collect();
    check(&mut simulator, &spec, &all, [0.0; 5], rng);
}

/// Every weight against every element: the two multipliers of a lane lose nothing.
#[test]
fn every_product() {
    let rng = &mut ChaCha8Rng::seed_from_u64(11);
    let spec = LinearSpec { inputs: 2, outputs: 256, lanes: 1 };
    let mut batch = Batch::random(&spec, rng, 1, false);
    batch.load.table = None;
    for (w, (row, scale)) in (-128..).zip(batch.load.weights.iter_mut().zip(&mut batch.load.scales))
    {
        *row = vec![w, 0];
        (scale.bias, scale.multiplier, scale.shift) = (0, 1, 7);
    }
    let token = batch.tokens[0].clone();
    batch.tokens = (-128..=127)
        .flat_map(|x| [true, false].map(|precise| (x, precise)))
        .map(|(x, precise)| {
            let mut token = token.clone();
            (token.elements, token.precise) = (vec![x, 0], precise);
            token
        })
        .collect();
    check(&mut simulator(&spec.build(), 5), &spec, &[batch], [0.0; 5], rng);
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
    for engine in engines {
        for (inputs, outputs, lanes) in [(5, 3, 2), (1, 1, 1)] {
            let rng = &mut ChaCha8Rng::seed_from_u64(10);
            let spec = LinearSpec { inputs, outputs, lanes };
            let batches = batches(&spec, rng, 3, 4);
            let mut device = engine.open(&spec.build(), Initial::Zero).unwrap();
            let run = check(&mut *device, &spec, &batches, [0.1; 5], rng);
            assert_eq!(run.unknown, 0, "{engine}");
        }
    }
}
