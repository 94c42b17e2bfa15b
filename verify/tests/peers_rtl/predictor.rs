//! Any predictor that says a bit a key, against its golden model, beat by beat.

use super::{pick, random_heads, random_stalls, simulator, spec};
use hwgen_designs::attention::attend::golden::Query;
use hwgen_designs::attention::engine::drive::{Head, Row, Stalls};
use hwgen_designs::attention::predictor::Predictor;
use hwgen_designs::attention::predictor::drive::{Predict, expected, run};
use hwgen_designs::attention::predictor::timing::HeadShape;
use hwgen_designs::drive::Values;
use hwgen_hdl::sim::{Engine, Initial, Simulator};
use hwgen_verify::cosim;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Runs the heads, without a reset between them, and compares every beat.
fn check<P: Predictor + Predict>(spec: &P, heads: &[Head], stalls: Stalls) {
    let expected = expected(heads, spec.size().rows);
    let mut simulator = simulator(&spec.build(), stalls.seed);
    let run = run(&mut simulator, spec, heads, stalls, expected.len())
        .unwrap_or_else(|error| panic!("{spec:?}: {error}"));
    for (beat, (is, must)) in run.groups.iter().zip(&expected).enumerate() {
        assert_eq!(is, must, "{spec:?}, {stalls:?}, beat {beat}");
    }
}

/// A random size of any predictor.
pub(super) fn random_size(rng: &mut ChaCha8Rng) -> String {
    format!(
        "rows={} head_dim={} max_keys={}",
        pick(rng, &[1, 2, 4, 8, 16, 64]),
        pick(rng, &[1, 2, 3, 5, 8, 17]),
        pick(rng, &[1, 2, 7, 16, 40, 70]),
    )
}

/// Random specifications of `settings` beside a random size.
pub(super) fn random_specifications_heads_and_stalls<P: Predictor + Predict>(
    settings: impl Fn(&mut ChaCha8Rng) -> String,
) {
    for seed in 0..24 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec: P = spec(&format!("{} {}", random_size(&mut rng), settings(&mut rng)));
        let heads = random_heads(&spec, &mut rng, 3, 6);
        check(&spec, &heads, random_stalls(&mut rng, seed));
    }
}

fn shape(head: &Head) -> HeadShape {
    HeadShape {
        keys: head.keys.len() as u32,
        visible: head.rows.iter().map(|row| row.visible as u32).collect(),
    }
}

/// Random heads for random specifications: the model of cycles against the circuit.
pub(super) fn every_beat_passes_in_the_cycle_the_cost_model_says<P: Predictor + Predict>(
    settings: impl Fn(&mut ChaCha8Rng) -> String,
) {
    for seed in 0..20 {
        let mut rng = ChaCha8Rng::seed_from_u64(1000 + seed);
        let spec: P = spec(&format!("{} {}", random_size(&mut rng), settings(&mut rng)));
        let mut heads = random_heads(&spec, &mut rng, 2, 60);
        for head in &mut heads {
            // some short rows behind each other fill the queues
            let short = pick(&mut rng, &[0, head.rows.len() / 2]);
            for row in &mut head.rows[short..] {
                row.visible = row.visible.min(pick(&mut rng, &[1, 3, 8]));
            }
            head.predict(&spec).unwrap();
        }
        let cycles = spec.beat_cycles(&heads.iter().map(shape).collect::<Vec<_>>());
        let mut simulator = Simulator::new(&spec.build(), Engine::default());
        let run = run(&mut simulator, &spec, &heads, Stalls::default(), cycles.len()).unwrap();
        assert_eq!(run.groups, expected(&heads, spec.size().rows), "{spec:?}");
        assert_eq!(run.cycles, cycles, "{spec:?}");
    }
}

/// A small predictor.
const SMALL: &str = "head_dim=6 max_keys=22 rows=4";

/// Extreme and equal numbers.
pub(super) fn corners<P: Predictor + Predict>(settings: &str) {
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
    let scales = [(0, 0), (u16::MAX, 0), (1, 0), (u16::MAX, 31), (300, 9), (40000, 16)];
    let spec: P = spec(&format!("{SMALL} {settings}"));
    for keys in [1, 3, 4, 5, 21, 22] {
        let row = |i: usize, visible: usize, (scale, shift): (u16, u8)| Row {
            query: Query { elements: queries[i].to_vec(), scale, shift },
            visible,
            radius: None,
            survivors: Default::default(),
        };
        let rows = (0..6).flat_map(|i| {
            let sees = [keys, keys, 1, 1 + i % keys];
            sees.into_iter().enumerate().map(move |(n, visible)| (i, visible, (i + n) % 6))
        });
        let mut head = Head {
            keys: (0..keys as i32).map(key).collect(),
            values: vec![],
            rows: rows.map(|(i, visible, scale)| row(i, visible, scales[scale])).collect(),
        };
        let mut equal = Head { keys: vec![vec![3, -3, 77, 0, -128, 127]; keys], ..head.clone() };
        head.predict(&spec).unwrap();
        equal.predict(&spec).unwrap();
        check(&spec, &[head, equal], Stalls::default());
    }
}

