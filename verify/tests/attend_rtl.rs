//! The exact stage's circuit against its golden model, row by row.

use hwgen_designs::attention::attend::AttendSpec;
use hwgen_designs::attention::attend::drive::{Head, Row};
use hwgen_designs::attention::attend::golden::Query;
use hwgen_designs::cost::Cost;
use hwgen_designs::drive::{Driven, Stalls, Values};
use hwgen_designs::generate::Generate;
use hwgen_verify::suite::{self, GATES, PRINTED, check, compare, pick, simulator, spec};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random_spec(rng: &mut impl Rng) -> AttendSpec {
    AttendSpec {
        head_dim: pick(rng, &[1, 2, 3, 5, 8, 16, 17]),
        max_keys: pick(rng, &[1, 2, 7, 16, 40, 70]),
        rows: pick(rng, &[1, 2, 4, 16, 64]),
        lanes: pick(rng, &[1, 2, 4, 8, 32]),
        probability_bits: pick(rng, &[4, 7, 8, 10, 16]),
        window: pick(rng, &[2, 3, 4, 16]),
    }
}

#[test]
fn random_specifications_heads_and_stalls() {
    suite::random(0..60, random_spec, (3, 7));
}

#[test]
fn every_row_passes_in_the_cycle_the_cost_model_says() {
    suite::cycles(0..60, random_spec, (3, 39));
}

/// Surviving keys keep the multipliers at work: a beat each, and little else.
#[test]
fn utilization_of_the_multipliers() {
    println!("| keys a row keeps of 64 | cycles a row | multipliers at work |");
    let spec: AttendSpec = spec("head_dim=16 max_keys=64 rows=4 lanes=16");
    for kept in [1, 4, 8, 16, 32, 64] {
        let mut rng = ChaCha8Rng::seed_from_u64(20);
        let mut head = Head::kept_at_random(&spec, &mut rng, 64, 200, Values::Uniform);
        for row in &mut head.rows {
            row.survivors = (0..64).map(|j| j % (64 / kept) == 0).collect();
        }
        let cycles = spec.cycles(&[head.shape(4)]) - 64;
        let (a_row, busy) = (cycles as f64 / 200.0, 200.0 * kept as f64 / cycles as f64);
        println!("| {kept} | {a_row:.2} | {busy:.3} |");
        assert!(kept < 16 || busy > 0.9, "{kept} keys: {busy}");
    }
}

fn extreme(elements: i32, survivors: &[usize], keys: usize, scale: u16, shift: u8) -> Row {
    let query = Query { elements: vec![elements; 6], scale, shift };
    let survivors = (0..keys).map(|j| survivors.contains(&j)).collect();
    Row { survivors, ..Row::new(query, keys) }
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
        let spec: AttendSpec = spec(&format!("head_dim=6 max_keys=22 rows=4 lanes={lanes}"));
        let head = Head { keys: keys.clone(), values: values.clone(), rows: rows.clone() };
        let stalls = Stalls { out: 0.2, ..Stalls::default() };
        check(&mut simulator(&spec.build(), 0), &spec, &[head.clone(), head], stalls);
    }
}

#[test]
fn keys_beyond_the_memory_are_forgotten() {
    let spec: AttendSpec = spec("head_dim=2 max_keys=5 rows=2 lanes=2");
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let meant = Head::kept_at_random(&spec, &mut rng, 5, 4, Values::Uniform);
    let mut sent = meant.clone();
    sent.keys.extend([vec![1, 2], vec![3, 4]]);
    sent.values.extend([vec![1, 2], vec![3, 4]]);
    let feeds = spec.feeds(&[sent.clone(), sent], &mut rng);
    let meant = [meant.clone(), meant];
    compare(&mut simulator(&spec.build(), 0), &spec, &feeds, Stalls::default(), &meant);
}

#[test]
fn a_reset_in_mid_run_leaves_nothing_behind() {
    suite::resets(&spec::<AttendSpec>("head_dim=5 max_keys=20 rows=4 lanes=2"), (3, 5));
}

/// The printed text in engines that are not ours; nothing unknown comes out of a four-state one.
#[test]
fn the_printed_verilog() {
    suite::elsewhere(&PRINTED, &small(), (3, 5));
}

#[test]
#[ignore = "a minute of synthesis"]
fn the_synthesized_gates() {
    suite::elsewhere(&GATES, &small(), (3, 5));
}

fn small() -> [AttendSpec; 2] {
    [2, 4].map(|lanes| spec(&format!("head_dim=3 max_keys=9 rows=2 lanes={lanes}")))
}
