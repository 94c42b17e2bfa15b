//! The LAPA circuit against its golden model, beat by beat.

use hwgen_designs::lapa::{LapaSpec, build};
use hwgen_designs::spec::load;
use hwgen_hdl::sim::{Engine, Initial, SimOptions, Simulator};
use hwgen_verify::drive::lapa::{Head, Stalls, Values, run};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn spec(overrides: &[String]) -> LapaSpec {
    load(None, overrides).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs the heads, without a reset between them, and compares every beat.
fn check(overrides: &[String], heads: &[Head], stalls: Stalls) {
    let spec = spec(overrides);
    let expected: Vec<_> = (heads.iter())
        .flat_map(|head| head.expected(&spec).unwrap())
        .collect();
    let options = SimOptions {
        engine: Engine::Interpreter,
        initial: Initial::Random(stalls.seed),
        ..SimOptions::default()
    };
    let mut simulator = Simulator::with_options(&build(&spec), options);
    let run = run(&mut simulator, &spec, heads, stalls, expected.len())
        .unwrap_or_else(|error| panic!("{overrides:?}: {error}"));
    for (beat, (is, must)) in run.groups.iter().zip(&expected).enumerate() {
        assert_eq!(is, must, "{overrides:?}, {stalls:?}, beat {beat}");
    }
}

#[test]
fn first_light() {
    let overrides = ["head_dim=4", "max_keys=8", "rows=2"].map(str::to_owned);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let head = Head::random(&spec(&overrides), &mut rng, 8, 3, Values::Uniform);
    check(&overrides, &[head], Stalls::default());
}

fn random_overrides(rng: &mut impl Rng) -> Vec<String> {
    let pick = |rng: &mut dyn rand::RngCore, list: &[u32]| list[rng.random_range(0..list.len())];
    let rows = pick(rng, &[1, 2, 4, 8, 16, 64]);
    let slices = [
        "[4,4]", "[8]", "[4,2,2]", "[1,1]", "[2,8]", "[8,1,7]", "[3,3,3]", "[2]",
    ];
    let slices = slices[rng.random_range(0..slices.len())];
    let rounds = slices.split(',').count();
    let mut list = |least: i32, most: i32| {
        let entries: Vec<String> = (0..rounds)
            .map(|_| rng.random_range(least..=most).to_string())
            .collect();
        format!("[{}]", entries.join(","))
    };
    let filters = [
        format!(
            "filter={{\"mode\":\"mean_max\",\"alpha16\":{}}}",
            list(-16, 16)
        ),
        format!("filter={{\"mode\":\"sigma\",\"c16\":{}}}", list(-64, 64)),
        format!("filter={{\"mode\":\"radius\",\"alpha16\":{}}}", list(0, 16)),
        format!("filter={{\"mode\":\"top_k\",\"keep256\":{}}}", list(1, 256)),
    ];
    let filter = filters[rng.random_range(0..4)].clone();
    vec![
        format!("rows={rows}"),
        format!("head_dim={}", pick(rng, &[1, 2, 3, 5, 8, 17])),
        format!("max_keys={}", pick(rng, &[1, 2, 7, 16, 40, 70])),
        format!("query_bits={}", pick(rng, &[2, 3, 4, 8, 11, 16])),
        format!("key_slices={slices}"),
        format!("round_leading_one={}", rng.random_bool(0.5)),
        format!("approx_mean={}", rng.random_bool(0.5)),
        filter,
    ]
}

#[test]
fn random_specifications_heads_and_stalls() {
    for seed in 0..60 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let overrides = random_overrides(&mut rng);
        let spec = spec(&overrides);
        let values = [Values::Uniform, Values::Corner, Values::Small];
        let heads: Vec<Head> = (0..3)
            .map(|_| {
                let keys = rng.random_range(1..=spec.max_keys as usize);
                let rows = rng.random_range(1..6);
                let values = values[rng.random_range(0..3)];
                Head::random(&spec, &mut rng, keys, rows, values)
            })
            .collect();
        let mut chance = || [0.0, 0.1, 0.5, 0.9][rng.random_range(0..4)];
        let stalls = Stalls {
            keys: chance(),
            queries: chance(),
            out: chance(),
            seed,
        };
        check(&overrides, &heads, stalls);
    }
}