/// Heads behind each other, without a reset.
pub(super) fn a_hundred_heads_without_reset<P: Predictor + Predict>(settings: &str) {
    let spec: P = spec(&format!("{SMALL} {settings}"));
    let heads = random_heads(&spec, &mut ChaCha8Rng::seed_from_u64(7), 100, 4);
    check(&spec, &heads, Stalls { queries: 0.2, out: 0.2, ..Stalls::default() });
}

/// Wherever a reset falls, the engine starts over with loading keys.
pub(super) fn a_reset_in_the_middle_leaves_nothing_behind<P: Predictor + Predict>(settings: &str) {
    let spec: P = spec(&format!("{SMALL} {settings}"));
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut simulator = Simulator::new(&spec.build(), Engine::default());
    for beats in 1..16 {
        let heads: Vec<_> = (0..2)
            .map(|_| Head::random(&spec, &mut rng, 19, 4, Values::Uniform).unwrap())
            .collect();
        let mut expected = expected(&heads, spec.size().rows);
        expected.truncate(beats);
        let stalls = Stalls { out: 0.3, seed: beats as u64, ..Stalls::default() };
        let run = run(&mut simulator, &spec, &heads, stalls, expected.len()).unwrap();
        assert_eq!(run.groups, expected, "{beats} beats");
    }
}

/// Too many keys, and rows that would see none or more than there are.
pub(super) fn what_does_not_fit_is_held_to_the_range<P: Predictor + Predict>(settings: &str) {
    let spec: P = spec(&format!("{SMALL} {settings}"));
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut sent = Head::random(&spec, &mut rng, 22, 3, Values::Uniform).unwrap();
    let next = Head::random(&spec, &mut rng, 5, 2, Values::Uniform).unwrap();
    let mut meant = sent.clone();
    sent.keys.extend(next.keys.clone());
    for (row, (asked, held)) in [(0, 1), (31, 22), (22, 22)].into_iter().enumerate() {
        sent.rows[row].visible = asked;
        meant.rows[row].visible = held;
    }
    meant.predict(&spec).unwrap();
    let expected = expected(&[meant, next.clone()], spec.size().rows);
    let mut simulator = Simulator::new(&spec.build(), Engine::default());
    let heads = [sent, next];
    let run = run(&mut simulator, &spec, &heads, Stalls::default(), expected.len()).unwrap();
    assert_eq!(run.groups, expected);
}

/// The narrowest and the widest numbers, and the size as it would be built.
pub(super) fn extremes<P: Predictor + Predict>(settings: &[&str]) {
    let sizes = ["head_dim=256 rows=2 max_keys=5", "head_dim=1 max_keys=1 rows=1", ""];
    for size in sizes {
        for settings in settings {
            let spec: P = spec(&format!("{size} {settings}"));
            let mut rng = ChaCha8Rng::seed_from_u64(10);
            let keys = spec.size().max_keys.min(100) as usize;
            let heads: Vec<_> = [Values::Corner, Values::Uniform]
                .map(|values| Head::random(&spec, &mut rng, keys, 6, values).unwrap())
                .to_vec();
            check(&spec, &heads, Stalls::default());
        }
    }
}

/// The printed text in engines that are not ours; nothing unknown comes out of a four-state one.
pub(super) fn elsewhere<P: Predictor + Predict>(settings: &[&str], engines: &[cosim::Engine]) {
    for settings in settings {
        let spec: P = spec(&format!("head_dim=3 max_keys=9 rows=2 {settings}"));
        let mut rng = ChaCha8Rng::seed_from_u64(13);
        let heads = [Values::Corner, Values::Uniform]
            .map(|values| Head::random(&spec, &mut rng, 9, 5, values).unwrap());
        let expected = expected(&heads, spec.size().rows);
        for engine in engines {
            let mut device = engine.open(&spec.build(), Initial::Zero).unwrap();
            let stalls = Stalls { queries: 0.1, out: 0.3, ..Stalls::default() };
            let run = run(&mut *device, &spec, &heads, stalls, expected.len()).unwrap();
            assert_eq!((run.unknown, &run.groups), (0, &expected), "{settings} {engine}");
        }
    }
}
