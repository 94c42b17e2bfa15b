//! Worked by hand.

use super::cascade::{Cascade, Head, Keep};
use super::*;
use crate::attention::attend::golden::Memory;

fn query(elements: &[i32], scale: u16, shift: u8) -> Query {
    Query { elements: elements.to_vec(), scale, shift }
}

fn row(setting: Setting, query: &Query, keys: &[i32], values: &[i32]) -> Row {
    let keys: Vec<&[i32]> = keys.chunks(1).collect();
    let values: Vec<&[i32]> = values.chunks(1).collect();
    Spatten::new(setting).row(query, Keys { keys: &keys, values: &values })
}

fn bits(bits: &BitVec) -> Vec<usize> {
    bits.iter_ones().collect()
}

#[test]
fn high_nibbles_of_an_element() {
    let floor = [-128, -17, -16, -1, 0, 15, 16, 127].map(|k| Split::Floor.high(k));
    assert_eq!(floor, [-8, -2, -1, -1, 0, 0, 1, 7]);
    let balanced = [-128, -9, -8, -1, 0, 7, 8, 119, 120, 127].map(|k| Split::Balanced.high(k));
    assert_eq!(balanced, [-8, -1, 0, 0, 0, 0, 1, 7, 7, 7]);
}

/// High nibbles 0, 4 and 0: scores 0, 64 and 0, a power of two apart.
#[test]
fn a_sharp_row_does_without_low_nibbles() {
    let of_tau = |tau256| {
        let setting = Setting { tau256, ..Setting::default() };
        row(setting, &query(&[1], 1, 0), &[15, 74, 3], &[100, -50, 0])
    };
    // 255 / 2 rounds up: the sum is 511, and 511 * 128 = 65408 is more than 255 * 256 = 65280
    assert!(of_tau(128).flat);
    let sharp = of_tau(127);
    assert_eq!((sharp.flat, &sharp.scores), (false, &vec![0, 64, 0]));
    assert_eq!(sharp.weights, [128, 255, 128]);
    // 511 = 2^8 (1 + 255/256): round(2^17 / 511.5) = 256; 128 * 256 * 256 >> 9
    assert_eq!(sharp.probabilities, [16384, 32640, 16384]);
    // (12800 - 12750) * 256 >> 9
    assert_eq!((bits(&sharp.chosen), &sharp.out), (vec![0, 1, 2], &vec![25]));
    assert_eq!(sharp.magnitude(), 25);
}

#[test]
fn a_flat_row_adds_its_low_nibbles() {
    let setting = Setting { tau256: 256, ..Setting::default() };
    let flat = row(setting, &query(&[1], 1, 0), &[10, -54, 74], &[100, 9, -50]);
    // as exact as can be: 64 apart each
    assert_eq!((flat.flat, &flat.scores), (true, &vec![10, -54, 74]));
    assert_eq!(flat.weights, [128, 64, 255]);
}

#[test]
fn the_least_tau_fetches_nothing_and_a_lone_weight_never_does() {
    let never = Setting { tau256: 0, ..Setting::default() };
    assert!(!row(never, &query(&[0], 1, 0), &[1; 9], &[1; 9]).flat);
    let always = Setting { tau256: 256, ..Setting::default() };
    assert!(row(always, &query(&[0], 1, 0), &[1; 2], &[1; 2]).flat);
    assert!(!row(always, &query(&[127], 999, 0), &[127, -128], &[1, 2]).flat);
}

