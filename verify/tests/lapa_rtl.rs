//! Attention from tokens to its output against its golden model.

use hwgen_designs::attention::lapa::drive::{
    self, Counts, Row, Run, feeds, in_order, random_job, run, run_feeds, shape,
};
use hwgen_designs::attention::lapa::golden::{Job, JobResult};
use hwgen_designs::attention::lapa::{LapaSpec, cost};
use hwgen_designs::cost::Cost;
use hwgen_designs::drive::Stalls;
use hwgen_designs::generate::Generate;
use hwgen_hdl::sim::{Device, Initial};
use hwgen_verify::cosim;
use hwgen_verify::suite::{GATES, PRINTED, pick, simulator, spec, stall};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random_spec(rng: &mut impl Rng, set: &str) -> LapaSpec {
    let mut pick = |list: &[&str]| pick(rng, list).to_owned();
    let all = [
        pick(&["head_dim=1 lanes=1", "head_dim=3 lanes=2", "head_dim=4 lanes=8"]),
        pick(&["inputs=1", "inputs=5", "inputs=8"]),
        pick(&["max_keys=1", "max_keys=7", "max_keys=12"]),
        pick(&["rows=1", "rows=2", "rows=4", "rows=16"]),
        pick(&["key_slices=[4,4]", "key_slices=[8]", "key_slices=[4,2,2]"]),
        pick(&["mean_max", "sigma", "radius", "top_k"].map(|mode| mode)),
        pick(&["log_lanes=1", "log_lanes=8"]),
        pick(&["query_lanes=1", "query_lanes=4"]),
        pick(&["key_value_lanes=1", "key_value_lanes=4"]),
        pick(&["queries_per_key=1", "queries_per_key=2", "queries_per_key=3"]),
        pick(&["causal=true", "causal=false"]),
        pick(&["predict_keys=true", "predict_keys=true", "predict_keys=false"]),
        pick(&["buffered_heads=1", "buffered_heads=2"]),
        pick(&["row_window=1", "row_window=2", "row_window=5", "row_window=8"]),
        pick(&["hidden=0", "hidden=1 first_lanes=1", "hidden=5 second_lanes=2", "hidden=8"]),
        pick(&["counters=true", "counters=false"]),
    ];
    let all = all.map(|set| if set.contains('=') { set } else { format!("filter.mode={set}") });
    spec(&(all.join(" ") + " max_heads=4 window=3 " + set))
}

fn random_jobs(spec: &LapaSpec, rng: &mut impl Rng, count: usize) -> Vec<Job> {
    let mut job = |_| {
        let tokens = rng.random_range(1..=spec.shape().max_keys as usize);
        let heads = rng.random_range(1..=3);
        random_job(spec, rng, tokens, heads)
    };
    (0..count).map(&mut job).collect()
}

fn shapes(spec: &LapaSpec, jobs: &[Job]) -> Vec<cost::JobShape> {
    let results = results(spec, jobs);
    jobs.iter().zip(&results).map(|(job, result)| shape(spec, job, result)).collect()
}

fn results(spec: &LapaSpec, jobs: &[Job]) -> Vec<JobResult> {
    jobs.iter().map(|job| job.results(spec).unwrap()).collect()
}

fn check(device: &mut dyn Device, spec: &LapaSpec, jobs: &[Job], stalls: Stalls) -> Run {
    drive::check(device, spec, jobs, stalls)
        .unwrap_or_else(|error| panic!("{spec:?}, {stalls:?}: {error}"))
}

#[test]
fn random_specifications_jobs_and_stalls() {
    (0..18).for_each(|seed| random_run(seed, "", 2));
}

/// More of them, more jobs, and more rows than any memory of rows holds.
#[test]
#[ignore = "minutes"]
fn many_random_specifications() {
    let many = ["max_keys=33", "max_keys=20 lanes=1", "max_keys=40 key_value_lanes=1", ""];
    for seed in 1000..1160 {
        random_run(seed, many[seed as usize % many.len()], 4);
    }
}

fn random_run(seed: u64, set: &str, jobs: usize) {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let spec = random_spec(rng, set);
    let jobs = random_jobs(&spec, rng, jobs);
    let stalls = Stalls { ins: stall(rng), out: stall(rng), seed };
    check(&mut simulator(&spec.build(), seed), &spec, &jobs, stalls);
}

