//! Any whole engine against its golden models: queries in, outputs out.

use hwgen_designs::attention::engine::Engine;
use hwgen_designs::attention::engine::drive::Head;
use hwgen_designs::drive::{Driven, Stalls, Values};
use hwgen_designs::generate::Generate;
use hwgen_verify::suite::{check, pick, simulator, spec};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A random size of any engine.
pub(super) fn random_size(rng: &mut ChaCha8Rng) -> String {
    let sizes =
        ["head_dim=1 lanes=1", "head_dim=3 lanes=2", "head_dim=8 lanes=8", "head_dim=5 lanes=8"];
    let all = [
        pick(rng, &sizes),
        pick(rng, &["max_keys=1", "max_keys=7", "max_keys=16", "max_keys=40"]),
        pick(rng, &["rows=1", "rows=2", "rows=4", "rows=16"]),
        pick(rng, &["queries=1", "queries=4", "queries=16"]),
        pick(rng, &["window=2", "window=5"]),
        pick(rng, &["counters=true", "counters=false"]),
    ];
    all.join(" ")
}

/// A small engine, for resets and for engines that are not ours.
pub(super) fn small<E: Engine>(settings: &str) -> E {
    spec(&format!("head_dim=3 max_keys=9 rows=2 lanes=4 {settings}"))
}

/// Cycles of many heads, model and circuit, for sizes as they would be built: keys of a group, and
/// what else is set.
pub(super) fn the_cycle_model_is_within_two_percent<E: Engine>(sizes: &[(u32, &str)]) {
    println!("| {}: rows | what is set | keys | cycles | model | off by |", E::NAME);
    let mut worst: f64 = 0.0;
    for (rows, set) in sizes {
        for keys in [20, 64] {
            let rng = &mut ChaCha8Rng::seed_from_u64(5);
            let spec: E = spec(&format!("{set} head_dim=16 lanes=16 max_keys=64 rows={rows}"));
            let heads =
                [1, 2, 3].map(|_| Head::random(&spec, rng, keys, 64, Values::Uniform).unwrap());
            let model = spec.out_cycles(&heads);
            let mut simulator = simulator(&Generate::build(&spec), 0);
            let run = check(&mut simulator, &spec, &heads, Stalls::default());
            let (is, model) = (run.cycles[run.cycles.len() - 1], model[model.len() - 1]);
            let off = model as f64 / is as f64 - 1.0;
            println!("| {rows} | {set} | {keys} | {is} | {model} | {:.2} % |", off * 100.0);
            worst = worst.max(off.abs());
        }
    }
    println!("{} cycle model: {:.2} % off at most", E::NAME, worst * 100.0);
    assert!(worst < 0.02, "{worst}");
}
