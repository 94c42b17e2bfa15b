//! `feed_forward`.

use super::{chance, pick, simulator};
use hwgen_designs::attention::lapa::LapaSpec;
use hwgen_designs::attention::lapa::drive as layer;
use hwgen_designs::attention::lapa::drive::random_job;
use hwgen_designs::cost::Cost;
use hwgen_designs::drive::{Run, run};
use hwgen_designs::generate::Generate;
use hwgen_designs::linear::FeedForwardSpec;
use hwgen_designs::linear::drive::feed_forward::{Batch, feeds, results};
use hwgen_designs::linear::golden::exact::Token;
use hwgen_designs::spec::Spec;
use hwgen_hdl::sim::{Device, Initial};
use hwgen_verify::cosim;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random_spec(rng: &mut impl Rng) -> FeedForwardSpec {
    let spec = FeedForwardSpec {
        inputs: pick(rng, &[1, 2, 5, 8, 13, 33]),
        hidden: pick(rng, &[1, 2, 3, 7, 16, 20]),
        outputs: pick(rng, &[1, 2, 5, 16]),
        first_lanes: pick(rng, &[1, 2, 4, 8, 64]),
        second_lanes: pick(rng, &[1, 2, 4, 8, 64]),
    };
    spec.validate().unwrap();
    spec
}

/// Runs the batches, without a reset between them, and compares every result. Stalls are those of
/// loads, tokens and results.
fn check(
    device: &mut dyn Device,
    spec: &FeedForwardSpec,
    batches: &[Batch],
    (stalls, out): ([f64; 6], f64),
    rng: &mut impl Rng,
) -> Run {
    let expected: Vec<_> = batches.iter().flat_map(Batch::expected).collect();
    let feeds = feeds(spec, batches, stalls, rng);
    let run = run(device, &feeds, out, rng.random(), expected.len()).unwrap();
    for (beat, (is, must)) in results(spec, &run).iter().zip(&expected).enumerate() {
        assert_eq!(is, must, "{spec:?}, stalls {stalls:?}, {out}, beat {beat}");
    }
    run
}

fn batches(spec: &FeedForwardSpec, rng: &mut impl Rng, count: usize, tokens: usize) -> Vec<Batch> {
    let mut batch = |_| {
        let (tokens, corners) = (rng.random_range(1..=tokens), rng.random());
        Batch::random(spec, rng, tokens, corners)
    };
    (0..count).map(&mut batch).collect()
}

#[test]
fn random_sizes_stalls_and_batches() {
    for seed in 0..24 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let spec = random_spec(rng);
        let batches = batches(&spec, rng, 4, 6);
        let stalls = ([0; 6].map(|_| chance(rng)), chance(rng));
        check(&mut simulator(&spec.build(), seed), &spec, &batches, stalls, rng);
    }
}

#[test]
fn every_result_passes_in_the_cycle_the_cost_model_says() {
    for seed in 0..40 {
        let rng = &mut ChaCha8Rng::seed_from_u64(100 + seed);
        let spec = random_spec(rng);
        let batches = batches(&spec, rng, 3, 9);
        let mut simulator = simulator(&spec.build(), seed);
        let run = check(&mut simulator, &spec, &batches, ([0.0; 6], 0.0), rng);
        let shapes: Vec<_> = batches.iter().map(|batch| batch.shape(&spec)).collect();
        assert_eq!(run.cycles, spec.result_cycles(&shapes), "{spec:?}");
        assert_eq!(run.cycles.last().map(|last| last + 1), Some(spec.cycles(&shapes[..])));
    }
}

/// Wherever a reset falls, both layers start over with a load.
#[test]
fn a_reset_in_the_middle_leaves_nothing_behind() {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let spec =
        FeedForwardSpec { inputs: 7, hidden: 5, outputs: 3, first_lanes: 2, second_lanes: 4 };
    let mut simulator = simulator(&spec.build(), 1);
    for beats in 0..12 {
        let batches = batches(&spec, rng, 3, 6);
        let feeds = feeds(&spec, &batches, [0.2; 6], rng);
        let expected: Vec<_> = batches.iter().flat_map(Batch::expected).take(beats).collect();
        // the next run starts with a reset, wherever this one ends
        let run = run(&mut simulator, &feeds, 0.3, beats as u64, expected.len()).unwrap();
        assert_eq!(results(&spec, &run), expected);
    }
}