#[test]
fn values_of_the_largest_weights_are_read() {
    let setting = |keep256| Setting { keep256, tau256: 0, ..Setting::default() };
    let keys = [0, 64, 32, 64, 0];
    let values = [1, 2, 3, 4, 5];
    // weights 64, 255, 128, 255, 64: of equal ones the earlier
    let two = row(setting(103), &query(&[1], 2, 0), &keys, &values);
    assert_eq!((&two.weights, bits(&two.chosen)), (&vec![64, 255, 128, 255, 64], vec![1, 3]));
    // 255 (2 + 4) over 510, as if there were no others: 510 is 2^8 (1 + 254/256), 2^17/510.5 = 257
    assert_eq!(two.out, [(255 * 6 * 257) >> 9]);
    // importance knows all keys: 766 is 2^9 (1 + 127/256), 2^17/383.5 = 342
    assert_eq!(two.probabilities[0], ((64 * 342) << 8) >> 10);
    let one = row(setting(1), &query(&[1], 2, 0), &keys, &values);
    assert_eq!((bits(&one.chosen), one.out), (vec![1], vec![2 << 8]));
}

#[test]
fn a_row_that_sees_one_key_is_its_value() {
    let one = row(Setting::default(), &query(&[5], 7, 1), &[3], &[-128]);
    assert_eq!((one.flat, one.probabilities, one.out), (false, vec![65536], vec![-32768]));
}

/// Three tokens, two heads; no key stands out, so that a token draws 1/n from each row that sees it.
#[test]
fn tokens_and_heads_leave_for_good() {
    let engine = Spatten::new(Setting { tau256: 0, ..Setting::default() });
    let (keys, queries) = (vec![vec![0]; 3], vec![query(&[0], 1, 0); 3]);
    let values = [vec![vec![1]; 3], vec![vec![-9]; 3]];
    let visible = [1, 3, 3];
    let head = |h: usize| Head {
        memory: Memory { keys: &keys, values: &values[h] },
        queries: &queries,
        visible: &visible,
    };
    let heads = [head(0), head(1)];
    let mut cascade = Cascade::new(3, 2);
    let keep = Keep { tokens256: 171, heads256: 128 };
    let layer = cascade.layer(&engine, &heads, keep);
    // 765 is 2^9 (1 + 126/256): round(2^17 / 382.5) = 343; 255 * 343 * 256 >> 10
    let third = 21866;
    let token = [65536 + 2 * third, 2 * third, 2 * third].map(|score| 2 * score);
    assert_eq!(cascade.token_scores, token);
    // 765 * 343 / 2^10 = 256.2; nine times that, negative, rounds down to -2307
    assert_eq!(cascade.head_scores, [3 * 256, 9 * 256 + 2 * 2307]);
    assert_eq!((bits(&cascade.tokens), bits(&cascade.heads)), (vec![0, 1], vec![1]));
    let counts = layer.counts();
    assert_eq!((counts.rows, counts.keys, counts.values_skipped, counts.flat), (6, 14, 0, 0));

    // the second layer: rows 0 and 1 of head 1; row 1 sees tokens 0 and 1
    let layer = cascade.layer(&engine, &heads, Keep::ALL);
    assert!(layer.heads[0].is_none());
    let rows = layer.heads[1].as_ref().unwrap();
    assert_eq!((rows[1].as_ref().unwrap().weights.len(), rows[2].is_none()), (2, true));
    // 510: 255 * 257 * 256 >> 9
    let half = (255 * 257) >> 1;
    assert_eq!(cascade.token_scores[0], token[0] + 65536 + half);
    assert_eq!(cascade.token_scores[2], token[2]);
    assert_eq!((bits(&cascade.tokens), bits(&cascade.heads)), (vec![0, 1], vec![1]));
}

#[test]
fn schedules_begin_late_and_fall_linearly() {
    let last = Keep { tokens256: 128, heads256: 192 };
    let keep = Keep::schedule(6, last);
    // the first layer prunes no token, the first two no head; what the last leaves is all
    let tokens: Vec<u32> = keep.iter().map(|keep| keep.tokens256).collect();
    let heads: Vec<u32> = keep.iter().map(|keep| keep.heads256).collect();
    assert_eq!(tokens, [256, 224, 192, 160, 128, 256]);
    assert_eq!(heads, [256, 256, 235, 214, 192, 256]);
    assert_eq!(Keep::schedule(1, last), [Keep::ALL]);
}
