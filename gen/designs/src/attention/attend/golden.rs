//! Attention on surviving keys, in integers, from the definition in `docs/attention.md`.

use bitvec::slice::BitSlice;
use thiserror::Error;

/// Bits of a logit below its point: a logit counts 64ths of a power of two.
const FRACTION: u32 = 6;

/// Input that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AttendError {
    /// A row whose keys have all been dropped.
    #[error("a row has no surviving key: a predictor must keep at least one")]
    NoSurvivor,
    /// A list of another length than the others.
    #[error("{what}: got {got}, expected {expected}")]
    Length {
        /// What was counted.
        what: &'static str,
        /// As given.
        got: usize,
        /// As the others are.
        expected: usize,
    },
}

/// The keys and values of a head: `s8` elements, all of one length.
#[derive(Debug, Clone, Copy)]
pub struct Memory<'h> {
    /// A key a row.
    pub keys: &'h [Vec<i32>],
    /// The value of each key.
    pub values: &'h [Vec<i32>],
}

/// A query row as the engine receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// `s8` elements.
    pub elements: Vec<i32>,
    /// Factor of a score.
    pub scale: u16,
    /// Bits a scaled score is shifted down by, 0..=31.
    pub shift: u8,
}

/// Everything about one row; the lists have an entry for each surviving key, in order. All but
/// `out` is empty for a row with one key: it is never computed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// Exact products of query and key.
    pub scores: Vec<i64>,
    /// Scores in 64ths of a power of two, `s16`.
    pub logits: Vec<i64>,
    /// `probability_bits` bits each.
    pub weights: Vec<i64>,
    /// Sum of the weights.
    pub sum: i64,
    /// Weighted sums of the values' elements.
    pub totals: Vec<i64>,
    /// The result, `s16`, in 256ths of a unit of the values.
    pub out: Vec<i32>,
}

/// The engine's tables.
#[derive(Debug, Clone)]
pub struct Attend {
    probability_bits: u32,
    powers: Vec<i64>,
    reciprocals: Vec<i64>,
}

impl Attend {
    /// Tables for weights of 4..=16 bits.
    pub fn new(probability_bits: u32) -> Attend {
        let largest = f64::from((1 << probability_bits) - 1);
        let power = |f: i32| (largest * (-f64::from(f) / 64.0).exp2()).round() as i64;
        // round(2^17 / (256 + m + 1/2)), in integers: both sides doubled, then a half added
        let reciprocal = |m: i64| ((1 << 19) + 513 + 2 * m) / (2 * (513 + 2 * m));
        Attend {
            probability_bits,
            powers: (0..64).map(power).collect(),
            reciprocals: (0..256).map(reciprocal).collect(),
        }
    }

    /// Attends to the survivors: bit `j` is key `j`.
    ///
    /// # Errors
    /// No survivor, or lists that do not fit each other.
    pub fn row(
        &self,
        query: &Query,
        memory: Memory<'_>,
        survivors: &BitSlice,
    ) -> Result<Row, AttendError> {
        check("values", memory.values.len(), memory.keys.len())?;
        check("survivor bits", survivors.len().max(memory.keys.len()), memory.keys.len())?;
        let kept: Vec<usize> = survivors.iter_ones().collect();
        for &j in &kept {
            check("elements of a key", memory.keys[j].len(), query.elements.len())?;
            check("elements of a value", memory.values[j].len(), query.elements.len())?;
        }
        match kept[..] {
            [] => Err(AttendError::NoSurvivor),
            [j] => {
                let out = memory.values[j].iter().map(|v| v << 8).collect();
                Ok(Row { out, ..Row::default() })
            }
            _ => Ok(self.several(query, memory, &kept)),
        }
    }

    fn several(&self, query: &Query, memory: Memory<'_>, kept: &[usize]) -> Row {
        let score = |&j: &usize| dot(&query.elements, &memory.keys[j]);
        let scores: Vec<i64> = kept.iter().map(score).collect();
        let logits: Vec<i64> = (scores.iter())
            .map(|s| (s * i64::from(query.scale)) >> query.shift)
            .map(|t| t.clamp(-32768, 32767))
            .collect();
        let largest = logits.iter().copied().max().unwrap_or_default();
        let weights: Vec<i64> = logits.iter().map(|t| self.weight(largest - t)).collect();
        let sum = weights.iter().sum();
        let totals: Vec<i64> = (0..query.elements.len())
            .map(|e| {
                let products = kept.iter().zip(&weights);
                products.map(|(&j, p)| p * i64::from(memory.values[j][e])).sum()
            })
            .collect();
        let out = totals.iter().map(|&total| self.divide(total, sum)).collect();
        Row { scores, logits, weights, sum, totals, out }
    }

    /// The weight of a key whose logit is `below` the row's largest.
    pub fn weight(&self, below: i64) -> i64 {
        let (power, shift) = (self.powers[(below & 63) as usize], below >> FRACTION);
        match shift {
            0 => power,
            _ if shift > i64::from(self.probability_bits) => 0,
            _ => (power + (1 << (shift - 1))) >> shift,
        }
    }

