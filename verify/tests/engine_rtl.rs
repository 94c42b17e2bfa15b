//! LAPA whole against its golden models: queries in, outputs out.

use hwgen_designs::attention::engine::drive::{Head, Stalls, run};
use hwgen_designs::attention::engine::{LapaAttentionSpec, build, cost};
use hwgen_designs::drive::Values;
use hwgen_designs::spec::load;
use hwgen_hdl::sim::{Engine, Initial, SimOptions, Simulator};
use hwgen_verify::cosim;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn spec(overrides: &str) -> LapaAttentionSpec {
    let overrides: Vec<String> = overrides.split_whitespace().map(str::to_owned).collect();
    load(None, &overrides).unwrap_or_else(|error| panic!("{error}"))
}

fn expected(spec: &LapaAttentionSpec, heads: &[Head]) -> Vec<Vec<i32>> {
    heads.iter().flat_map(|head| head.expected(spec.exact.probability_bits).unwrap()).collect()
}

fn random_spec(rng: &mut impl Rng) -> LapaAttentionSpec {
    let mut pick = |list: &[&str]| list[rng.random_range(0..list.len())].to_owned();
    let all = [
        pick(&[
            "head_dim=1 lanes=1",
            "head_dim=3 lanes=2",
            "head_dim=8 lanes=8",
            "head_dim=5 lanes=8",
        ]),
        pick(&["max_keys=1", "max_keys=7", "max_keys=16", "max_keys=40"]),
        pick(&["rows=1", "rows=2", "rows=4", "rows=16"]),
        pick(&["key_slices=[4,4]", "key_slices=[8]", "key_slices=[4,2,2]", "key_slices=[4]"]),
        pick(&["mean_max", "sigma", "radius", "top_k", "mass"].map(|mode| mode)).replace(' ', ""),
        pick(&["queries=1", "queries=4", "queries=16"]),
        pick(&["window=2", "window=5"]),
        pick(&["counters=true", "counters=false"]),
    ];
    let all = all.map(|set| if set.contains('=') { set } else { format!("filter.mode={set}") });
    let mut spec = spec(&all.join(" "));
    let tile = if spec.lapa.key_slices.len() == 1 {
        [1, spec.shape().rows, 2.min(spec.shape().rows)]
    } else {
        [1; 3]
    };
    spec.lapa.tile = tile[rng.random_range(0..3)];
    spec.buffers.queries = spec.buffers.queries.max(spec.lapa.tile);
    spec
}

fn random_heads(spec: &LapaAttentionSpec, rng: &mut impl Rng, rows: usize) -> Vec<Head> {
    let values = [Values::Uniform, Values::Corner, Values::Small];
    (0..3)
        .map(|_| {
            let keys = rng.random_range(1..=spec.shape().max_keys as usize);
            let (rows, values) = (rng.random_range(1..rows), values[rng.random_range(0..3)]);
            Head::random(spec, rng, keys, rows, values).unwrap()
        })
        .collect()
}

#[test]
fn random_specifications_heads_and_stalls() {
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = random_spec(&mut rng);
        let heads = random_heads(&spec, &mut rng, 8);
        let must = expected(&spec, &heads);
        let mut chance = || [0.0, 0.1, 0.5, 0.9][rng.random_range(0..4)];
        let stalls = Stalls { keys: chance(), queries: chance(), out: chance(), seed };
        let options = SimOptions {
            engine: Engine::default(),
            initial: Initial::Random(seed),
            ..SimOptions::default()
        };
        let mut simulator = Simulator::with_options(&build(&spec), options);
        let run = run(&mut simulator, spec.shape().head_dim, &heads, stalls, must.len())
            .unwrap_or_else(|error| panic!("{spec:?}, {stalls:?}: {error}"));
        for (row, (is, must)) in run.rows.iter().zip(&must).enumerate() {
            assert_eq!(is, must, "{spec:?}, {stalls:?}, row {row}");
        }
    }
}

