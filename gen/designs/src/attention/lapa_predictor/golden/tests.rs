//! Properties the definition implies, a hand-worked row, and corners.

use super::*;
use crate::attention::lapa_predictor::Filter;
use crate::spec::Spec;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Specifications that reach every filter, one to three rounds, and both ends of the widths.
fn specs() -> Vec<LapaPredictorSpec> {
    let slices = [vec![4, 4], vec![8], vec![4, 2, 2], vec![1, 1], vec![8, 8], vec![1, 7]];
    let filters = [
        Filter::MeanMax { alpha16: vec![0] },
        Filter::MeanMax { alpha16: vec![7] },
        Filter::MeanMax { alpha16: vec![-5] },
        Filter::Sigma { c16: vec![8] },
        Filter::Sigma { c16: vec![-20] },
        Filter::Radius { alpha16: vec![9] },
        Filter::TopK { keep256: vec![100] },
        Filter::Mass { mass256: vec![200] },
    ];
    let mut specs = Vec::new();
    for (i, key_slices) in slices.iter().enumerate() {
        for (j, filter) in filters.iter().enumerate() {
            let spec = LapaPredictorSpec {
                head_dim: [1, 5, 16][(i + j) % 3],
                max_keys: 40,
                query_bits: [8, 2, 3, 16][(i + 2 * j) % 4],
                key_slices: key_slices.clone(),
                round_leading_one: (i + j) % 2 == 1,
                approx_mean: j % 2 == 1,
                filter: filter.clone(),
                ..LapaPredictorSpec::default()
            };
            assert_eq!(spec.validate(), Ok(()));
            specs.push(spec);
        }
    }
    specs
}

fn vector(rng: &mut ChaCha8Rng, length: u32, bits: u32) -> Vec<i32> {
    let limit = 1 << (bits - 1);
    // one vector in four is made of extremes and zeros, so that ties and saturation happen
    if rng.random_ratio(1, 4) {
        let corners = [-limit, limit - 1, 0, -1, 1 - limit];
        return (0..length).map(|_| corners[rng.random_range(0..5)]).collect();
    }
    (0..length).map(|_| rng.random_range(-limit..limit)).collect()
}

fn head(rng: &mut ChaCha8Rng, spec: &LapaPredictorSpec) -> (QueryRow, Vec<Vec<i32>>) {
    let count = rng.random_range(1..=spec.max_keys as usize);
    let mut keys: Vec<_> =
        (0..count).map(|_| vector(rng, spec.head_dim, spec.key_bits())).collect();
    if count > 2 {
        keys[count / 2] = keys[0].clone();
    }
    let row = QueryRow {
        elements: vector(rng, spec.head_dim, spec.query_bits),
        visible: rng.random_range(1..=count),
        radius: rng.random::<u64>() & ((1 << spec.radius_bits()) - 1),
        scale: rng.random(),
        shift: rng.random_range(0..32),
    };
    (row, keys)
}

/// Runs `check` on many random heads of every specification.
fn for_random_heads(check: impl Fn(&LapaPredictorSpec, &QueryRow, &[Vec<i32>], &RowPrediction)) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for spec in specs() {
        for _ in 0..40 {
            let (row, keys) = head(&mut rng, &spec);
            let prediction = predict_row(&spec, &row, &keys).unwrap();
            check(&spec, &row, &keys, &prediction);
        }
    }
}

#[test]
fn final_score_is_the_whole_product() {
    for_random_heads(|spec, row, keys, prediction| {
        for j in prediction.survivors().iter_ones() {
            let whole: i64 = row.elements.iter().zip(&keys[j]).fold(0, |sum, (&q, &k)| {
                let q = LeadingOne::encode(q, spec.query_bits, spec.round_leading_one);
                sum + q.times(k)
            });
            assert_eq!(prediction.scores[j], whole, "{spec:?}");
        }
    });
}

#[test]
fn dead_keys_score_zero() {
    for_random_heads(|_, row, _, prediction| {
        assert_eq!(prediction.scores.len(), row.visible);
        assert!(prediction.survivors().iter_zeros().all(|j| prediction.scores[j] == 0));
    });
}

