//! Numbers that follow from a [`LapaPredictorSpec`]: widths, counts and the reciprocal table.

use super::{LapaPredictorSpec, spec::Filter};
use crate::attention::predictor::leading_one::Code;
use crate::attention::{Shape, clog2, signed_bits};

impl LapaPredictorSpec {
    /// The size that all predictors have.
    pub(crate) fn shape(&self) -> Shape {
        Shape { head_dim: self.head_dim, max_keys: self.max_keys, rows: self.rows }
    }

    /// What one query of a tile has of it.
    pub(super) fn lane(&self) -> LapaPredictorSpec {
        LapaPredictorSpec { rows: self.rows / self.tile, tile: 1, ..self.clone() }
    }

    /// Rounds of prediction, one per key slice.
    pub fn rounds(&self) -> usize {
        self.key_slices.len()
    }

    /// Bits of a key element.
    pub fn key_bits(&self) -> u32 {
        self.key_slices.iter().sum::<u32>() + self.unread_bits
    }

    /// Lowest bit of the key slice that round `round` reads.
    pub fn slice_low(&self, round: usize) -> u32 {
        self.key_slices[round + 1..].iter().sum::<u32>() + self.unread_bits
    }

    /// Bits of the key read up to and including round `round`.
    pub fn partial_key_bits(&self, round: usize) -> u32 {
        self.key_slices[..=round].iter().sum()
    }

    /// Largest exponent of a query element's leading one.
    pub fn max_exponent(&self) -> u32 {
        match self.query_bits {
            2 => 0,
            bits if self.round_leading_one => bits - 1,
            bits => bits - 2,
        }
    }

    /// Bits of the exponent in a leading-one code.
    pub fn exponent_bits(&self) -> u32 {
        clog2(u64::from(self.max_exponent()) + 1).max(1)
    }

    /// Bits of a leading-one code, LSB first: exponent, zero flag, sign.
    pub fn lo_code_bits(&self) -> u32 {
        self.exponent_bits() + 2
    }

    /// How a query element is encoded.
    pub(crate) fn code(&self) -> Code {
        let (bits, exponent_bits) = (self.query_bits, self.exponent_bits());
        Code { bits, exponent_bits, round: self.round_leading_one }
    }

    /// Largest magnitude of a score after round `round`.
    pub fn score_bound(&self, round: usize) -> u64 {
        u64::from(self.head_dim) << (self.max_exponent() + self.partial_key_bits(round) - 1)
    }

    /// Bits of a score after round `round`, signed.
    ///
    /// Holds `-bound` and `+bound`: the lowest key times a negative query is positive. Agrees
    /// with our notes' 17 and 21 bits for slices of 4 and 4 bits and 64 elements.
    pub fn score_bits(&self, round: usize) -> u32 {
        signed_bits(self.score_bound(round).into())
    }

    /// Bits of the final score, signed.
    pub fn final_score_bits(&self) -> u32 {
        self.score_bits(self.rounds() - 1)
    }

    /// Bits of the sum of a row's scores after round `round`, signed.
    pub fn sum_bits(&self, round: usize) -> u32 {
        signed_bits(u128::from(self.score_bound(round)) * u128::from(self.max_keys))
    }

    /// Bits of the sum of the squares of a row's scores after round `round`, unsigned.
    pub fn sum_squares_bits(&self, round: usize) -> u32 {
        let bound = u128::from(self.score_bound(round));
        signed_bits(bound * bound * u128::from(self.max_keys)) - 1
    }

    /// Bits of a number of keys, `0..=max_keys`.
    pub fn count_bits(&self) -> u32 {
        self.shape().count_bits()
    }

    /// Fraction bits of a reciprocal.
    pub fn recip_fraction_bits(&self) -> u32 {
        clog2(self.max_keys.into()) + 8
    }

