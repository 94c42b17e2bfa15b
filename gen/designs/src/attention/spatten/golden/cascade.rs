//! What a layer leaves to the next: tokens by the attention they drew, heads by their output.

use super::{Keys, Row, Spatten};
use crate::attention::attend::golden::{Memory, Query};
use crate::attention::predictor::golden::largest;
use bitvec::vec::BitVec;

/// The most a token's importance can be.
const MOST: u64 = u32::MAX as u64;

/// A head of a layer, of all tokens: those pruned are not looked at.
#[derive(Debug, Clone, Copy)]
pub struct Head<'h> {
    /// A key and a value a token.
    pub memory: Memory<'h>,
    /// The query of each token.
    pub queries: &'h [Query],
    /// How many tokens each query sees, from the first on; at least itself.
    pub visible: &'h [usize],
}

/// How many tokens and heads a layer leaves, of those there were at first, in 1/256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Tokens.
    pub tokens256: u32,
    /// Heads.
    pub heads256: u32,
}

impl Keep {
    /// Prunes nothing.
    pub const ALL: Keep = Keep { tokens256: 256, heads256: 256 };

    /// What each of `layers` layers leaves to the next: the first 15 % of the layers prune no token
    /// and the first 30 % no head; from there the fractions fall linearly, down to `last` behind the
    /// last layer but one. What the last layer leaves is of no use, and all.
    pub fn schedule(layers: usize, last: Keep) -> Vec<Keep> {
        let fraction = |layer: usize, percent: usize, last: u32| {
            let first = (layers * percent).div_ceil(100);
            let steps = layers.saturating_sub(1 + first) as u32;
            let step = (layer + 1).saturating_sub(first) as u32;
            if layer + 1 >= layers || steps == 0 { 256 } else { 256 - (256 - last) * step / steps }
        };
        let keep = |layer| Keep {
            tokens256: fraction(layer, 15, last.tokens256),
            heads256: fraction(layer, 30, last.heads256),
        };
        (0..layers).map(keep).collect()
    }
}

/// What is left, and how important it has been so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cascade {
    /// A bit a token: whether it is left.
    pub tokens: BitVec,
    /// A bit a head.
    pub heads: BitVec,
    /// Probabilities that each token drew, in 65536ths, no more than 2^32 - 1.
    pub token_scores: Vec<u64>,
    /// Sum of the magnitudes of each head's outputs.
    pub head_scores: Vec<u64>,
}

/// A layer's rows: for each head that is left the row of each token that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Heads, then tokens; none where pruned.
    pub heads: Vec<Option<Vec<Option<Row>>>>,
}

/// What a layer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows computed.
    pub rows: usize,
    /// Of these, rows whose low nibbles were fetched.
    pub flat: usize,
    /// Keys that the rows saw.
    pub keys: usize,
    /// Keys of flat rows.
    pub low_keys: usize,
    /// Keys whose values were skipped.
    pub values_skipped: usize,
}

impl Layer {
    /// What it did.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for row in self.heads.iter().flatten().flatten().flatten() {
            let keys = row.chosen.len();
            counts.rows += 1;
            counts.keys += keys;
            counts.values_skipped += row.chosen.count_zeros();
            if row.flat {
                counts.flat += 1;
                counts.low_keys += keys;
            }
        }
        counts
    }
}

impl Cascade {
    /// Before the first layer: everything is left.
    pub fn new(tokens: usize, heads: usize) -> Cascade {
        Cascade {
            tokens: BitVec::repeat(true, tokens),
            heads: BitVec::repeat(true, heads),
            token_scores: vec![0; tokens],
            head_scores: vec![0; heads],
        }
    }

    /// Computes a layer and prunes for the next. A layer has the heads and tokens there were at
    /// first; others are not looked at.
    pub fn layer(&mut self, engine: &Spatten, heads: &[Head<'_>], keep: Keep) -> Layer {
        let mut layer = Layer { heads: vec![] };
        for (h, head) in heads.iter().enumerate() {
            let left = self.heads.get(h).is_some_and(|left| *left);
            layer.heads.push(left.then(|| self.head(engine, h, head)));
        }
        prune(&mut self.tokens, &self.token_scores, keep.tokens256);
        prune(&mut self.heads, &self.head_scores, keep.heads256);
        layer
    }

    fn head(&mut self, engine: &Spatten, h: usize, head: &Head<'_>) -> Vec<Option<Row>> {
        let left: Vec<usize> = self.tokens.iter_ones().collect();
        let keys: Vec<&[i32]> = left.iter().map(|&j| &head.memory.keys[j][..]).collect();
        let values: Vec<&[i32]> = left.iter().map(|&j| &head.memory.values[j][..]).collect();
        let mut rows = vec![None; self.tokens.len()];
        for &token in &left {
            let seen = left.partition_point(|&j| j < head.visible[token]);
            let row = Keys { keys: &keys[..seen], values: &values[..seen] };
            let row = engine.row(&head.queries[token], row);
            for (&j, probability) in left.iter().zip(&row.probabilities) {
                self.token_scores[j] = accumulate(self.token_scores[j], *probability as u64);
            }
            self.head_scores[h] += row.magnitude();
            rows[token] = Some(row);
        }
        rows
    }
}

/// Keeps the most important of those left, `keep256` 256ths of all.
fn prune(left: &mut BitVec, scores: &[u64], keep256: u32) {
    *left = most_important(left, scores, (left.len() * keep256 as usize) >> 8);
}

/// The `keep` most important of those left, at least one; of equal ones the earlier.
pub fn most_important(left: &BitVec, scores: &[u64], keep: usize) -> BitVec {
    let scores: Vec<i64> = scores.iter().map(|&score| score as i64).collect();
    largest(&scores, left, keep.max(1))
}

/// A token's importance with more probability, no more than 2^32 - 1.
pub fn accumulate(score: u64, probability: u64) -> u64 {
    (score + probability).min(MOST)
}
