//! `importance`.

use hwgen_designs::drive::{Driven, Stalls};
use hwgen_designs::generate::Generate;
use hwgen_designs::linear::ImportanceSpec;
use hwgen_designs::linear::drive::importance::Job;
use hwgen_verify::suite::{self, PRINTED, check, compare, pick, simulator};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random_spec(rng: &mut impl Rng) -> ImportanceSpec {
    ImportanceSpec {
        max_keys: pick(rng, &[1, 2, 7, 16, 40, 130]),
        rows: pick(rng, &[1, 2, 4, 16, 64]),
        max_queries: pick(rng, &[1, 2, 20, 65535]),
        factor256: pick(rng, &[0, 1, 100, 128, 256, 300, 512, 1000, 1024]),
    }
}

#[test]
fn random_sizes_stalls_and_jobs() {
    suite::random(0..100, random_spec, (6, 20));
}

#[test]
fn every_group_passes_in_the_cycle_the_cost_model_says() {
    suite::cycles(0..100, random_spec, (5, 20));
}

/// Wherever a reset falls, no count of before is left.
#[test]
fn a_reset_in_the_middle_leaves_nothing_behind() {
    let spec = ImportanceSpec { max_keys: 21, rows: 4, ..ImportanceSpec::default() };
    suite::resets(&spec, (5, 20));
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
    let mut feeds = spec.feeds(&meant, rng);
    feeds[0].beats[0] = vec![0.into(), 0.into()];
    feeds[0].beats[1] = vec![7.into(), 15.into()];
    compare(&mut simulator(&spec.build(), 2), &spec, &feeds, Stalls::default(), &meant);
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
        let jobs = [full, spec.random(rng, 20)];
        check(&mut simulator(&spec.build(), 3), &spec, &jobs, Stalls::default());
    }
    let spec = ImportanceSpec::default();
    let jobs = suite::jobs(&spec, rng, (4, 20));
    check(&mut simulator(&spec.build(), 4), &spec, &jobs, Stalls::default());
}

/// The printed text in engines that are not ours; nothing unknown comes out of a four-state one.
#[test]
fn the_printed_verilog() {
    let small = [(11, 4), (3, 1)].map(|(max_keys, rows)| ImportanceSpec {
        max_keys,
        rows,
        max_queries: 30,
        factor256: 300,
    });
    suite::elsewhere(&PRINTED, &small, (6, 20));
}
