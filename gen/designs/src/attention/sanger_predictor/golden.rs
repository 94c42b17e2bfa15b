//! Sanger's predictor, in integers, from the definition in `docs/baselines.md`.

use crate::attention::attend::golden::{Attend, Query};
use bitvec::vec::BitVec;

/// What the predictor is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Least probability to keep, in 1/65536.
    pub threshold65536: u32,
    /// Bits of a weight of the softmax estimate, 4..=16.
    pub probability_bits: u32,
    /// Whether each row and key has a power of two of its own.
    pub row_normalise: bool,
}

impl Default for Setting {
    /// The authors' threshold, 0.002.
    fn default() -> Setting {
        Setting { threshold65536: 131, probability_bits: 8, row_normalise: true }
    }
}

/// A row in four bits: `value = element << shift`, about.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Short {
    elements: Vec<i32>,
    shift: u32,
}

/// The keys of a head in four bits.
#[derive(Debug, Clone)]
pub struct Sanger {
    keys: Vec<Short>,
    setting: Setting,
    softmax: Attend,
}

impl Sanger {
    /// Shortens the keys, of `s8` elements.
    pub fn new(keys: &[Vec<i32>], setting: Setting) -> Sanger {
        Sanger {
            keys: keys.iter().map(|key| shorten(key, setting.row_normalise)).collect(),
            setting,
            softmax: Attend::new(setting.probability_bits),
        }
    }

    /// The estimate of each visible key's score, in units of the exact one.
    pub fn scores(&self, query: &[i32], visible: usize) -> Vec<i64> {
        let query = shorten(query, self.setting.row_normalise);
        let score = |key: &Short| {
            let products = query.elements.iter().zip(&key.elements).map(|(q, k)| i64::from(q * k));
            products.sum::<i64>() << (query.shift + key.shift)
        };
        self.keys.iter().take(visible).map(score).collect()
    }

    /// A bit for each visible key: whether it is kept.
    pub fn survivors(&self, query: &Query, visible: usize) -> BitVec {
        let logits: Vec<i64> = (self.scores(&query.elements, visible).iter())
            .map(|s| ((s * i64::from(query.scale)) >> query.shift).clamp(-32768, 32767))
            .collect();
        let largest = logits.iter().copied().max().unwrap_or_default();
        let weights: Vec<i64> = logits.iter().map(|t| self.softmax.weight(largest - t)).collect();
        let sum: i64 = weights.iter().sum();
        let limit = (sum * i64::from(self.setting.threshold65536)) >> 16;
        let limit = limit.min((1 << self.setting.probability_bits) - 2);
        weights.iter().map(|&weight| weight > limit).collect()
    }
}

fn shorten(row: &[i32], normalize: bool) -> Short {
    let magnitude = row.iter().map(|x| x.unsigned_abs().min(127)).max().unwrap_or_default();
    let exponent = magnitude.checked_ilog2().unwrap_or(0);
    let shift = if normalize { exponent.saturating_sub(2) } else { 4 };
    let half = (1 << shift) >> 1;
    let short = |x: &i32| ((x + half) >> shift).clamp(-7, 7);
    Short { elements: row.iter().map(short).collect(), shift }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_shortened_by_its_largest_element() {
        let short = |row: &[i32], normalize| {
            let Short { elements, shift } = shorten(row, normalize);
            (elements, shift)
        };
        assert_eq!(short(&[7, -3, 0], true), (vec![7, -3, 0], 0));
        assert_eq!(short(&[-128, 127, 8, 7, -8], true), (vec![-7, 7, 1, 0, 0], 4));
        assert_eq!(short(&[15, 1, -2], true), (vec![7, 1, -1], 1));
        assert_eq!(short(&[15, 1, -2], false), (vec![1, 0, 0], 4));
        assert_eq!(short(&[0, 0], true), (vec![0, 0], 0));
    }

    #[test]
    fn what_is_improbable_is_dropped() {
        let keys = [vec![7], vec![6], vec![-7], vec![0]];
        let sanger = Sanger::new(&keys, Setting::default());
        assert_eq!(sanger.scores(&[7], 3), [49, 42, -49]);
        let kept = |scale| {
            let query = Query { elements: vec![7], scale, shift: 0 };
            sanger.survivors(&query, 4).iter_ones().collect::<Vec<_>>()
        };
        // flat: all of about the same weight; sharp: 7 * 20 below is 1/8, 49 * 20 below is nothing
        assert_eq!(kept(1), [0, 1, 2, 3]);
        assert_eq!(kept(20), [0, 1]);
        assert_eq!(kept(500), [0]);
        // both large logits saturate
        assert_eq!(kept(60000), [0, 1]);
    }
}