    /// `1 / count` with [`recip_fraction_bits`], rounded half up; zero for a count of zero.
    ///
    /// [`recip_fraction_bits`]: LapaPredictorSpec::recip_fraction_bits
    pub fn recip(&self, count: u32) -> u64 {
        let (one, count) = (1u64 << self.recip_fraction_bits(), u64::from(count));
        (one + count / 2).checked_div(count).unwrap_or(0)
    }

    /// The reciprocals of `0..=max_keys`.
    pub fn recip_table(&self) -> Vec<u64> {
        (0..=self.max_keys).map(|count| self.recip(count)).collect()
    }

    /// The shift that stands for a division by `count` when the mean is approximate: the power
    /// of two nearest to `count`, on a logarithmic staircase (3 counts as 4, 5 as 4, 6 as 8).
    pub fn approx_mean_shift(count: u32) -> u32 {
        let floor = count.max(1).ilog2();
        floor + if floor > 0 { count >> (floor - 1) & 1 } else { 0 }
    }

    /// Groups of `rows` keys that cover `keys` keys.
    pub fn groups(&self, keys: u32) -> u32 {
        self.shape().groups(keys)
    }

    /// Groups that cover all the keys the engine holds.
    pub fn max_groups(&self) -> u32 {
        self.shape().max_groups()
    }

    /// Whether each query row brings a radius.
    pub fn has_radius(&self) -> bool {
        matches!(self.filter, Filter::Radius { .. })
    }

    /// Whether each query row brings the scale of its scores, as the exact stage takes it.
    pub fn has_scale(&self) -> bool {
        matches!(self.filter, Filter::Mass { .. })
    }

    /// Bits of a row's radius, unsigned, in units of a whole key's score.
    pub fn radius_bits(&self) -> u32 {
        self.final_score_bits() + self.unread_bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_of_the_default_agree_with_the_notes() {
        let spec = LapaPredictorSpec::default();
        assert_eq!((spec.max_exponent(), spec.exponent_bits(), spec.lo_code_bits()), (6, 3, 5));
        assert_eq!((spec.score_bits(0), spec.score_bits(1)), (17, 21));
        assert_eq!((spec.slice_low(0), spec.slice_low(1)), (4, 0));
        assert_eq!((spec.sum_bits(1), spec.count_bits()), (30, 10));
        let rounded = LapaPredictorSpec { round_leading_one: true, ..spec };
        assert_eq!((rounded.score_bits(0), rounded.score_bits(1)), (18, 22));
        assert_eq!((rounded.max_exponent(), rounded.exponent_bits()), (7, 3));
    }

    #[test]
    fn narrowest_and_widest() {
        let least = LapaPredictorSpec {
            head_dim: 1,
            max_keys: 1,
            rows: 1,
            query_bits: 2,
            key_slices: vec![2],
            ..LapaPredictorSpec::default()
        };
        assert_eq!((least.max_exponent(), least.exponent_bits(), least.score_bits(0)), (0, 1, 3));
        assert_eq!((least.count_bits(), least.recip_table()), (1, vec![0, 256]));
        let most = LapaPredictorSpec {
            head_dim: 256,
            max_keys: 4096,
            query_bits: 16,
            key_slices: vec![8, 8],
            round_leading_one: true,
            ..LapaPredictorSpec::default()
        };
        assert_eq!((most.score_bits(1), most.sum_bits(1), most.sum_squares_bits(1)), (40, 52, 89));
    }

    #[test]
    fn reciprocals_round_half_up() {
        let spec = LapaPredictorSpec { max_keys: 7, ..LapaPredictorSpec::default() };
        assert_eq!(spec.recip_fraction_bits(), 11);
        assert_eq!(spec.recip_table(), [0, 2048, 1024, 683, 512, 410, 341, 293]);
    }

    #[test]
    fn counts_round_to_powers_of_two() {
        let shifts =
            [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 511].map(LapaPredictorSpec::approx_mean_shift);
        assert_eq!(shifts, [0, 1, 2, 2, 2, 3, 3, 3, 3, 4, 9]);
    }
}