    /// A total of values divided by a positive sum of weights.
    pub fn divide(&self, total: i64, sum: i64) -> i32 {
        let quotient = (total * self.reciprocal(sum)) >> (sum.ilog2() + 1);
        quotient.clamp(-32768, 32767) as i32
    }

    /// A weight divided by a positive sum of weights, in 65536ths.
    pub fn probability(&self, weight: i64, sum: i64) -> i64 {
        ((weight * self.reciprocal(sum)) << 8) >> (sum.ilog2() + 1)
    }

    /// The table's word for a positive sum of weights.
    fn reciprocal(&self, sum: i64) -> i64 {
        let leading = sum.ilog2();
        let below = if leading >= 8 { sum >> (leading - 8) } else { sum << (8 - leading) };
        self.reciprocals[(below & 255) as usize]
    }
}

fn check(what: &'static str, got: usize, expected: usize) -> Result<(), AttendError> {
    if got == expected { Ok(()) } else { Err(AttendError::Length { what, got, expected }) }
}

fn dot(a: &[i32], b: &[i32]) -> i64 {
    a.iter().zip(b).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitvec::prelude::*;

    fn query(elements: &[i32], scale: u16, shift: u8) -> Query {
        Query { elements: elements.to_vec(), scale, shift }
    }

    #[test]
    fn one_key_is_its_value() {
        let (keys, values) = ([vec![1, 2], vec![3, 4]], [vec![5, -6], vec![127, -128]]);
        let memory = Memory { keys: &keys, values: &values };
        let row = Attend::new(8).row(&query(&[1, 1], 1, 0), memory, bits![0, 1]).unwrap();
        assert_eq!(row, Row { out: vec![127 << 8, -32768], ..Row::default() });
    }

    /// Scores 10 and 74: 64 apart, a power of two.
    #[test]
    fn a_row_of_two_by_hand() {
        let (keys, values) = ([vec![10], vec![0], vec![74]], [vec![100], vec![9], vec![-50]]);
        let memory = Memory { keys: &keys, values: &values };
        let row = Attend::new(8).row(&query(&[1], 1, 0), memory, bits![1, 0, 1]).unwrap();
        assert_eq!((&row.scores, &row.logits), (&vec![10, 74], &vec![10, 74]));
        // 255 / 2 rounds up to 128
        assert_eq!((&row.weights, row.sum), (&vec![128, 255], 383));
        assert_eq!(row.totals, [12_800 - 12_750]);
        // 383 = 2^8 (1 + 127/256): 2^17 / 383.5 = 341.8; 50 * 342 / 2^9 = 33.4; exactly 50/383*256 = 33.4
        assert_eq!(row.out, [33]);
    }

    #[test]
    fn logits_saturate_and_far_keys_weigh_nothing() {
        let (keys, values) = ([vec![-128], vec![127]], [vec![1], vec![127]]);
        let memory = Memory { keys: &keys, values: &values };
        let row = Attend::new(8).row(&query(&[127], 65535, 0), memory, bits![1, 1]).unwrap();
        assert_eq!(row.logits, [-32768, 32767]);
        assert_eq!((row.weights, row.sum), (vec![0, 255], 255));
        // 255 has seven bits below its leading one, all set: 2^17 / 510.5 = 257
        assert_eq!(row.out, [(127 * 255 * 257) >> 8]);
    }

    #[test]
    fn weights_halve_every_64_and_vanish() {
        let attend = Attend::new(8);
        let weight = |below| attend.weight(below);
        assert_eq!([0, 1, 32, 63].map(weight), [255, 252, 180, 129]);
        assert_eq!([64, 128, 64 * 7, 64 * 8, 64 * 9].map(weight), [128, 64, 2, 1, 0]);
    }

    #[test]
    fn equal_keys_share_alike() {
        let (keys, values) = (vec![vec![3]; 7], vec![vec![-128]; 7]);
        let memory = Memory { keys: &keys, values: &values };
        let row = Attend::new(12).row(&query(&[-5], 9, 2), memory, bits![1; 7]).unwrap();
        assert_eq!((row.sum, row.totals[0]), (7 * 4095, -128 * 7 * 4095));
        let error = f64::from(row.out[0]) / (-128.0 * 256.0) - 1.0;
        assert!(error.abs() < 1.0 / 256.0, "{error}");
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let (keys, values) = ([vec![1]], [vec![1], vec![2]]);
        let memory = Memory { keys: &keys, values: &values };
        let error = Attend::new(8).row(&query(&[1], 1, 0), memory, bits![1]).unwrap_err();
        assert_eq!(error.to_string(), "values: got 2, expected 1");
        let memory = Memory { keys: &keys, values: &values[..1] };
        let error = Attend::new(8).row(&query(&[1], 1, 0), memory, bits![0]).unwrap_err();
        let text = "a row has no surviving key: a predictor must keep at least one";
        assert_eq!(error.to_string(), text);
    }
}
