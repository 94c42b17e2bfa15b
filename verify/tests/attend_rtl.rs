//! The exact stage's circuit against its golden model, row by row.

use hwgen_designs::attention::attend::drive::{Head, Row, Stalls, run};
use hwgen_designs::attention::attend::golden::Query;
use hwgen_designs::attention::attend::{AttendSpec, build, cost};
use hwgen_designs::drive::Values;
use hwgen_designs::spec::load;
use hwgen_hdl::sim::{Engine, Initial, SimOptions, Simulator};
use hwgen_verify::cosim;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn spec(overrides: &str) -> AttendSpec {
    let overrides: Vec<String> = overrides.split_whitespace().map(str::to_owned).collect();
    load(None, &overrides).unwrap_or_else(|error| panic!("{error}"))
}

fn expected(spec: &AttendSpec, heads: &[Head]) -> Vec<Vec<i32>> {
    heads.iter().flat_map(|head| head.expected(spec).unwrap()).collect()
}

/// Runs the heads, without a reset between them, and compares every row.
fn check(spec: &AttendSpec, heads: &[Head], stalls: Stalls) {
    let expected = expected(spec, heads);
    let options = SimOptions {
        engine: Engine::default(),
        initial: Initial::Random(stalls.seed),
        ..SimOptions::default()
    };
    let mut simulator = Simulator::with_options(&build(spec), options);
    let run = run(&mut simulator, spec, heads, stalls, expected.len())
        .unwrap_or_else(|error| panic!("{spec:?}, {stalls:?}: {error}"));
    for (row, (is, must)) in run.rows.iter().zip(&expected).enumerate() {
        assert_eq!(is, must, "{spec:?}, {stalls:?}, row {row}");
    }
    let last: Vec<bool> = (heads.iter())
        .flat_map(|head| (1..=head.rows.len()).map(|row| row == head.rows.len()))
        .collect();
    assert_eq!(run.last, last);
}

fn random_spec(rng: &mut impl Rng) -> AttendSpec {
    fn pick<T: Copy>(rng: &mut impl Rng, list: &[T]) -> T {
        list[rng.random_range(0..list.len())]
    }
    let head_dim: u32 = pick(rng, &[1, 2, 3, 5, 8, 16, 17]);
    AttendSpec {
        head_dim,
        max_keys: pick(rng, &[1, 2, 7, 16, 40, 70]),
        rows: pick(rng, &[1, 2, 4, 16, 64]),
        lanes: pick(rng, &[1, 2, 4, 8, 32]),
        probability_bits: pick(rng, &[4, 7, 8, 10, 16]),
        window: pick(rng, &[2, 3, 4, 16]),
    }
}

fn random_heads(spec: &AttendSpec, rng: &mut impl Rng, rows: usize) -> Vec<Head> {
    let values = [Values::Uniform, Values::Corner, Values::Small];
    (0..3)
        .map(|_| {
            let keys = rng.random_range(1..=spec.max_keys as usize);
            let (rows, values) = (rng.random_range(1..rows), values[rng.random_range(0..3)]);
            Head::random(spec, rng, keys, rows, values)
        })
        .collect()
}

#[test]
fn random_specifications_heads_and_stalls() {
    for seed in 0..60 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = random_spec(&mut rng);
        let heads = random_heads(&spec, &mut rng, 8);
        let mut chance = || [0.0, 0.1, 0.5, 0.9][rng.random_range(0..4)];
        let (keys, queries, survivors, out) = (chance(), chance(), chance(), chance());
        check(&spec, &heads, Stalls { keys, queries, survivors, out, seed });
    }
}

#[test]
fn every_row_passes_in_the_cycle_the_cost_model_says() {
    for seed in 0..60 {
        let mut rng = ChaCha8Rng::seed_from_u64(1000 + seed);
        let spec = random_spec(&mut rng);
        let heads = random_heads(&spec, &mut rng, 40);
        let shapes: Vec<_> = heads.iter().map(|head| head.shape(&spec)).collect();
        let cycles = cost::row_cycles(&spec, &shapes);
        let mut simulator = Simulator::new(&build(&spec), Engine::default());
        let run = run(&mut simulator, &spec, &heads, Stalls::default(), cycles.len()).unwrap();
        assert_eq!(run.cycles, cycles, "{spec:?}");
    }
}

