//! The CNN core's circuit against its golden model, and its cycles.

mod candidates;
mod network;
mod policies;
mod random;

use hwgen_designs::cnn::drive::{Script, sent};
use hwgen_designs::cnn::{CnnSpec, Job, Nibbles, Transfer};
use hwgen_designs::drive;
use hwgen_designs::generate::Generate;
use hwgen_designs::golden::Golden;
use hwgen_designs::spec::Spec;
use hwgen_hdl::Module;
use hwgen_hdl::sim::{Engine, Initial, SimOptions, Simulator};
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
    let narrow_weights = rng.random_bool(0.7);
    let packed = pixels == 2 && rng.random_bool(0.7);
    let dual = rng.random();
    let spec = CnnSpec {
        lanes,
        pixels,
        packed,
        results,
        multiplier_bits: pick(rng, &[31, 31, 24, 17, 15]),
        accumulator_bits: if additions { 32 } else { pick(rng, &[24, 28, 32]) },
        nibbles: results > 1 && rng.random_bool(0.4),
        narrow_weights,
        dual,
        split: dual && !packed && rng.random(),
        activation_words: 2048 / lanes,
        weight_rows: 4096 / lanes,
        scale_rows: 64,
        jobs: 12,
        additions,
        addition_shift: pick(rng, &[20, 20, 8, 5]),
        maxima: rng.random(),
        sums: rng.random(),
        softmax_tables: rng.random_range(0..=3),
        matrices: rng.random(),
        counters: rng.random(),
        single_port: rng.random_bool(0.4),
    };
    spec.validate().unwrap();
    spec
}

#[test]
fn random_programs_on_random_cores() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let mut compared = 0;
    for _ in 0..16 {
        let spec = random_spec(rng);
        let mut device = simulator(&spec.build(), rng.random());
        for seed in 0..20 {
            let batch = spec.batch(&mut device, seed);
            compared +=
                batch.unwrap_or_else(|error| panic!("{spec:?}, seed {seed}: {error}")).compared;
        }
    }
    println!("{compared} bytes equal");
    assert!(compared > 10_000, "{compared}");
}

/// Lanes of two weights: dense layers, pairs of rows and of columns, whole and odd.
#[test]
fn two_weights_a_lane() {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let (mut dense, mut depthwise, mut compared) = (0, 0, 0);
    for _ in 0..32 {
        let spec = CnnSpec { dual: true, ..random_spec(rng) };
        let mut device = simulator(&spec.build(), rng.random());
        for seed in 0..40 {
            let script = Script::random(&spec, &mut ChaCha8Rng::seed_from_u64(seed), 3);
            for job in &script.image.jobs {
                match job {
                    Job::Convolve(job) if job.dual && job.depthwise => depthwise += 1,
                    Job::Convolve(job) if job.dual => dense += 1,
                    _ => {}
                }
            }
            let feeds = script.feeds(&spec, [0.1; 2]);
            let beats = script.expected(&spec).len() / spec.results as usize;
            let run = drive::run(&mut device, &feeds, 0.1, seed, beats).unwrap();
            assert_eq!(sent(&spec, &run), script.expected(&spec), "{spec:?}, seed {seed}");
            compared += beats * spec.results as usize;
        }
    }
    println!("{compared} bytes equal; {dense} dense jobs, {depthwise} depthwise of two weights");
    assert!(dense > 50 && depthwise > 30, "{dense} {depthwise}");
}

/// An output before and one behind: what lies between is the program's cost, to the cycle.
#[test]
fn cycles_are_as_predicted() {
    let rng = &mut ChaCha8Rng::seed_from_u64(2);
    let (mut convolutions, mut additions, mut softmaxes, mut lookups) = (0, 0, 0, 0);
    for _ in 0..12 {
        let spec = random_spec(rng);
        let mut device = simulator(&spec.build(), rng.random());
        for seed in 0..40 {
            let mut script = Script::random(&spec, rng, 1);
            if script.image.jobs.len() < 3 {
                continue;
            }
            let beat = Job::Output(Transfer { base: 0, beats: 1, nibbles: Nibbles::default() });
            script.image.jobs.pop();
            script.image.jobs.push(beat.clone());
            script.image.jobs.insert(1, beat);
            script.input.truncate(1);
            let feeds = script.feeds(&spec, [0.0; 2]);
            let run = drive::run(&mut device, &feeds, 0.0, seed, 2).unwrap();
            let predicted = spec.program_cycles(&script.image.jobs[2..]);
            assert_eq!(
                run.cycles[1] - run.cycles[0],
                predicted,
                "{spec:?} {:?}",
                script.image.jobs[2]
            );
            match &script.image.jobs[2] {
                Job::Convolve(_) => convolutions += 1,
                Job::Softmax(_) => softmaxes += 1,
                Job::Lookup(_) => lookups += 1,
                _ => additions += 1,
            }
        }
    }
    println!(
        "{convolutions} convolutions, {additions} additions, {softmaxes} softmaxes, {lookups} lookups \
         as predicted"
    );
    assert!(convolutions > 100 && additions > 10 && softmaxes > 10 && lookups > 10);
}
