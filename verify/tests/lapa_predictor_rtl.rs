//! The LAPA circuit against its golden model, beat by beat.

use hwgen_designs::attention::lapa_predictor::drive::{Head, Stalls, Values, run};
use hwgen_designs::attention::lapa_predictor::golden::QueryRow;
use hwgen_designs::attention::lapa_predictor::{LapaPredictorSpec, build, cost};
use hwgen_designs::spec::load;
use hwgen_hdl::sim::{Engine, Initial, SimOptions, Simulator};
use hwgen_verify::cosim;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn spec(overrides: &[String]) -> LapaPredictorSpec {
    load(None, overrides).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs the heads, without a reset between them, and compares every beat.
fn check(overrides: &[String], heads: &[Head], stalls: Stalls) {
    let spec = spec(overrides);
    let expected: Vec<_> = (heads.iter()).flat_map(|head| head.expected(&spec).unwrap()).collect();
    let options = SimOptions {
        engine: Engine::default(),
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

/// A chain of rounds for even seeds, a tile for odd ones.
fn random_overrides(rng: &mut impl Rng, seed: u64) -> Vec<String> {
    let pick = |rng: &mut dyn rand::RngCore, list: &[u32]| list[rng.random_range(0..list.len())];
    let tiled = seed % 2 == 1;
    let tile = if tiled { pick(rng, &[2, 4, 4, 8, 16]) } else { 1 };
    let rows = tile * pick(rng, &[1, 1, 2, 4, 8, 16]);
    let rows = rows.min(64);
    let slices = match tiled {
        true => &["[8]", "[2]", "[3]", "[5]"][..],
        false => &["[4,4]", "[8]", "[4,2,2]", "[1,1]", "[2,8]", "[8,1,7]", "[3,3,3]", "[2]"],
    };
    let slices = slices[rng.random_range(0..slices.len())];
    let unread = if slices == "[8,1,7]" { 0 } else { pick(rng, &[0, 0, 1, 4]) };
    let rounds = slices.split(',').count();
    let mut list = |least: i32, most: i32| {
        let entries: Vec<String> =
            (0..rounds).map(|_| rng.random_range(least..=most).to_string()).collect();
        format!("[{}]", entries.join(","))
    };
    let filters = [
        format!("filter={{\"mode\":\"mean_max\",\"alpha16\":{}}}", list(-16, 16)),
        format!("filter={{\"mode\":\"sigma\",\"c16\":{}}}", list(-64, 64)),
        format!("filter={{\"mode\":\"radius\",\"alpha16\":{}}}", list(0, 16)),
        format!("filter={{\"mode\":\"top_k\",\"keep256\":{}}}", list(1, 256)),
        format!("filter={{\"mode\":\"mass\",\"mass256\":{}}}", list(1, 256)),
    ];
    let filter = filters[rng.random_range(0..filters.len())].clone();
    vec![
        format!("rows={rows}"),
        format!("tile={tile}"),
        format!("scores={}", rng.random_bool(0.5)),
        format!("head_dim={}", pick(rng, &[1, 2, 3, 5, 8, 17])),
        format!("max_keys={}", pick(rng, &[1, 2, 7, 16, 40, 70])),
        format!("query_bits={}", pick(rng, &[2, 3, 4, 8, 11, 16])),
        format!("key_slices={slices}"),
        format!("unread_bits={unread}"),
        format!("round_leading_one={}", rng.random_bool(0.5)),
        format!("approx_mean={}", rng.random_bool(0.5)),
        filter,
    ]
}

#[test]
fn random_specifications_heads_and_stalls() {
    for seed in 0..90 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let overrides = random_overrides(&mut rng, seed);
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
        let stalls = Stalls { keys: chance(), queries: chance(), out: chance(), seed };
        check(&overrides, &heads, stalls);
    }
}

/// Random heads for random specifications: the model of cycles against the circuit.
#[test]
fn every_beat_passes_in_the_cycle_the_cost_model_says() {
    for seed in 0..60 {
        let mut rng = ChaCha8Rng::seed_from_u64(1000 + seed);
        let overrides = random_overrides(&mut rng, seed);
        let spec = spec(&overrides);
        let heads: Vec<Head> = (0..2)
            .map(|_| {
                let keys = rng.random_range(1..=spec.max_keys as usize);
                let rows = rng.random_range(1..60);
                let mut head = Head::random(&spec, &mut rng, keys, rows, Values::Uniform);
                // some short rows behind each other fill the queues
                let short = rng.random_range(0..rows);
                for row in &mut head.rows[short..] {
                    row.visible = row.visible.min(rng.random_range(1..8));
                }
                head
            })
            .collect();
        let shapes: Vec<_> = heads.iter().map(shape).collect();
        let cycles = cost::beat_cycles(&spec, &shapes);
        let mut simulator = Simulator::new(&build(&spec), Engine::default());
        let run = run(&mut simulator, &spec, &heads, Stalls::default(), cycles.len()).unwrap();
        assert_eq!(run.cycles, cycles, "{overrides:?}");
    }
}

fn shape(head: &Head) -> cost::HeadShape {
    cost::HeadShape {
        keys: head.keys.len() as u32,
        visible: head.rows.iter().map(|row| row.visible as u32).collect(),
    }
}

const FILTERS: [&str; 5] = ["mean_max", "sigma", "radius", "top_k", "mass"];

/// Small engines: for each filter one of two rounds, of two queries at a time, and of one key for four
/// queries, which tells no scores.
fn small() -> Vec<Vec<String>> {
    let shapes =
        ["key_slices=[4,4]", "key_slices=[8] tile=2", "key_slices=[8] tile=4 scores=false"];
    let small = |(filter, shape): (&str, &str)| {
        let all = format!("filter.mode={filter} head_dim=6 max_keys=22 rows=4 {shape}");
        all.split(' ').map(str::to_owned).collect()
    };
    let all = FILTERS.iter().flat_map(|filter| shapes.map(|shape| (*filter, shape)));
    all.map(small).collect()
}

fn row(elements: [i32; 6], visible: usize) -> QueryRow {
    let (radius, scale, shift) = (1000, 50000, 19);
    QueryRow { elements: elements.to_vec(), visible, radius, scale, shift }
}

#[test]
fn corners() {
    let key = |i: i32| -> Vec<i32> {
        match i % 5 {
            0 => vec![-128; 6],
            1 => vec![127; 6],
            2 => vec![0; 6],
            3 => vec![-128, 127, -128, 127, -1, 1],
            _ => vec![i, -i, 1, -1, 0, 64],
        }
    };
    let queries =
        [[0; 6], [-128; 6], [127; 6], [1; 6], [-1, 1, -1, 1, 0, 0], [-128, 127, 0, 0, 1, -1]];
    for overrides in small() {
        for keys in [1, 3, 4, 5, 21, 22] {
            let head = Head {
                keys: (0..keys as i32).map(key).collect(),
                rows: (queries.iter().enumerate())
                    .flat_map(|(i, &query)| {
                        [row(query, keys), row(query, 1), row(query, 1 + i % keys)]
                    })
                    .collect(),
            };
            let equal = Head { keys: vec![vec![3, -3, 77, 0, -128, 127]; keys], ..head.clone() };
            check(&overrides, &[head, equal], Stalls::default());
        }
    }
}

#[test]
fn a_hundred_heads_without_reset() {
    for overrides in small() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let heads: Vec<_> = (0..100)
            .map(|i| {
                let (keys, rows) = (rng.random_range(1..=22), rng.random_range(1..4));
                let values = [Values::Uniform, Values::Corner, Values::Small][i % 3];
                Head::random(&spec(&overrides), &mut rng, keys, rows, values)
            })
            .collect();
        let stalls = Stalls { queries: 0.2, out: 0.2, ..Stalls::default() };
        check(&overrides, &heads, stalls);
    }
}

/// Wherever a reset falls, the engine starts over with loading keys.
#[test]
fn a_reset_in_the_middle_leaves_nothing_behind() {
    for overrides in small() {
        let spec = spec(&overrides);
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let mut simulator = Simulator::new(&build(&spec), Engine::default());
        for beats in 1..12 {
            let heads: Vec<_> =
                (0..2).map(|_| Head::random(&spec, &mut rng, 19, 4, Values::Uniform)).collect();
            let expected: Vec<_> =
                (heads.iter()).flat_map(|head| head.expected(&spec).unwrap()).take(beats).collect();
            let stalls = Stalls { out: 0.3, seed: beats as u64, ..Stalls::default() };
            let run = run(&mut simulator, &spec, &heads, stalls, expected.len()).unwrap();
            assert_eq!(run.groups, expected, "{overrides:?}");
        }
    }
}

#[test]
fn what_does_not_fit_is_held_to_the_range() {
    for overrides in small() {
        let spec = spec(&overrides);
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let mut sent = Head::random(&spec, &mut rng, 30, 3, Values::Uniform);
        let next = Head::random(&spec, &mut rng, 5, 2, Values::Uniform);
        let mut meant = sent.clone();
        meant.keys.truncate(22);
        for (row, (asked, held)) in [(0, 1), (31, 22), (22, 22)].into_iter().enumerate() {
            sent.rows[row].visible = asked;
            meant.rows[row].visible = held;
        }
        let expected = [meant.expected(&spec).unwrap(), next.expected(&spec).unwrap()].concat();
        let mut simulator = Simulator::new(&build(&spec), Engine::default());
        let (heads, stalls) = ([sent, next], Stalls::default());
        let run = run(&mut simulator, &spec, &heads, stalls, expected.len()).unwrap();
        assert_eq!(run.groups, expected, "{overrides:?}");
    }
}

/// The narrowest and the widest numbers.
#[test]
fn extremes() {
    let widest =
        "head_dim=256 query_bits=16 key_slices=[8,8] round_leading_one=true rows=2 max_keys=5";
    let narrowest = "head_dim=1 query_bits=2 key_slices=[2] max_keys=1 rows=1";
    let widest_tile = "head_dim=4 query_bits=16 key_slices=[8] rows=16 tile=16 max_keys=40";
    let narrowest_tile = "head_dim=1 query_bits=2 key_slices=[2] max_keys=1 rows=2 tile=2";
    for filter in FILTERS {
        for sizes in [widest, narrowest, widest_tile, narrowest_tile] {
            let all = format!("filter.mode={filter} {sizes}");
            let overrides: Vec<String> = all.split(' ').map(str::to_owned).collect();
            let spec = spec(&overrides);
            let mut rng = ChaCha8Rng::seed_from_u64(10);
            let keys = spec.max_keys as usize;
            let heads: Vec<_> = [Values::Corner, Values::Uniform]
                .map(|values| Head::random(&spec, &mut rng, keys, 6, values))
                .to_vec();
            check(&overrides, &heads, Stalls::default());
        }
    }
}

/// Rows take as many cycles as they have groups: the last row's result, or tile's, comes as late as
/// if it had been alone and had waited one cycle for each group before it.
#[test]
fn throughput() {
    println!("| filter | keys a row sees | tile | cycles a row, measured | groups a row |");
    let filters = ["mean_max", "mean_max", "sigma", "radius", "mass", "mass", "mass"];
    let causal = [false, true, false, true, true, false, false];
    for ((filter, causal), tile) in filters.into_iter().zip(causal).zip([1, 1, 1, 1, 1, 2, 4]) {
        let slices = if tile > 1 { "[8]" } else { "[4,4]" };
        let all = format!(
            "filter.mode={filter} head_dim=8 max_keys=128 rows=4 tile={tile} key_slices={slices}"
        );
        let overrides: Vec<String> = all.split(' ').map(str::to_owned).collect();
        let spec = spec(&overrides);
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut head = Head::random(&spec, &mut rng, 128, 128, Values::Uniform);
        for (i, row) in head.rows.iter_mut().enumerate() {
            row.visible = if causal { i + 1 } else { 128 };
        }
        let alone = tile as usize;
        let last = Head { rows: head.rows[128 - alone..].to_vec(), ..head.clone() };
        let mut simulator = Simulator::new(&build(&spec), Engine::default());
        let mut end = |head: &Head| {
            let expected = head.expected(&spec).unwrap();
            let (heads, beats) = (std::slice::from_ref(head), expected.len());
            let run = run(&mut simulator, &spec, heads, Stalls::default(), beats).unwrap();
            assert_eq!(run.groups, expected);
            run.cycles[beats - 1]
        };
        let cycles = end(&head) - end(&last);
        let before = &shape(&head).visible[..128 - alone];
        let groups: u32 = before.iter().map(|&v| spec.groups(v)).sum();
        let sees = if causal { "1..=128" } else { "128" };
        let (measured, groups_a_row) =
            [cycles as f64, f64::from(groups)].map(|all| all / before.len() as f64).into();
        println!("| {filter} | {sees} | {tile} | {measured:.2} | {groups_a_row:.2} |");
        assert_eq!(cycles, u64::from(groups));
    }
}

/// The default size, as it would be built.
#[test]
fn the_default_predictor() {
    let spec = spec(&[]);
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let head = Head::random(&spec, &mut rng, 100, 6, Values::Uniform);
    check(&[], &[head], Stalls::default());
}

/// The printed text in engines that are not ours; nothing unknown comes out of a four-state one.
#[test]
fn the_printed_verilog() {
    elsewhere(&[cosim::Engine::Verilator, cosim::Engine::Icarus]);
}

#[test]
#[ignore = "two minutes of synthesis"]
fn the_synthesized_gates() {
    elsewhere(&[cosim::Engine::YosysIcarus]);
}

fn elsewhere(engines: &[cosim::Engine]) {
    let tile = "tile=2 key_slices=[8] scores=false";
    let rest = [("mean_max", ""), ("sigma", ""), ("radius", tile), ("top_k", ""), ("mass", "")];
    for (filter, rest) in rest.into_iter().chain([("mass", tile)]) {
        let all = format!("filter.mode={filter} head_dim=3 max_keys=9 rows=2 {rest}");
        let overrides: Vec<String> = all.split_whitespace().map(str::to_owned).collect();
        let spec = spec(&overrides);
        let mut rng = ChaCha8Rng::seed_from_u64(13);
        let heads = [Values::Corner, Values::Uniform]
            .map(|values| Head::random(&spec, &mut rng, 9, 5, values));
        let expected: Vec<_> =
            (heads.iter()).flat_map(|head| head.expected(&spec).unwrap()).collect();
        for engine in engines {
            let mut device = engine.open(&build(&spec), Initial::Zero).unwrap();
            let stalls = Stalls { queries: 0.1, out: 0.3, ..Stalls::default() };
            let run = run(&mut *device, &spec, &heads, stalls, expected.len()).unwrap();
            let (groups, unknown) = (&run.groups, run.unknown);
            assert_eq!((unknown, groups), (0, &expected), "{filter} {engine}");
        }
    }
}
