//! `importance`.

use super::{chance, pick, simulator};
use hwgen_designs::cost::Cost;
use hwgen_designs::drive::{Run, run};
use hwgen_designs::generate::Generate;
use hwgen_designs::linear::ImportanceSpec;
use hwgen_designs::linear::drive::importance::{Job, feeds, results};
use hwgen_designs::spec::Spec;
use hwgen_hdl::sim::{Device, Initial};
use hwgen_verify::cosim;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random_spec(rng: &mut impl Rng) -> ImportanceSpec {
    let spec = ImportanceSpec {
        max_keys: pick(rng, &[1, 2, 7, 16, 40, 130]),
        rows: pick(rng, &[1, 2, 4, 16, 64]),
        max_queries: pick(rng, &[1, 2, 20, 65535]),
        factor256: pick(rng, &[0, 1, 100, 128, 256, 300, 512, 1000, 1024]),
    };
    spec.validate().unwrap();
    spec
}

/// Runs the jobs, without a reset between them, and compares every group.
fn check(
    device: &mut dyn Device,
    spec: &ImportanceSpec,
    jobs: &[Job],
    stalls: [f64; 3],
    rng: &mut impl Rng,
) -> Run {
    let [of_jobs, survivors, out] = stalls;
    let expected: Vec<_> = jobs.iter().flat_map(|job| job.expected(spec)).collect();
    let feeds = feeds(spec, jobs, [of_jobs, survivors], rng);
    let run = run(device, &feeds, out, rng.random(), expected.len()).unwrap();
    for (beat, (is, must)) in results(spec, &run).iter().zip(&expected).enumerate() {
        assert_eq!(is, must, "{spec:?}, stalls {stalls:?}, beat {beat}");
    }
    run
}

fn jobs(spec: &ImportanceSpec, rng: &mut impl Rng, count: usize) -> Vec<Job> {
    (0..count).map(|_| Job::random(spec, rng)).collect()
}

#[test]
fn random_sizes_stalls_and_jobs() {
    for seed in 0..100 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let spec = random_spec(rng);
        let jobs = jobs(&spec, rng, 6);
        let stalls = [chance(rng), chance(rng), chance(rng)];
        check(&mut simulator(&spec.build(), seed), &spec, &jobs, stalls, rng);
    }
}

#[test]
fn every_group_passes_in_the_cycle_the_cost_model_says() {
    for seed in 0..100 {
        let rng = &mut ChaCha8Rng::seed_from_u64(200 + seed);
        let spec = random_spec(rng);
        let jobs = jobs(&spec, rng, 5);
        let run = check(&mut simulator(&spec.build(), seed), &spec, &jobs, [0.0; 3], rng);
        let shape = |job: &Job| (job.keys as u32, job.survivor_groups(&spec));
        let shapes: Vec<_> = jobs.iter().map(shape).collect();
        assert_eq!(run.cycles, spec.result_cycles(&shapes), "{spec:?}");
        assert_eq!(run.cycles.last().map(|last| last + 1), Some(spec.cycles(&shapes[..])));
    }
}

/// Wherever a reset falls, no count of before is left.
#[test]
fn a_reset_in_the_middle_leaves_nothing_behind() {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let spec = ImportanceSpec { max_keys: 21, rows: 4, ..ImportanceSpec::default() };
    let mut simulator = simulator(&spec.build(), 1);
    for beats in 0..20 {
        let jobs = jobs(&spec, rng, 5);
        let feeds = feeds(&spec, &jobs, [0.0, 0.2], rng);
        let expected: Vec<_> =
            jobs.iter().flat_map(|job| job.expected(&spec)).take(beats).collect();
        let run = run(&mut simulator, &feeds, 0.3, beats as u64, expected.len()).unwrap();
        assert_eq!(results(&spec, &run), expected);
    }
}

#[test]
fn what_does_not_fit_is_held_to_the_range() {
    let rng = &mut ChaCha8Rng::seed_from_u64(8);
    let spec = ImportanceSpec { max_keys: 5, rows: 2, max_queries: 9, factor256: 256 };
    let row = |len: usize| (0..len).map(|j| j % 3 != 1).collect::<Vec<_>>();
    let meant = [
        Job { keys: 1, rows: vec![row(2)] },
        Job { keys: 5, rows: (0..9).map(|i| row(2 + 2 * (i % 4))).collect() },
        Job { keys: 4, rows: vec![row(4)] },
    ];
    let mut feeds = feeds(&spec, &meant, [0.0; 2], rng);
    feeds[0].beats[0] = vec![0.into(), 0.into()];
    feeds[0].beats[1] = vec![7.into(), 15.into()];
    let expected: Vec<_> = meant.iter().flat_map(|job| job.expected(&spec)).collect();
    let run = run(&mut simulator(&spec.build(), 2), &feeds, 0.0, 0, expected.len()).unwrap();
    assert_eq!(results(&spec, &run), expected);
}

/// As many rows as fit, all of whose tokens are kept: counters and threshold at their largest.
#[test]
fn extremes() {
    let rng = &mut ChaCha8Rng::seed_from_u64(9);
    for (max_keys, rows, factor256) in [(1, 1, 1024), (2, 2, 1023), (3, 1, 128)] {
        let spec = ImportanceSpec { max_keys, rows, max_queries: 65535, factor256 };
        let keys = max_keys as usize;
        let groups = spec.max_groups() as usize;
        let full = Job { keys, rows: vec![vec![true; groups * rows as usize]; 65535] };
        let jobs = [full, Job::random(&spec, rng)];
        check(&mut simulator(&spec.build(), 3), &spec, &jobs, [0.0; 3], rng);
    }
    let spec = ImportanceSpec::default();
    let jobs = jobs(&spec, rng, 4);
    check(&mut simulator(&spec.build(), 4), &spec, &jobs, [0.0; 3], rng);
}

/// The printed text in engines that are not ours; nothing unknown comes out of a four-state one.
#[test]
fn the_printed_verilog() {
    for engine in [cosim::Engine::Verilator, cosim::Engine::Icarus] {
        for (max_keys, rows) in [(11, 4), (3, 1)] {
            let rng = &mut ChaCha8Rng::seed_from_u64(10);
            let spec = ImportanceSpec { max_keys, rows, max_queries: 30, factor256: 300 };
            let jobs = jobs(&spec, rng, 6);
            let mut device = engine.open(&spec.build(), Initial::Zero).unwrap();
            let run = check(&mut *device, &spec, &jobs, [0.1, 0.1, 0.3], rng);
            assert_eq!(run.unknown, 0, "{engine}");
        }
    }
}