/// Surviving keys keep the multipliers at work: a beat each, and little else.
#[test]
fn utilization_of_the_multipliers() {
    println!("| keys a row keeps of 64 | cycles a row | multipliers at work |");
    let spec = spec("head_dim=16 max_keys=64 rows=4 lanes=16");
    for kept in [1, 4, 8, 16, 32, 64] {
        let mut rng = ChaCha8Rng::seed_from_u64(20);
        let mut head = Head::random(&spec, &mut rng, 64, 200, Values::Uniform);
        for row in &mut head.rows {
            row.survivors = (0..64).map(|j| j % (64 / kept) == 0).collect();
        }
        let cycles = cost::head_cycles(&spec, &head.shape(&spec)) - 64;
        let (a_row, busy) = (cycles as f64 / 200.0, 200.0 * kept as f64 / cycles as f64);
        println!("| {kept} | {a_row:.2} | {busy:.3} |");
        assert!(kept < 16 || busy > 0.9, "{kept} keys: {busy}");
    }
}

fn extreme(elements: i32, survivors: &[usize], keys: usize, scale: u16, shift: u8) -> Row {
    let query = Query { elements: vec![elements; 6], scale, shift };
    Row { query, survivors: (0..keys).map(|j| survivors.contains(&j)).collect() }
}

#[test]
fn corners() {
    let vector = |j: usize| vec![[-128, 127, 0, -1, 1][j % 5]; 6];
    let keys: Vec<_> = (0..22).map(vector).collect();
    let values: Vec<_> = (0..22).map(|j| vector(j + 3)).collect();
    let all: Vec<usize> = (0..22).collect();
    let rows = vec![
        // only the first key, only the last, none but one in a middle group
        extreme(127, &[0], 22, 1, 0),
        extreme(127, &[21], 22, 1, 0),
        extreme(-128, &[9], 22, 65535, 0),
        // saturated logits on both sides; all weights alike; a row that ends in empty groups
        extreme(-128, &all, 22, 65535, 0),
        extreme(0, &all, 22, 65535, 0),
        extreme(5, &[1, 2], 22, 40, 3),
        extreme(5, &all, 22, 0, 31),
        extreme(1, &[2, 20], 21, 300, 2),
    ];
    for lanes in [1, 2, 8] {
        let spec = spec(&format!("head_dim=6 max_keys=22 rows=4 lanes={lanes}"));
        let head = Head { keys: keys.clone(), values: values.clone(), rows: rows.clone() };
        check(&spec, &[head.clone(), head], Stalls { out: 0.2, ..Stalls::default() });
    }
}

#[test]
fn keys_beyond_the_memory_are_forgotten() {
    let spec = spec("head_dim=2 max_keys=5 rows=2 lanes=2");
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut head = Head::random(&spec, &mut rng, 5, 4, Values::Uniform);
    let must = head.expected(&spec).unwrap();
    head.keys.extend([vec![1, 2], vec![3, 4]]);
    head.values.extend([vec![1, 2], vec![3, 4]]);
    let heads = [head.clone(), head];
    let mut simulator = Simulator::new(&build(&spec), Engine::default());
    let run = run(&mut simulator, &spec, &heads, Stalls::default(), 8).unwrap();
    assert_eq!((&run.rows[..4], &run.rows[4..]), (&must[..], &must[..]));
}

#[test]
fn a_reset_in_mid_run_leaves_nothing_behind() {
    let spec = spec("head_dim=5 max_keys=20 rows=4 lanes=2");
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let heads = random_heads(&spec, &mut rng, 6);
    let must = expected(&spec, &heads);
    let mut simulator = Simulator::new(&build(&spec), Engine::default());
    for rows in 0..must.len() {
        let stalls = Stalls { out: 0.3, survivors: 0.2, seed: rows as u64, ..Stalls::default() };
        run(&mut simulator, &spec, &heads, stalls, rows).unwrap();
        let run = run(&mut simulator, &spec, &heads, stalls, must.len()).unwrap();
        assert_eq!(run.rows, must, "after a reset behind {rows} rows");
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
    for lanes in [2, 4] {
        let spec = spec(&format!("head_dim=3 max_keys=9 rows=2 lanes={lanes}"));
        let mut rng = ChaCha8Rng::seed_from_u64(13);
        let heads = random_heads(&spec, &mut rng, 6);
        let must = expected(&spec, &heads);
        for engine in engines {
            let mut device = engine.open(&build(&spec), Initial::Zero).unwrap();
            let stalls = Stalls { survivors: 0.1, out: 0.3, ..Stalls::default() };
            let run = run(&mut *device, &spec, &heads, stalls, must.len()).unwrap();
            assert_eq!((run.unknown, &run.rows), (0, &must), "{engine}, {lanes} lanes");
        }
    }
}
