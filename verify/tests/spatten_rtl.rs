//! SpAtten's attention circuit against its golden model: results, importance, cycles.

use hwgen_designs::attention::attend::golden::Query;
use hwgen_designs::attention::spatten::drive::{self, Head, Layer, Results, Row, Run, run};
use hwgen_designs::attention::spatten::{SpattenAttentionSpec, build, cost};
use hwgen_designs::cost::Cost;
use hwgen_designs::drive::Stalls;
use hwgen_hdl::sim::{Device, Initial};
use hwgen_verify::cosim;
use hwgen_verify::suite::{GATES, PRINTED, pick, simulator, spec, stall};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Rows follow each other closely: the weight unit's key a cycle is what bounds them.
#[test]
fn cycles_of_a_row_at_the_default_size() {
    let spec = SpattenAttentionSpec::default();
    println!("| keys | all rows sharp: cycles a row | all rows flat |");
    for keys in [32, 128, 512] {
        let cycles = |flat| {
            let row = cost::Row { keys, flat, values: keys / 2, last_value: false };
            let rows = vec![row; 200];
            let head = cost::Head { keys, live: keys, rows, layer_last: false };
            (spec.cycles(&[head]) - u64::from(keys)) as f64 / 200.0
        };
        println!("| {keys} | {:.1} | {:.1} |", cycles(false), cycles(true));
        assert!(cycles(false) < 1.1 * f64::from(keys) + 30.0);
        assert!(cycles(true) < 2.2 * f64::from(keys) + 30.0);
    }
}

/// Runs the layers and compares everything.
fn check_on(
    device: &mut dyn Device,
    spec: &SpattenAttentionSpec,
    layers: &[Layer],
    stalls: Stalls,
) -> Run {
    drive::check(device, spec, layers, stalls)
        .unwrap_or_else(|error| panic!("{spec:?}, {stalls:?}: {error}"))
}

fn check(spec: &SpattenAttentionSpec, layers: &[Layer], stalls: Stalls) -> Run {
    check_on(&mut simulator(&build(spec), stalls.seed), spec, layers, stalls)
}

fn random_spec(rng: &mut impl Rng) -> SpattenAttentionSpec {
    SpattenAttentionSpec {
        head_dim: pick(rng, &[1, 2, 3, 5, 8, 16, 17]),
        max_keys: pick(rng, &[1, 2, 7, 16, 40, 70]),
        rows: pick(rng, &[1, 2, 4, 16, 64]),
        lanes: pick(rng, &[1, 2, 4, 8, 32]),
        probability_bits: pick(rng, &[4, 7, 8, 10, 16]),
        window: pick(rng, &[2, 4, 8]),
        keep256: pick(rng, &[1, 64, 128, 200, 256]),
        tau256: pick(rng, &[0, 26, 100, 256]),
    }
}

fn random_layers(spec: &SpattenAttentionSpec, rng: &mut impl Rng, rows: usize) -> Vec<Layer> {
    (0..2).map(|_| Layer::random(spec, rng, spec.max_keys as usize, rows)).collect()
}

#[test]
fn random_specifications_layers_and_stalls() {
    let (mut rows, mut flat, mut skipped) = (0, 0, 0);
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = random_spec(&mut rng);
        let layers = random_layers(&spec, &mut rng, 8);
        check(&spec, &layers, Stalls { ins: stall(&mut rng), out: stall(&mut rng), seed });
        for row in layers.iter().flat_map(|layer| layer.golden(&spec)).flatten() {
            rows += 1;
            flat += usize::from(row.flat);
            skipped += row.chosen.count_zeros();
        }
    }
    println!("{rows} rows, {flat} flat, {skipped} values skipped");
    assert!(flat > rows / 8 && flat < rows / 2 && skipped > rows);
}

#[test]
fn the_default_size() {
    let spec = SpattenAttentionSpec { tau256: 100, ..SpattenAttentionSpec::default() };
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let layers = [Layer::random(&spec, &mut rng, 200, 4), Layer::random(&spec, &mut rng, 20, 8)];
    check(&spec, &layers, Stalls { out: 0.1, ..Stalls::default() });
}

#[test]
fn fifty_layers_without_a_reset() {
    let spec = spec("head_dim=4 max_keys=12 rows=4 lanes=2 tau256=80");
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let layers: Vec<_> = (0..50).map(|_| Layer::random(&spec, &mut rng, 12, 5)).collect();
    for seed in 0..3 {
        let stall = seed as f64 * 0.2;
        check(&spec, &layers, Stalls { ins: stall, out: stall, seed });
    }
}

