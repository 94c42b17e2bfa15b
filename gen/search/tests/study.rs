//! Searches compared: `search_runs` makes the runs that the ledger lacks, `search_compared` holds what they say.

use hwgen_data::{Data, Options, Source};
use hwgen_search::study::{Alone, Arm, Comparison, Key, Runs, Set, compare, tau};
use std::path::{Path, PathBuf};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=3;

fn ledger() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rationale/search-runs.jsonl")
}

/// Where the items are, if they are.
fn data(set: Set) -> Option<Data> {
    let path = match set {
        Set::Fashion => PathBuf::from("/usr/share/datasets/fashion-mnist"),
        Set::Keywords => {
            let given = std::env::var_os("HWGEN_DATA").map(PathBuf::from);
            let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
            given.unwrap_or(beside).join("speech_commands")
        }
    };
    Source::open(&path).and_then(|source| source.load(&Options::default())).ok()
}

/// All runs of a set: seed by seed, all arms of a seed before the next.
fn keys(set: Set) -> impl Iterator<Item = Key> {
    let folds = if set == Set::Keywords { 5 } else { 1 };
    SEEDS.flat_map(move |seed| {
        (0..folds).flat_map(move |fold| Arm::ALL.map(|arm| Key { set, arm, seed, fold }))
    })
}

#[test]
#[ignore = "hours: every run that docs/rationale/search-runs.jsonl lacks; HWGEN_SEARCH_HOURS ends it earlier"]
fn search_runs() {
    let hours = std::env::var("HWGEN_SEARCH_HOURS").ok().and_then(|hours| hours.parse().ok());
    let begin = std::time::Instant::now();
    let mut runs = Runs::open(&ledger()).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("search-runs");
    let mut missing = 0;
    for set in [Set::Fashion, Set::Keywords] {
        let Some(data) = data(set) else {
            println!("{set:?}: no data here");
            continue;
        };
        for key in keys(set) {
            let late =
                hours.is_some_and(|hours: f64| begin.elapsed().as_secs_f64() > 3600.0 * hours);
            if late && !runs.known.contains_key(&key) {
                missing += 1;
                continue;
            }
            let run = runs.run(key, &data, &folder, &mut |_| {}).unwrap();
            let points = run.points.iter();
            let points = points.map(|p| format!("{} {:.2} %", p.cycles, 100.0 * p.test));
            println!("{key:?}: {}", points.collect::<Vec<_>>().join(", "));
        }
    }
    println!("{missing} runs are missing yet");
}

#[test]
#[ignore = "an hour: 20 subnets of a supernet, each trained alone"]
fn search_tau() {
    let mut runs = Runs::open(&ledger()).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("search-runs");
    let data = data(Set::Fashion).expect("Debian's dataset-fashion-mnist is not there");
    for number in 0..20 {
        let found = runs.alone((Set::Fashion, 1, number), &data, &folder, &mut |_| {}).unwrap();
        let (shared, alone) = (100.0 * found.shared, 100.0 * found.alone);
        println!(
            "subnet {number}: {shared:.2} % shared, {alone:.2} % alone, {} epochs, {:.0} s",
            found.epochs, found.seconds
        );
    }
    let all: Vec<&Alone> =
        runs.alone.iter().filter(|a| a.set == Set::Fashion && a.seed == 1).collect();
    println!("search_tau: {:.3}", tau(&all));
}

/// Prints an arm against another, seed by seed.
fn table(runs: &Runs, set: Set, arms: [Arm; 2], allowed: f64) -> Vec<Comparison> {
    let comparisons = compare(runs, set, arms, allowed);
    for c in &comparisons {
        println!(
            "{set:?} {:?} against {:?}, seed {}, {} folds: {:.0} -> {:.0} cycles, {:.2}x; {:.2} % {:+.2} +- {:.2} points; \
             bytes of weights, LUT, FF, DSP, BRAM {:?} -> {:?}",
            arms[1],
            arms[0],
            c.seed,
            c.folds,
            c.base_cycles,
            c.cycles,
            c.ratio(),
            100.0 * c.base_test,
            100.0 * c.paired.difference,
            100.0 * c.paired.half_width,
            c.beside[0],
            c.beside[1],
        );
    }
    comparisons
}

#[test]
fn the_ledger_is_as_it_was_written() {
    let runs = Runs::open(&ledger()).unwrap();
    assert_eq!(runs.damaged(), 0, "lines of the ledger are damaged");
}

#[test]
#[ignore = "holds what search_runs found; fails while runs are missing"]
fn search_compared() {
    let runs = Runs::open(&ledger()).unwrap();
    for set in [Set::Fashion, Set::Keywords] {
        for arm in [Arm::FourSeven, Arm::FourEight] {
            table(&runs, set, [Arm::Eight, arm], 0.007);
            table(&runs, set, [arm, Arm::Joint], 0.0);
        }
        let joint = table(&runs, set, [Arm::Eight, Arm::Joint], 0.007);
        let null = table(&runs, set, [Arm::EightWide, Arm::JointWide], 0.007);
        assert_eq!((joint.len(), null.len()), (3, 3), "{set:?}: seeds that are there");
        for c in &joint {
            assert!(c.ratio() >= 1.5 && c.paired.difference >= -0.007, "{set:?}: {c:?}");
        }
        for c in &null {
            assert!((0.97..=1.03).contains(&c.ratio()), "{set:?}: {c:?}");
        }
    }
}
