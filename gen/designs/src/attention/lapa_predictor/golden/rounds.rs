//! MRSA: keys are read in slices, most significant first, and scores refined slice by slice.

use crate::attention::lapa_predictor::LapaPredictorSpec;
use crate::attention::predictor::golden::leading_one::LeadingOne;

/// A head's keys, cut into slices.
#[derive(Debug, Clone)]
pub struct SlicedKeys {
    keys: usize,
    head_dim: usize,
    /// Width of each slice.
    widths: Vec<u32>,
    /// For each slice: all keys' elements, key after key.
    slices: Vec<Vec<i32>>,
}

impl SlicedKeys {
    /// Cuts `keys`, each `head_dim` elements that fit `key_bits()` bits.
    pub fn new(spec: &LapaPredictorSpec, keys: &[Vec<i32>]) -> Self {
        let cut = |round| {
            let (low, width) = (spec.slice_low(round), spec.key_slices[round]);
            // the first slice keeps the sign, the others are plain bits
            let mask = if round == 0 { -1 } else { (1 << width) - 1 };
            keys.iter().flatten().map(|&k| k >> low & mask).collect()
        };
        SlicedKeys {
            keys: keys.len(),
            head_dim: spec.head_dim as usize,
            widths: spec.key_slices.clone(),
            slices: (0..spec.rounds()).map(cut).collect(),
        }
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.keys
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.keys == 0
    }

    /// The score of key `j` after round `round`, from its score `before` that round.
    pub fn accumulate(&self, round: usize, before: i64, query: &[LeadingOne], j: usize) -> i64 {
        let slice = &self.slices[round][j * self.head_dim..][..self.head_dim];
        let term: i64 = query.iter().zip(slice).map(|(q, &k)| q.times(k)).sum();
        (before << self.widths[round]) + term
    }
}
