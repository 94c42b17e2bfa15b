//! SpAtten, in integers, from the definition in `docs/baselines.md`.
//!
//! - this file: a query row against the keys of the tokens that are left;
//! - [`cascade`]: the tokens and heads that a layer leaves to the next.

pub mod cascade;
#[cfg(test)]
mod tests;

use crate::attention::attend::golden::{Attend, Query};
use crate::attention::predictor::golden::largest;
use bitvec::vec::BitVec;

/// Bits of a key's element that are fetched late.
const LOW_BITS: u32 = 4;

/// A probability of 1.
const ONE: i64 = 1 << 16;

/// What the engine is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Fraction of a row's keys whose values are read, in 1/256.
    pub keep256: u32,
    /// Least largest probability of a row that does without the low nibbles, in 1/256.
    pub tau256: u32,
    /// Bits of a weight, 4..=16.
    pub probability_bits: u32,
    /// How a key's element is cut in two.
    pub split: Split,
}

impl Default for Setting {
    /// The paper's tau, 0.1; values are all read.
    fn default() -> Setting {
        Setting { keep256: 256, tau256: 26, probability_bits: 8, split: Split::Floor }
    }
}

/// How a key's element `k = 16 high + low` is cut in two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// `high = floor(k / 16)`, -8..=7: the circuit's.
    Floor,
    /// `high = floor((k + 8) / 16)`, at most 7: what Floor is measured against.
    Balanced,
}

impl Split {
    /// The part that is fetched first, in units of 16.
    pub fn high(self, element: i32) -> i32 {
        match self {
            Split::Floor => element >> LOW_BITS,
            Split::Balanced => ((element + 8) >> LOW_BITS).min(7),
        }
    }
}

/// A row's keys, and the value of each, in the order of the tokens.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'k> {
    /// `s8` elements.
    pub keys: &'k [&'k [i32]],
    /// As many, `s8` elements.
    pub values: &'k [&'k [i32]],
}

/// Everything about one row; the lists have an entry a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// No key stood out by its high nibbles: the low ones were fetched.
    pub flat: bool,
    /// Scores that count: of the high nibbles, or exact if `flat`.
    pub scores: Vec<i64>,
    /// `probability_bits` bits each.
    pub weights: Vec<i64>,
    /// What the row adds to its keys' importance, in 65536ths.
    pub probabilities: Vec<i64>,
    /// The keys whose values were read.
    pub chosen: BitVec,
    /// The result, `s16`, in 256ths of a unit of the values.
    pub out: Vec<i32>,
}

impl Row {
    /// What the row adds to its head's importance.
    pub fn magnitude(&self) -> u64 {
        self.out.iter().map(|x| u64::from(x.unsigned_abs())).sum()
    }
}

/// The engine.
#[derive(Debug, Clone)]
pub struct Spatten {
    setting: Setting,
    softmax: Attend,
}

impl Spatten {
    /// An engine of that setting.
    pub fn new(setting: Setting) -> Spatten {
        Spatten { setting, softmax: Attend::new(setting.probability_bits) }
    }

    /// Attends to the keys that the row sees; there must be one, and a value a key.
    pub fn row(&self, query: &Query, seen: Keys<'_>) -> Row {
        let n = seen.keys.len();
        let (flat, scores, weights) = match n {
            1 => (false, vec![], vec![]),
            _ => self.weigh(query, seen.keys),
        };
        let sum: i64 = weights.iter().sum();
        let probabilities = match n {
            1 => vec![ONE],
            _ => weights.iter().map(|&p| self.softmax.probability(p, sum)).collect(),
        };
        let keep = ((n * self.setting.keep256 as usize) >> 8).max(1);
        let chosen = match n {
            1 => BitVec::repeat(true, 1),
            _ => largest(&weights, &BitVec::<usize>::repeat(true, n), keep),
        };
        let out = self.out(seen.values, &weights, &chosen);
        Row { flat, scores, weights, probabilities, chosen, out }
    }

    /// Whether the row needed its low nibbles, and the scores and weights that hold.
    fn weigh(&self, query: &Query, keys: &[&[i32]]) -> (bool, Vec<i64>, Vec<i64>) {
        let split = self.setting.split;
        let high = |k: &i32| i64::from(split.high(*k)) << LOW_BITS;
        let scores = scores(query, keys, high);
        let weights = self.weights(query, &scores);
        let sum: i64 = weights.iter().sum();
        let largest = (1i64 << self.setting.probability_bits) - 1;
        if sum * i64::from(self.setting.tau256) <= largest << 8 {
            return (false, scores, weights);
        }
        // what the low nibbles add
        let low = |k: &i32| i64::from(*k) - high(k);
        let more = self::scores(query, keys, low);
        let scores: Vec<i64> = scores.iter().zip(more).map(|(high, low)| high + low).collect();
        let weights = self.weights(query, &scores);
        (true, scores, weights)
    }

    fn weights(&self, query: &Query, scores: &[i64]) -> Vec<i64> {
        let logit = |s: &i64| ((s * i64::from(query.scale)) >> query.shift).clamp(-32768, 32767);
        let logits: Vec<i64> = scores.iter().map(logit).collect();
        let largest = logits.iter().copied().max().unwrap_or_default();
        logits.iter().map(|t| self.softmax.weight(largest - t)).collect()
    }

    fn out(&self, values: &[&[i32]], weights: &[i64], chosen: &BitVec) -> Vec<i32> {
        let kept: Vec<usize> = chosen.iter_ones().collect();
        if let [j] = kept[..] {
            return values[j].iter().map(|v| v << 8).collect();
        }
        let sum = kept.iter().map(|&j| weights[j]).sum();
        (0..values[0].len())
            .map(|e| {
                let total = kept.iter().map(|&j| weights[j] * i64::from(values[j][e])).sum();
                self.softmax.divide(total, sum)
            })
            .collect()
    }
}

fn scores(query: &Query, keys: &[&[i32]], part: impl Fn(&i32) -> i64) -> Vec<i64> {
    let product = |(q, k): (&i32, &i32)| i64::from(*q) * part(k);
    keys.iter().map(|key| query.elements.iter().zip(*key).map(product).sum()).collect()
}