/// Cycles of jobs with several heads, model and circuit, with different parts as the bottleneck.
#[test]
fn the_cycle_model_is_within_two_percent() {
    println!("| what is set | cycles | model | off by | a row, at most |");
    let mut worst: f64 = 0.0;
    let common = "inputs=16 head_dim=8 lanes=8 max_keys=32 max_heads=4 hidden=0";
    for set in [
        "log_lanes=16 query_lanes=4 key_value_lanes=4",
        "log_lanes=16 query_lanes=4 key_value_lanes=4 row_window=1",
        "log_lanes=16 query_lanes=16 key_value_lanes=2 row_window=2",
        "log_lanes=16 query_lanes=16 key_value_lanes=16",
        "log_lanes=1 query_lanes=16 key_value_lanes=16 rows=1",
        "log_lanes=16 query_lanes=16 key_value_lanes=16 rows=1 lanes=1",
        "log_lanes=16 query_lanes=16 lanes=1 buffered_heads=2",
        "log_lanes=4 query_lanes=4 causal=true queries_per_key=2",
        "query_lanes=4 predict_keys=false",
        "query_lanes=16 predict_keys=false lanes=1",
        "query_lanes=16 filter.mode=top_k rows=16",
    ] {
        let rng = &mut ChaCha8Rng::seed_from_u64(5);
        let spec = spec(&format!("{common} {set}"));
        let jobs: Vec<_> = (0..2).map(|_| random_job(&spec, rng, 32, 3)).collect();
        let shapes = shapes(&spec, &jobs);
        let model = spec.result_cycles(&shapes);
        let mut simulator = simulator(&spec.build(), 0);
        let run = check(&mut simulator, &spec, &jobs, Stalls::default());
        let rows = run.cycles.iter().zip(&model);
        let shifted = rows.map(|(is, model)| is.abs_diff(*model)).max().unwrap_or_default();
        let (is, model) = (run.cycles[run.cycles.len() - 1], model[model.len() - 1]);
        let off = model as f64 / is as f64 - 1.0;
        println!("| {set} | {is} | {model} | {:.2} % | {shifted} |", off * 100.0);
        worst = worst.max(off.abs());
    }
    println!("cycle model: {:.2} % off at most", worst * 100.0);
    assert!(worst < 0.02, "{worst}");
}

/// A row whose columns are made passes older ones whose are not, in a window of more than one; the counter
/// says how many did.
#[test]
fn rows_overtake_each_other_and_say_so() {
    let common = "inputs=16 head_dim=8 lanes=8 max_keys=32 max_heads=4 hidden=0 query_lanes=16";
    for row_window in [1, 8] {
        let rng = &mut ChaCha8Rng::seed_from_u64(5);
        let spec = spec(&format!("{common} key_value_lanes=4 row_window={row_window}"));
        let jobs: Vec<_> = (0..2).map(|_| random_job(&spec, rng, 32, 3)).collect();
        let mut simulator = simulator(&spec.build(), 0);
        let run = check(&mut simulator, &spec, &jobs, Stalls::default());
        let passes = |head: &[Row]| {
            let later =
                |(i, row): (usize, &Row)| head[i..].iter().any(|later| later.number < row.number);
            head.iter().enumerate().filter(|row| later(*row)).count()
        };
        let passed: usize = run.rows.split_inclusive(|row| row.last).map(passes).sum();
        assert_eq!(simulator.peek_u64("overtaking") as usize, passed);
        assert_eq!(passed > 0, row_window > 1, "{passed} rows in a window of {row_window}");
        println!("row_window {row_window}: {passed} of {} rows pass older ones", run.rows.len());
    }
}

/// Feed-forward results, exactly: with the block as the bottleneck of several jobs, and without.
#[test]
fn the_feed_forward_block_takes_the_cycles_the_model_says() {
    println!("| what is set | cycles | model |");
    let common = "inputs=16 head_dim=8 lanes=8 max_keys=32 max_heads=4 factor256=256";
    for set in [
        "log_lanes=16 query_lanes=16 key_value_lanes=16 hidden=64 first_lanes=4 second_lanes=4",
        "log_lanes=16 query_lanes=16 key_value_lanes=16 hidden=32 first_lanes=16 second_lanes=1",
        "query_lanes=1 key_value_lanes=4 hidden=8",
    ] {
        let rng = &mut ChaCha8Rng::seed_from_u64(15);
        let spec = spec(&format!("{common} {set}"));
        let jobs = [32, 9, 20, 31].map(|tokens| random_job(&spec, rng, tokens, 1));
        let model = cost::cycles(&spec, &shapes(&spec, &jobs)).feed;
        let mut simulator = simulator(&spec.build(), 0);
        let run = check(&mut simulator, &spec, &jobs, Stalls::default());
        let last = |cycles: &[u64]| cycles[cycles.len() - 1];
        println!("| {set} | {} | {} |", last(&run.feed_cycles), last(&model));
        assert_eq!(run.feed_cycles, model, "{set}");
    }
}