#[test]
fn survivors_shrink_and_the_largest_survives() {
    for_random_heads(|spec, row, keys, prediction| {
        let predictor = Predictor::new(spec, keys).unwrap();
        let mut live: BitVec = BitVec::repeat(true, row.visible);
        for (round, trace) in prediction.rounds.iter().enumerate() {
            let scores = predictor.unfiltered_scores(&row.elements, round, row.visible).unwrap();
            assert_eq!(trace.statistics, Statistics::of(&scores, &live), "{spec:?}");
            assert!(trace.survivors.iter_ones().all(|j| live[j]));
            let best = live.iter_ones().find(|&j| scores[j] == trace.statistics.max).unwrap();
            assert!(trace.survivors[best], "{spec:?}");
            live = trace.survivors.clone();
        }
    });
}

#[test]
fn a_fixed_fraction_keeps_exactly_that_many() {
    for_random_heads(|spec, row, _, prediction| {
        if let Filter::TopK { keep256 } = &spec.filter {
            let keep = (row.visible * keep256[0] as usize / 256).max(1);
            assert!(prediction.rounds.iter().all(|trace| trace.survivors.count_ones() == keep));
        }
    });
}

#[test]
fn every_number_fits_its_width() {
    let fits = |x: i64, bits: u32| -(1 << (bits - 1)) <= x && x < 1 << (bits - 1);
    for_random_heads(|spec, row, keys, prediction| {
        let predictor = Predictor::new(spec, keys).unwrap();
        for (round, trace) in prediction.rounds.iter().enumerate() {
            let scores = predictor.unfiltered_scores(&row.elements, round, row.visible).unwrap();
            assert!(scores.iter().all(|&a| fits(a, spec.score_bits(round))), "{spec:?}");
            let Statistics { count, sum, sum_squares, .. } = trace.statistics;
            assert!(fits(sum, spec.sum_bits(round)));
            assert!(sum_squares >> spec.sum_squares_bits(round) == 0);
            assert!(count >> spec.count_bits() == 0);
        }
    });
}

/// Extremes meet the bound exactly, so the score widths are as narrow as they can be.
#[test]
fn the_largest_score_meets_its_bound() {
    for spec in specs() {
        let lowest_key = vec![-(1 << (spec.key_bits() - 1)); spec.head_dim as usize];
        let lowest_query = vec![-(1 << (spec.query_bits - 1)); spec.head_dim as usize];
        let predictor = Predictor::new(&spec, &[lowest_key]).unwrap();
        for round in 0..spec.rounds() {
            let score = predictor.unfiltered_scores(&lowest_query, round, 1).unwrap()[0];
            assert_eq!(score, spec.score_bound(round) as i64);
            assert!(score >= 1 << (spec.score_bits(round) - 2));
        }
    }
}

/// A query four times larger has scores four times larger, and the filter does not notice, but
/// for keys that only the mean's rounding down had let in.
#[test]
fn survivors_do_not_depend_on_the_querys_scale() {
    let spec = LapaPredictorSpec { head_dim: 8, ..LapaPredictorSpec::default() };
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..200 {
        // 32 keys: their reciprocal is exact
        let keys: Vec<_> = (0..32).map(|_| vector(&mut rng, 8, 8)).collect();
        let elements: Vec<i32> = (0..8).map(|_| rng.random_range(-31..32)).collect();
        let large = elements.iter().map(|x| 4 * x).collect();
        let row = QueryRow { elements, visible: 32, ..QueryRow::default() };
        let large = QueryRow { elements: large, ..row.clone() };

        let predictor = Predictor::new(&spec, &keys).unwrap();
        let scores = predictor.unfiltered_scores(&row.elements, 0, 32).unwrap();
        let four_times: Vec<i64> = scores.iter().map(|a| 4 * a).collect();
        let large_scores = predictor.unfiltered_scores(&large.elements, 0, 32).unwrap();
        assert_eq!(large_scores, four_times);

        let first = predictor.predict(&row).unwrap().rounds.swap_remove(0);
        let large = predictor.predict(&large).unwrap().rounds.swap_remove(0);
        for (j, &score) in scores.iter().enumerate() {
            if first.survivors[j] != large.survivors[j] {
                assert!(first.survivors[j] && Some(score) == first.threshold);
            }
        }
    }
}