/// What one head leaves in a counter is there for the next of its layer, and for no other.
#[test]
fn corners() {
    let vector = |j: usize| vec![[-128, 127, 0, -1, 1][j % 5]; 6];
    let keys: Vec<_> = (0..22).map(vector).collect();
    let values: Vec<_> = (0..22).map(|j| vector(j + 3)).collect();
    let row = |elements: i32, visible: usize, scale: u16, shift: u8| {
        let query = Query { elements: vec![elements; 6], scale, shift };
        Row::new(query, visible)
    };
    let rows = vec![
        // one key, all keys, one again; saturated logits on both sides; all weights alike
        row(127, 1, 1, 0),
        row(-128, 17, 65535, 0),
        row(-128, 1, 65535, 0),
        row(0, 17, 65535, 0),
        row(5, 16, 0, 31),
        row(1, 2, 300, 2),
        row(127, 17, 3, 6),
    ];
    let head = Head { keys, values, rows };
    let live = (0..22).map(|j| j % 4 != 1 || j == 21).collect();
    let layer = Layer { live, heads: vec![head; 3] };
    assert_eq!(layer.live.count_ones(), 17);
    for more in ["lanes=1", "lanes=2 keep256=256", "lanes=8 keep256=1", "lanes=4 tau256=256"] {
        let spec = spec(&format!("head_dim=6 max_keys=22 rows=4 {more}"));
        check(&spec, &[layer.clone(), layer.clone()], Stalls { out: 0.2, ..Stalls::default() });
    }
}

/// As many rows as it takes for a key's importance to reach its limit, each a probability of 1.
#[test]
fn importance_stays_at_its_limit() {
    let spec = spec("head_dim=1 max_keys=2 rows=1 lanes=1 window=4");
    let query = Query { elements: vec![1], scale: 1, shift: 0 };
    let rows = vec![Row::new(query, 1); (1 << 16) + 3];
    let head = Head { keys: vec![vec![1]; 2], values: vec![vec![-128]; 2], rows };
    let layer = Layer { live: (0..2).map(|_| true).collect(), heads: vec![head] };
    let must = layer.expected(&spec).tokens;
    assert_eq!(must, [(u32::MAX.into(), false), (0, true)]);
    check(&spec, &[layer], Stalls::default());
}

#[test]
fn every_row_passes_in_the_cycle_the_cost_model_says() {
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(1000 + seed);
        let spec = random_spec(&mut rng);
        let layers = random_layers(&spec, &mut rng, 30);
        let shapes: Vec<_> = layers.iter().flat_map(|layer| layer.shapes(&spec)).collect();
        let cycles = spec.result_cycles(&shapes);
        let run = check(&spec, &layers, Stalls::default());
        assert_eq!(run.cycles, cycles, "{spec:?}");
    }
}

#[test]
fn a_reset_in_mid_run_leaves_nothing_behind() {
    let spec = spec("head_dim=5 max_keys=20 rows=4 lanes=2 tau256=60");
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let layers = random_layers(&spec, &mut rng, 6);
    let all = layers.iter().flat_map(|layer| &layer.heads).map(|head| head.rows.len()).sum();
    let mut simulator = simulator(&build(&spec), 0);
    // a reset behind so many rows
    for rows in 0..all {
        let stalls = Stalls { out: 0.3, ins: 0.2, seed: rows as u64 };
        run(&mut simulator, &spec, &layers, stalls, [rows, 0, 0]).unwrap();
        check_on(&mut simulator, &spec, &layers, stalls);
    }
}

#[test]
fn keys_beyond_the_memory_are_forgotten() {
    let spec = spec("head_dim=2 max_keys=5 rows=2 lanes=2");
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut layer = Layer::random(&spec, &mut rng, 5, 4);
    let must = Results::concat([layer.expected(&spec), layer.expected(&spec)]);
    let beyond = 5 - layer.live.count_ones() + 2;
    let first = layer.heads[0].keys[0].clone();
    // fill the memory, then two more: no row sees these
    for _ in 0..beyond {
        layer.live.push(true);
        for head in &mut layer.heads {
            head.keys.push(first.clone());
            head.values.push(first.clone());
        }
    }
    let layers = [layer.clone(), layer];
    let mut simulator = simulator(&build(&spec), 0);
    let wanted = [must.rows.len(), must.heads.len(), 10];
    let run = run(&mut simulator, &spec, &layers, Stalls::default(), wanted).unwrap();
    assert_eq!((run.results.rows, run.results.heads), (must.rows, must.heads));
    assert_eq!(run.results.tokens.len(), 10);
}

/// The printed text in engines that are not ours; nothing unknown comes out of a four-state one.
#[test]
fn the_printed_verilog() {
    elsewhere(&PRINTED);
}

#[test]
fn the_interpreter() {
    elsewhere(&[cosim::Engine::Interpreter]);
}

#[test]
#[ignore = "minutes of synthesis"]
fn the_synthesized_gates() {
    elsewhere(&GATES);
}

fn elsewhere(engines: &[cosim::Engine]) {
    for (lanes, more) in [(2, "tau256=100"), (4, "keep256=256 tau256=0")] {
        let spec = spec(&format!("head_dim=3 max_keys=9 rows=2 lanes={lanes} {more}"));
        let mut rng = ChaCha8Rng::seed_from_u64(13);
        let layers = random_layers(&spec, &mut rng, 6);
        for engine in engines {
            let mut device = engine.open(&build(&spec), Initial::Zero).unwrap();
            let stalls = Stalls { ins: 0.1, out: 0.3, ..Stalls::default() };
            let run = check_on(&mut *device, &spec, &layers, stalls);
            assert_eq!(run.unknown, 0, "{engine}, {lanes} lanes");
        }
    }
}
