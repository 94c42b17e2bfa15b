//! Any whole engine against its golden models: queries in, outputs out.

use super::{pick, random_heads, random_stalls, simulator, spec};
use hwgen_designs::attention::engine::drive::{Head, Stalls, run};
use hwgen_designs::attention::engine::{Engine, cost};
use hwgen_designs::attention::predictor::drive::Predict;
use hwgen_designs::drive::Values;
use hwgen_designs::generate::Generate;
use hwgen_hdl::sim::{self, Initial, Simulator};
use hwgen_verify::cosim;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn expected<E: Engine>(spec: &E, heads: &[Head]) -> Vec<Vec<i32>> {
    let bits = spec.attend().probability_bits;
    heads.iter().flat_map(|head| head.expected(bits).unwrap()).collect()
}

fn random_size(rng: &mut ChaCha8Rng) -> String {
    let all = [
        pick(rng, &["head_dim=1 lanes=1", "head_dim=3 lanes=2", "head_dim=8 lanes=8"]),
        pick(rng, &["max_keys=1", "max_keys=7", "max_keys=16", "max_keys=40"]),
        pick(rng, &["rows=1", "rows=2", "rows=4", "rows=16"]),
        pick(rng, &["queries=1", "queries=4", "queries=16"]),
        pick(rng, &["window=2", "window=5"]),
        pick(rng, &["counters=true", "counters=false"]),
    ];
    all.join(" ")
}

/// Random specifications of `settings` beside a random size.
pub(super) fn random_specifications_heads_and_stalls<E: Engine + Predict>(
    settings: impl Fn(&mut ChaCha8Rng) -> String,
) {
    for seed in 0..16 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec: E = spec(&format!("{} {}", random_size(&mut rng), settings(&mut rng)));
        let heads = random_heads(&spec, &mut rng, 3, 8);
        let must = expected(&spec, &heads);
        let stalls = random_stalls(&mut rng, seed);
        let mut simulator = simulator(&Generate::build(&spec), seed);
        let run = run(&mut simulator, spec.size().head_dim, &heads, stalls, must.len())
            .unwrap_or_else(|error| panic!("{spec:?}, {stalls:?}: {error}"));
        for (row, (is, must)) in run.rows.iter().zip(&must).enumerate() {
            assert_eq!(is, must, "{spec:?}, {stalls:?}, row {row}");
        }
    }
}

/// Cycles of many heads, model and circuit, for sizes as they would be built.
pub(super) fn the_cycle_model_is_within_two_percent<E: Engine + Predict>(settings: &str) {
    println!("| {}: rows | keys | cycles | model | off by |", E::NAME);
    let mut worst: f64 = 0.0;
    for (rows, keys) in [(1, 20), (4, 20), (4, 64), (16, 64)] {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let spec: E = spec(&format!("head_dim=16 lanes=16 max_keys=64 rows={rows} {settings}"));
        let heads: Vec<_> = (0..3)
            .map(|_| Head::random(&spec, &mut rng, keys, 64, Values::Uniform).unwrap())
            .collect();
        let shapes: Vec<_> = heads.iter().map(|head| head.shape(rows)).collect();
        let model = cost::row_cycles(&spec, &shapes);
        let mut simulator = Simulator::new(&Generate::build(&spec), sim::Engine::default());
        let run = run(&mut simulator, 16, &heads, Stalls::default(), model.len()).unwrap();
        let (is, model) = (run.cycles[run.cycles.len() - 1], model[model.len() - 1]);
        let off = model as f64 / is as f64 - 1.0;
        println!("| {rows} | {keys} | {is} | {model} | {:.2} % |", off * 100.0);
        worst = worst.max(off.abs());
    }
    println!("{} cycle model: {:.2} % off at most", E::NAME, worst * 100.0);
    assert!(worst < 0.02, "{worst}");
}

/// Wherever a reset falls, the engine starts over.
pub(super) fn a_reset_in_mid_run_leaves_nothing_behind<E: Engine + Predict>() {
    let spec: E = spec("head_dim=5 lanes=2 max_keys=20 rows=4");
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let heads = random_heads(&spec, &mut rng, 3, 5);
    let must = expected(&spec, &heads);
    let mut simulator = Simulator::new(&Generate::build(&spec), sim::Engine::default());
    for rows in 0..must.len() {
        let stalls = Stalls { out: 0.3, seed: rows as u64, ..Stalls::default() };
        run(&mut simulator, 5, &heads, stalls, rows).unwrap();
        let run = run(&mut simulator, 5, &heads, stalls, must.len()).unwrap();
        assert_eq!(run.rows, must, "after a reset behind {rows} rows");
    }
}

/// The printed text in engines that are not ours.
pub(super) fn elsewhere<E: Engine + Predict>(engines: &[cosim::Engine]) {
    let spec: E = spec("head_dim=3 max_keys=9 rows=2 lanes=4");
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let heads = random_heads(&spec, &mut rng, 3, 6);
    let must = expected(&spec, &heads);
    for engine in engines {
        let mut device = engine.open(&Generate::build(&spec), Initial::Zero).unwrap();
        let stalls = Stalls { queries: 0.1, out: 0.3, ..Stalls::default() };
        let run = run(&mut *device, 3, &heads, stalls, must.len()).unwrap();
        assert_eq!((run.unknown, &run.rows), (0, &must), "{engine}");
    }
}