#[test]
fn rows_do_not_depend_on_keys_they_do_not_see() {
    for_random_heads(|spec, row, keys, prediction| {
        let seen = predict_row(spec, row, &keys[..row.visible]).unwrap();
        assert_eq!(&seen, prediction);
    });
}

/// Bits that are not read leave a row where it stood before their round.
#[test]
fn unread_bits_are_a_round_that_does_not_come() {
    for filter in [Filter::MeanMax { alpha16: vec![3] }, Filter::Mass { mass256: vec![180] }] {
        let whole = LapaPredictorSpec { head_dim: 8, filter, ..LapaPredictorSpec::default() };
        let part = LapaPredictorSpec { key_slices: vec![4], unread_bits: 4, ..whole.clone() };
        assert_eq!((part.key_bits(), part.slice_low(0)), (8, 4));
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..100 {
            let (row, keys) = head(&mut rng, &whole);
            let row = QueryRow { scale: 40_000, shift: 14, ..row };
            let first = predict_row(&whole, &row, &keys).unwrap().rounds.swap_remove(0);
            assert_eq!(predict_row(&part, &row, &keys).unwrap().rounds, [first]);
        }
    }
}

/// Two elements, three keys, two rounds of four bits, worked by hand.
#[test]
fn a_row_worked_by_hand() {
    let spec =
        LapaPredictorSpec { head_dim: 2, max_keys: 4, rows: 4, ..LapaPredictorSpec::default() };
    // 5 -> +2^2, -3 -> -2^1
    let row = QueryRow { elements: vec![5, -3], visible: 3, ..QueryRow::default() };
    // 100 = 6*16 + 4, -20 = -2*16 + 12, 33 = 2*16 + 1
    let keys = vec![vec![100, -20], vec![-20, 100], vec![33, 33]];
    let prediction = predict_row(&spec, &row, &keys).unwrap();
    let [first, second] = &prediction.rounds[..] else { panic!("two rounds") };
    // round 0: 6*4 + 2*2 = 28; -2*4 - 6*2 = -20; 2*4 - 2*2 = 4
    let statistics = Statistics { count: 3, sum: 12, max: 28, min: -20, sum_squares: 1200 };
    assert_eq!(first.statistics, statistics);
    // 1/3 is 341/1024 with 10 fraction bits, so a mean of 4 comes out as 3
    assert_eq!(spec.recip(3), 341);
    assert_eq!(first.threshold, Some(3));
    assert_eq!(first.survivors, [true, false, true].iter().collect::<BitVec>());
    // round 1: 16*28 + 4*4 - 12*2 = 440; 16*4 + 1*4 - 1*2 = 66
    let statistics = Statistics { count: 2, sum: 506, max: 440, min: 66, sum_squares: 197_956 };
    assert_eq!(second.statistics, statistics);
    assert_eq!(second.threshold, Some(253));
    assert_eq!(prediction.scores, [440, 0, 0]);
}

fn statistics(scores: &[i64]) -> Statistics {
    Statistics::of(scores, &BitVec::<usize>::repeat(true, scores.len()))
}

fn thresholds(filter: Filter, scores: &[i64], radius: u64) -> Vec<Option<i64>> {
    let spec = LapaPredictorSpec { filter, ..LapaPredictorSpec::default() };
    let live: BitVec = BitVec::repeat(true, scores.len());
    let row = QueryRow { radius, ..QueryRow::default() };
    let threshold = |r| filter::apply(&spec, r, &row, scores, &live, &statistics(scores)).1;
    (0..2).map(threshold).collect()
}

