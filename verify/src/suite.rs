//! What suites of circuits walk: random specifications, jobs and stalls, resets wherever they fall, and
//! every engine, against golden models and models of cycles.

use crate::cosim;
use hwgen_designs::drive::{Driven, Feed, Run, Stalls, run_for};
use hwgen_designs::generate::Generate;
use hwgen_designs::spec::{Spec, load};
use hwgen_hdl::Module;
use hwgen_hdl::sim::{Device, Engine, Initial, SimOptions, Simulator};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;
use std::sync::Arc;

/// The specification with these overrides, separated by blanks.
pub fn spec<S: Spec>(overrides: &str) -> S {
    let overrides: Vec<String> = overrides.split_whitespace().map(str::to_owned).collect();
    load(None, &overrides).unwrap_or_else(|error| panic!("{error}"))
}

/// One of a list.
pub fn pick<T: Copy>(rng: &mut impl Rng, list: &[T]) -> T {
    list[rng.random_range(0..list.len())]
}

/// How often a stream stalls: never, now and then, nearly always.
pub fn stall(rng: &mut impl Rng) -> f64 {
    pick(rng, &[0.0, 0.1, 0.5, 0.9])
}

/// Our fast engine, started from random registers and memories.
pub fn simulator(module: &Arc<Module>, seed: u64) -> Simulator {
    simulator_on(Engine::default(), module, seed)
}

fn simulator_on(engine: Engine, module: &Arc<Module>, seed: u64) -> Simulator {
    let options = SimOptions { engine, initial: Initial::Random(seed), ..SimOptions::default() };
    Simulator::with_options(module, options)
}

/// So many random jobs, each with at most `most` rows, tokens or whatever it has many of.
pub fn jobs<D: Driven>(
    spec: &D,
    rng: &mut ChaCha8Rng,
    (count, most): (usize, usize),
) -> Vec<D::Job> {
    (0..count).map(|_| spec.random(rng, most)).collect()
}

/// Runs the jobs, without a reset between them, and compares every beat.
pub fn check<D: Driven>(
    device: &mut dyn Device,
    spec: &D,
    jobs: &[D::Job],
    stalls: Stalls,
) -> Run<D::Out> {
    compare(device, spec, &spec.stalled(jobs, stalls), stalls, jobs)
}

/// [`check`] of jobs that are `meant` by what streams are fed.
pub fn compare<D: Driven>(
    device: &mut dyn Device,
    spec: &D,
    feeds: &[Feed],
    stalls: Stalls,
    meant: &[D::Job],
) -> Run<D::Out> {
    let expected = spec.expected(meant).unwrap();
    let run = spec
        .run_fed(device, feeds, stalls, expected.len())
        .unwrap_or_else(|error| panic!("{spec:?}, {stalls:?}: {error}"));
    for (beat, (is, must)) in run.beats.iter().zip(&expected).enumerate() {
        assert_eq!(is, must, "{spec:?}, {stalls:?}, beat {beat}");
    }
    run
}

/// Random specifications and jobs, each stream stalling as often as it likes, on both our engines.
pub fn random<D: Driven + Generate>(
    seeds: Range<u64>,
    spec: impl Fn(&mut ChaCha8Rng) -> D,
    many: (usize, usize),
) {
    for seed in seeds {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let spec = spec(rng);
        spec.validate().unwrap();
        let jobs = jobs(&spec, rng, many);
        let stalls = Stalls { out: stall(rng), seed, ..Stalls::default() };
        let mut feeds = spec.feeds(&jobs, rng);
        feeds.iter_mut().for_each(|feed| feed.stall = stall(rng));
        let engine = if seed % 8 == 7 { Engine::Interpreter } else { Engine::default() };
        let mut simulator = simulator_on(engine, &spec.build(), seed);
        compare(&mut simulator, &spec, &feeds, stalls, &jobs);
    }
}

/// The same without stalls: every beat passes in the cycle that the model says.
pub fn cycles<D: Driven + Generate>(
    seeds: Range<u64>,
    spec: impl Fn(&mut ChaCha8Rng) -> D,
    many: (usize, usize),
) {
    for seed in seeds {
        let rng = &mut ChaCha8Rng::seed_from_u64(1000 + seed);
        let spec = spec(rng);
        spec.validate().unwrap();
        let jobs = jobs(&spec, rng, many);
        check_cycles(&mut simulator(&spec.build(), seed), &spec, &jobs);
    }
}

/// Runs the jobs without stalls, and compares every beat and its cycle.
pub fn check_cycles<D: Driven>(device: &mut dyn Device, spec: &D, jobs: &[D::Job]) -> Run<D::Out> {
    let run = check(device, spec, jobs, Stalls::default());
    assert_eq!(run.cycles, spec.out_cycles(jobs), "{spec:?}");
    run
}

/// Wherever a reset falls, behind any beat of `out` or in any cycle, nothing of before is left.
pub fn resets<D: Driven + Generate>(spec: &D, many: (usize, usize)) {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let mut simulator = simulator(&spec.build(), 1);
    let (mut round, mut rounds, mut end) = (0, 16, 0);
    while round < rounds {
        let jobs = jobs(spec, rng, many);
        let stalls = Stalls { ins: 0.2, out: 0.3, seed: round };
        let feeds = spec.stalled(&jobs, stalls);
        // a run starts with a reset, wherever the one before ended: behind each beat once at least
        let all = spec.expected(&jobs).unwrap().len() as u64;
        rounds = rounds.max(all);
        let beats = (round % all) as usize;
        round += 1;
        spec.run_fed(&mut simulator, &feeds, stalls, beats).unwrap();
        compare(&mut simulator, spec, &feeds, stalls, &jobs);
        run_for(&mut simulator, &feeds, rng.random_range(0..=end)).unwrap();
        end = compare(&mut simulator, spec, &feeds, stalls, &jobs).cycles.pop().unwrap_or_default();
    }
}

/// Engines that are not ours: the printed text, or what is made of it. Nothing unknown comes out of
/// a four-state one.
pub fn elsewhere<D: Driven + Generate>(
    engines: &[cosim::Engine],
    specs: &[D],
    many: (usize, usize),
) {
    for spec in specs {
        let jobs = jobs(spec, &mut ChaCha8Rng::seed_from_u64(13), many);
        for engine in engines {
            let mut device = engine.open(&spec.build(), Initial::Zero).unwrap();
            let stalls = Stalls { ins: 0.1, out: 0.3, seed: 1 };
            let run = check(&mut *device, spec, &jobs, stalls);
            assert_eq!(run.unknown, 0, "{engine}");
        }
    }
}

/// The engines that run the printed text.
pub const PRINTED: [cosim::Engine; 2] = [cosim::Engine::Verilator, cosim::Engine::Icarus];

/// The engine that runs synthesized gates.
pub const GATES: [cosim::Engine; 1] = [cosim::Engine::YosysIcarus];

/// The Python that an environment variable names; without one, a line says which tests did not run.
pub fn python(variable: &str, has: &str) -> Option<String> {
    let python = std::env::var(variable).ok();
    if python.is_none() {
        println!("not run: {variable} names no Python that has {has}");
    }
    python
}
