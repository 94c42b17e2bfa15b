//! Any predictor against its golden model, beat by beat.

use hwgen_designs::attention::attend::golden::Query;
use hwgen_designs::attention::predictor::Predictor;
use hwgen_designs::attention::predictor::drive::{Head, Row};
use hwgen_designs::drive::{Driven, Stalls, Values};
use hwgen_verify::suite::{self, check, check_cycles, compare, pick, simulator, spec};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A predictor that takes heads.
pub(super) trait Alone: Predictor + Driven<Job = Head> {}

impl<P: Predictor + Driven<Job = Head>> Alone for P {}

/// A random size of any predictor.
pub(super) fn random_size(rng: &mut ChaCha8Rng) -> String {
    format!(
        "rows={} head_dim={} max_keys={}",
        pick(rng, &[1, 2, 4, 8, 16, 64]),
        pick(rng, &[1, 2, 3, 5, 8, 17]),
        pick(rng, &[1, 2, 7, 16, 40, 70]),
    )
}

/// Random heads for random specifications: the model of cycles against the circuit.
pub(super) fn every_beat_passes_in_the_cycle_the_cost_model_says<P: Alone>(
    seeds: u64,
    spec: impl Fn(&mut ChaCha8Rng) -> P,
) {
    for seed in 0..seeds {
        let rng = &mut ChaCha8Rng::seed_from_u64(1000 + seed);
        let spec = spec(rng);
        let mut heads = suite::jobs(&spec, rng, (2, 59));
        for head in &mut heads {
            // some short rows behind each other fill the queues
            let short = pick(rng, &[0, head.rows.len() / 2]);
            for row in &mut head.rows[short..] {
                row.visible = row.visible.min(pick(rng, &[1, 3, 8]));
            }
            head.predict(&spec).unwrap();
        }
        check_cycles(&mut simulator(&spec.build(), seed), &spec, &heads);
    }
}

/// A small predictor with these settings.
pub(super) fn small<P: Alone>(settings: &str) -> P {
    spec(&format!("head_dim=6 max_keys=22 rows=4 {settings}"))
}

/// Extreme and equal numbers.
pub(super) fn corners<P: Alone>(settings: &str) {
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
    let scales =
        [(0, 0), (u16::MAX, 0), (1, 0), (u16::MAX, 31), (300, 9), (40000, 16), (50000, 19)];
    let spec: P = small(settings);
    for keys in [1, 3, 4, 5, 21, 22] {
        let row = |i: usize, visible: usize, (scale, shift): (u16, u8)| Row {
            radius: spec.radius_bits().map(|_| 1000),
            ..Row::new(Query { elements: queries[i].to_vec(), scale, shift }, visible)
        };
        let rows = (0..6).flat_map(|i| {
            let sees = [keys, keys, 1, 1 + i % keys];
            sees.into_iter().enumerate().map(move |(n, visible)| (i, visible, (i + n) % 7))
        });
        let mut head = Head {
            keys: (0..keys as i32).map(key).collect(),
            values: vec![],
            rows: rows.map(|(i, visible, scale)| row(i, visible, scales[scale])).collect(),
        };
        let mut equal = Head { keys: vec![vec![3, -3, 77, 0, -128, 127]; keys], ..head.clone() };
        head.predict(&spec).unwrap();
        equal.predict(&spec).unwrap();
        check(&mut simulator(&spec.build(), 0), &spec, &[head, equal], Stalls::default());
    }
}

/// Heads behind each other, without a reset.
pub(super) fn a_hundred_heads_without_reset<P: Alone>(settings: &str) {
    let spec: P = small(settings);
    let heads = suite::jobs(&spec, &mut ChaCha8Rng::seed_from_u64(7), (100, 3));
    let stalls = Stalls { ins: 0.2, out: 0.2, ..Stalls::default() };
    check(&mut simulator(&spec.build(), 0), &spec, &heads, stalls);
}

/// Too many keys, and rows that would see none or more than there are.
pub(super) fn what_does_not_fit_is_held_to_the_range<P: Alone>(settings: &str) {
    let spec: P = small(settings);
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
    let feeds = spec.feeds(&[sent, next.clone()], &mut rng);
    let mut simulator = simulator(&spec.build(), 0);
    compare(&mut simulator, &spec, &feeds, Stalls::default(), &[meant, next]);
}

/// Sizes for [`extremes`] of a predictor without others of its own.
pub(super) const EXTREMES: [&str; 3] =
    ["head_dim=256 rows=2 max_keys=5", "head_dim=1 max_keys=1 rows=1", ""];

/// The narrowest and the widest numbers, and sizes as they would be built.
pub(super) fn extremes<P: Alone>(settings: &str) {
    let spec: P = spec(settings);
    let mut rng = ChaCha8Rng::seed_from_u64(10);
    let keys = spec.size().max_keys.min(100) as usize;
    let heads = [Values::Corner, Values::Uniform]
        .map(|values| Head::random(&spec, &mut rng, keys, 6, values).unwrap());
    check(&mut simulator(&spec.build(), 0), &spec, &heads, Stalls::default());
}