/// Columns that no row keeps are not made.
#[test]
fn counters_tell_what_was_made() {
    let spec = spec(
        "inputs=8 head_dim=4 lanes=4 max_keys=24 filter.mode=top_k filter.keep256=[16] hidden=6",
    );
    let rng = &mut ChaCha8Rng::seed_from_u64(6);
    let jobs = [random_job(&spec, rng, 24, 2), random_job(&spec, rng, 17, 1)];
    let mut simulator = simulator(&spec.build(), 0);
    let run = check(&mut simulator, &spec, &jobs, Stalls::default());
    let results = results(&spec, &jobs);
    let heads: Vec<_> = results.iter().flat_map(|result| &result.heads).collect();
    let made: Vec<_> = heads.iter().flat_map(|head| &head.made).collect();
    let needed = made.iter().filter(|made| ***made).count();
    assert!(needed < made.len(), "the filter should leave columns unneeded");
    let kept: usize =
        heads.iter().flat_map(|head| &head.survivors).map(|row| row.count_ones()).sum();
    let mut count = |name: &str| simulator.peek_u64(name) as usize;
    assert_eq!((count("columns"), count("columns_needed")), (made.len(), needed));
    assert_eq!((count("rows"), count("survivors")), (run.rows.len(), kept));
    let precise = results
        .iter()
        .flat_map(|job| (0..job.feed.len()).filter(|token| job.importance.precise(*token)));
    assert_eq!((count("feed_tokens"), count("feed_precise")), (24 + 17, precise.count()));
    assert!(count("feeding") > 0 && count("feed_starved") == 0);
    let exact = ["scoring", "loading", "starved", "blocked"].map(&mut count);
    assert_eq!(exact.iter().sum::<usize>(), count("cycles"));
    for busy in ["filling", "predicting_keys", "making_queries", "making_columns"] {
        assert!((1..count("cycles")).contains(&count(busy)), "{busy}");
    }
}

#[test]
fn a_reset_in_mid_run_leaves_nothing_behind() {
    for predict_keys in [true, false] {
        let spec = spec(&format!(
            "inputs=3 head_dim=2 lanes=2 max_keys=6 rows=2 query_lanes=2 hidden=4 predict_keys={predict_keys}"
        ));
        let rng = &mut ChaCha8Rng::seed_from_u64(4);
        let jobs = random_jobs(&spec, rng, 2);
        let count = results(&spec, &jobs)
            .iter()
            .flat_map(|job| &job.heads)
            .map(|head| head.rows.len())
            .sum();
        let mut simulator = simulator(&spec.build(), 0);
        for rows in 0..count {
            let stalls = Stalls { out: 0.3, seed: rows as u64, ..Stalls::default() };
            run(&mut simulator, &spec, &jobs, stalls, rows, 0).unwrap();
            check(&mut simulator, &spec, &jobs, stalls);
        }
    }
}

/// What a host may get wrong: no head or too many, more tokens than there is room for.
#[test]
fn jobs_are_held_to_what_fits() {
    let spec =
        spec("inputs=3 head_dim=2 lanes=2 max_keys=6 rows=2 max_heads=2 query_lanes=2 hidden=0");
    let rng = &mut ChaCha8Rng::seed_from_u64(9);
    let jobs =
        [(6, 1), (3, 2), (6, 2)].map(|(tokens, heads)| random_job(&spec, rng, tokens, heads));
    let results = results(&spec, &jobs);
    let rows: Vec<_> =
        results.iter().flat_map(|job| &job.heads).flat_map(|head| head.rows.clone()).collect();
    let mut feeds = feeds(&spec, &jobs, 0.0);
    let field = |stream| feeds.iter().position(|feed| feed.stream == stream).unwrap();
    let (heads, tokens) = (field("jobs"), field("tokens"));
    (feeds[heads].beats[0][0], feeds[heads].beats[2][0]) = (0.into(), 3.into());
    // the first job's last token, but for `last`, then others
    let beats = &mut feeds[tokens].beats;
    let last = std::mem::replace(&mut beats[5][1], 0.into());
    let mut more = beats[..3].to_vec();
    more[2][1] = last;
    beats.splice(6..6, more);
    let mut simulator = simulator(&spec.build(), 0);
    let counts = Counts { rows: rows.len(), groups: 8, fed: 0 };
    let run = run_feeds(&mut simulator, &spec, feeds, Stalls::default(), counts).unwrap();
    assert_eq!(in_order(&run.rows).unwrap(), rows);
}

/// The printed text in engines that are not ours; nothing unknown comes out of a four-state one.
#[test]
fn the_printed_verilog() {
    elsewhere(&PRINTED);
}

#[test]
#[ignore = "minutes of synthesis"]
fn the_synthesized_gates() {
    elsewhere(&GATES);
}

fn elsewhere(engines: &[cosim::Engine]) {
    let spec = spec(
        "inputs=3 head_dim=2 max_keys=6 rows=2 lanes=2 log_lanes=2 query_lanes=2 max_heads=3 \
              hidden=3 first_lanes=2 second_lanes=2",
    );
    let rng = &mut ChaCha8Rng::seed_from_u64(13);
    let jobs = random_jobs(&spec, rng, 2);
    for engine in engines {
        let mut device = engine.open(&spec.build(), Initial::Zero).unwrap();
        let stalls = Stalls { ins: 0.1, out: 0.3, ..Stalls::default() };
        let run = check(&mut *device, &spec, &jobs, stalls);
        assert_eq!(run.unknown, 0, "{engine}");
    }
}