/// The default size, and tokens that are not precise in half the cycles.
#[test]
fn the_default_size() {
    let rng = &mut ChaCha8Rng::seed_from_u64(9);
    let spec = FeedForwardSpec::default();
    let mut simulator = simulator(&spec.build(), 3);
    let batch = Batch::random(&spec, rng, 6, false);
    let took = [true, false].map(|precise| {
        let mut batch = batch.clone();
        batch.tokens.iter_mut().for_each(|token| token.precise = precise);
        let run = check(&mut simulator, &spec, &[batch], ([0.0; 6], 0.0), rng);
        run.cycles[5] - run.cycles[0]
    });
    assert_eq!(took, [5 * 1024, 5 * 512]);
}

/// From the mask to the precision: attention on tokens says which of them matter, and the
/// feed-forward block computes those at eight bits.
#[test]
fn importance_of_a_job_chooses_the_precision() {
    let mut attention =
        LapaSpec { inputs: 12, queries_per_key: 2, max_heads: 2, hidden: 0, ..LapaSpec::default() };
    let lapa = &mut attention.attention.lapa;
    (lapa.head_dim, lapa.max_keys, lapa.rows) = (8, 32, 4);
    attention.attention.exact.lanes = 8;
    attention.counts.factor256 = 256;
    let spec =
        FeedForwardSpec { inputs: 12, hidden: 24, outputs: 12, first_lanes: 4, second_lanes: 4 };
    let mut engine = simulator(&attention.build(), 1);
    let mut block = simulator(&spec.build(), 2);
    let mut counted = [0, 0];
    for seed in 0..4 {
        let rng = &mut ChaCha8Rng::seed_from_u64(300 + seed);
        let job = random_job(&attention, rng, 30, 2);
        let result = job.results(&attention).unwrap();
        let rows = result.heads.iter().map(|head| head.rows.len()).sum();
        let stalls = layer::Stalls::default();
        let jobs = std::slice::from_ref(&job);
        let run = layer::run(&mut engine, &attention, jobs, stalls, rows, 1).unwrap();
        let precise = |j: usize| run.importance[j / 4].precise >> (j % 4) & 1 == 1;
        let token = |(j, elements): (usize, &Vec<i32>)| Token {
            elements: elements.clone(),
            precise: precise(j),
        };
        let tokens: Vec<_> = job.tokens.iter().enumerate().map(token).collect();
        for (j, token) in tokens.iter().enumerate() {
            assert_eq!(token.precise, result.importance.precise(j), "token {j}");
            counted[usize::from(token.precise)] += 1;
        }
        let batch = Batch::random(&spec, rng, 1, false).fitted_to(tokens, rng);
        let run = check(&mut block, &spec, std::slice::from_ref(&batch), ([0.0; 6], 0.0), rng);
        assert_eq!(run.cycles, spec.result_cycles(&[batch.shape(&spec)]));
    }
    println!("tokens at four and eight bits: {counted:?}");
    assert!(counted.iter().all(|count| *count > 10), "{counted:?}");
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
    let spec =
        FeedForwardSpec { inputs: 5, hidden: 4, outputs: 3, first_lanes: 2, second_lanes: 2 };
    for engine in engines {
        let rng = &mut ChaCha8Rng::seed_from_u64(10);
        let batches = batches(&spec, rng, 3, 4);
        let mut device = engine.open(&spec.build(), Initial::Zero).unwrap();
        let run = check(&mut *device, &spec, &batches, ([0.1; 6], 0.1), rng);
        assert_eq!(run.unknown, 0, "{engine}");
    }
}