#[test]
fn thresholds_by_hand() {
    let scores = [-40, 0, 8, 72]; // mean 10, squares 6848, variance 1612, sigma 40
    let mean_max = Filter::MeanMax { alpha16: vec![4, -4] };
    // 10 + 62/4 = 25.5 floored; 10 - 50/4 = 10 - 12
    assert_eq!(thresholds(mean_max, &scores, 0), [Some(25), Some(-2)]);
    let sigma = Filter::Sigma { c16: vec![8, -3] };
    // 10 + 20; 10 + floor(-7.5)
    assert_eq!(thresholds(sigma, &scores, 0), [Some(30), Some(2)]);
    assert_eq!(thresholds(Filter::Sigma { c16: vec![64] }, &scores, 0)[0], Some(72));
    let radius = Filter::Radius { alpha16: vec![8] };
    // the first round counts in sixteenths of the final score: 72 - (100 >> 4) / 2; 72 - 50
    assert_eq!(thresholds(radius, &scores, 100), [Some(69), Some(22)]);
    let spec = LapaPredictorSpec { approx_mean: true, ..LapaPredictorSpec::default() };
    assert_eq!(statistics(&[1, 1, 7]).mean(&spec), 2);
    assert_eq!(statistics(&[-1, -1, -7]).mean(&spec), -3);
}

#[test]
fn equal_scores_tie_by_index_in_a_fixed_fraction_and_all_survive_a_threshold() {
    let keys = vec![vec![9]; 8];
    let row = QueryRow { elements: vec![1], visible: 8, ..QueryRow::default() };
    let spec = LapaPredictorSpec { head_dim: 1, max_keys: 8, ..LapaPredictorSpec::default() };
    assert!(predict_row(&spec, &row, &keys).unwrap().survivors().all());
    let spec = LapaPredictorSpec { filter: Filter::TopK { keep256: vec![96] }, ..spec };
    let prediction = predict_row(&spec, &row, &keys).unwrap();
    assert_eq!(prediction.survivors().iter_ones().collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn a_zero_query_keeps_every_key() {
    for spec in specs().iter().filter(|spec| !matches!(spec.filter, Filter::TopK { .. })) {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let (row, keys) = head(&mut rng, spec);
        let row = QueryRow { elements: vec![0; spec.head_dim as usize], ..row };
        let prediction = predict_row(spec, &row, &keys).unwrap();
        assert!(prediction.survivors().all());
        assert!(prediction.scores.iter().all(|&a| a == 0));
    }
}

#[test]
fn one_key_survives() {
    for spec in specs() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let (row, keys) = head(&mut rng, &spec);
        let row = QueryRow { visible: 1, ..row };
        let prediction = predict_row(&spec, &row, &keys).unwrap();
        assert_eq!(prediction.survivors().count_ones(), 1);
    }
}

#[test]
fn unfit_input_is_refused_in_words() {
    let spec = LapaPredictorSpec { head_dim: 2, max_keys: 2, ..LapaPredictorSpec::default() };
    let row = QueryRow { elements: vec![1, 1], visible: 1, ..QueryRow::default() };
    let error =
        |row: &QueryRow, keys: &[Vec<i32>]| predict_row(&spec, row, keys).unwrap_err().to_string();
    let keys = vec![vec![1, 1]];
    assert_eq!(error(&row, &[]), "a head has 0 keys: must be 1..=2");
    assert_eq!(error(&row, &[vec![1]]), "key 0 has 1 elements: must be 2");
    assert_eq!(error(&row, &[vec![1, 128]]), "key 0[1] = 128 does not fit 8 bits signed");
    let long = QueryRow { elements: vec![1, -129], ..row.clone() };
    assert_eq!(error(&long, &keys), "query[1] = -129 does not fit 8 bits signed");
    let far = QueryRow { visible: 2, ..row.clone() };
    assert_eq!(error(&far, &keys), "a row sees 2 keys: must be 1..=1");
    let wide = QueryRow { radius: 1 << 30, ..row };
    assert_eq!(error(&wide, &keys), "radius 1073741824 does not fit 16 bits");
}