/// Cycles of many heads, model and circuit, for sizes as they would be built.
#[test]
fn the_cycle_model_is_within_two_percent() {
    println!("| rows | what is set | keys | cycles | model | off by |");
    let mut worst: f64 = 0.0;
    for (rows, set) in [
        (1, "filter.mode=mean_max"),
        (4, "filter.mode=sigma"),
        (4, "filter.mode=mean_max"),
        (16, "filter.mode=mean_max"),
        (4, "filter.mode=top_k"),
        (4, "filter.mode=mass"),
        (4, "filter.mode=mass key_slices=[4] tile=4"),
        (16, "filter.mode=mean_max key_slices=[4] tile=4"),
    ] {
        for keys in [20, 64] {
            let mut rng = ChaCha8Rng::seed_from_u64(5);
            let spec = spec(&format!("{set} head_dim=16 lanes=16 max_keys=64 rows={rows}"));
            let heads: Vec<_> = (0..3)
                .map(|_| Head::random(&spec, &mut rng, keys, 64, Values::Uniform).unwrap())
                .collect();
            let shapes: Vec<_> = heads.iter().map(|head| head.shape(spec.shape().rows)).collect();
            let model = cost::row_cycles(&spec, &shapes);
            let mut simulator = Simulator::new(&build(&spec), Engine::default());
            let stalls = Stalls::default();
            let run =
                run(&mut simulator, spec.shape().head_dim, &heads, stalls, model.len()).unwrap();
            let (is, model) = (run.cycles[run.cycles.len() - 1], model[model.len() - 1]);
            let off = model as f64 / is as f64 - 1.0;
            println!("| {rows} | {set} | {keys} | {is} | {model} | {:.2} % |", off * 100.0);
            worst = worst.max(off.abs());
        }
    }
    println!("cycle model: {:.2} % off at most", worst * 100.0);
    assert!(worst < 0.02, "{worst}");
}

#[test]
fn counters_tell_where_cycles_went() {
    let spec = spec("head_dim=8 lanes=8 max_keys=32 rows=4");
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let heads = random_heads(&spec, &mut rng, 30);
    let rows: usize = heads.iter().map(|head| head.rows.len()).sum();
    let mut simulator = Simulator::new(&build(&spec), Engine::default());
    run(&mut simulator, 8, &heads, Stalls::default(), rows).unwrap();
    let mut count = |name: &str| simulator.peek_u64(name);
    let cycles: u64 = ["scoring", "loading", "starved", "blocked"].map(&mut count).iter().sum();
    assert_eq!(cycles, count("cycles"));
    let kept: usize = heads.iter().map(Head::kept).sum();
    assert_eq!((count("rows"), count("survivors")), (rows as u64, kept as u64));
    assert_eq!(count("scoring"), kept as u64);
    simulator.poke("clear_counters", 1);
    simulator.step();
    assert_eq!(simulator.peek_u64("survivors"), 0);
}

#[test]
fn a_reset_in_mid_run_leaves_nothing_behind() {
    for set in ["", "key_slices=[4] tile=4"] {
        let spec = spec(&format!("head_dim=5 lanes=2 max_keys=20 rows=4 {set}"));
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let heads = random_heads(&spec, &mut rng, 5);
        let must = expected(&spec, &heads);
        let mut simulator = Simulator::new(&build(&spec), Engine::default());
        for rows in 0..must.len() {
            let stalls = Stalls { out: 0.3, seed: rows as u64, ..Stalls::default() };
            run(&mut simulator, 5, &heads, stalls, rows).unwrap();
            let run = run(&mut simulator, 5, &heads, stalls, must.len()).unwrap();
            assert_eq!(run.rows, must, "after a reset behind {rows} rows, {set}");
        }
    }
}

/// The printed text in engines that are not ours; nothing unknown comes out of a four-state one.
#[test]
fn the_printed_verilog() {
    elsewhere(&[cosim::Engine::Verilator, cosim::Engine::Icarus]);
}

#[test]
#[ignore = "a minute of synthesis"]
fn the_synthesized_gates() {
    elsewhere(&[cosim::Engine::YosysIcarus]);
}

fn elsewhere(engines: &[cosim::Engine]) {
    for set in ["", "key_slices=[3] tile=2 filter.mode=mass"] {
        let spec = spec(&format!("head_dim=3 max_keys=9 rows=2 lanes=4 {set}"));
        let mut rng = ChaCha8Rng::seed_from_u64(13);
        let heads = random_heads(&spec, &mut rng, 6);
        let must = expected(&spec, &heads);
        for engine in engines {
            let mut device = engine.open(&build(&spec), Initial::Zero).unwrap();
            let stalls = Stalls { queries: 0.1, out: 0.3, ..Stalls::default() };
            let run = run(&mut *device, 3, &heads, stalls, must.len()).unwrap();
            assert_eq!((run.unknown, &run.rows), (0, &must), "{engine} {set}");
        }
    }
}
