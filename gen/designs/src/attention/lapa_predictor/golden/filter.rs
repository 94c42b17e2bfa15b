//! DDF: after each round the row's own statistics decide which keys live on.

use super::QueryRow;
use super::mass::Octaves;
use crate::attention::lapa_predictor::{LapaPredictorSpec, RoundFilter};
use crate::attention::predictor::golden::largest;
use bitvec::{slice::BitSlice, vec::BitVec};

/// Figures of a row's live scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Live keys.
    pub count: usize,
    /// Sum of their scores.
    pub sum: i64,
    /// Largest score.
    pub max: i64,
    /// Smallest score.
    pub min: i64,
    /// Sum of the scores' squares.
    pub sum_squares: i128,
}

impl Statistics {
    /// Of the scores whose bit in `live` is set; all zero if none is.
    pub fn of(scores: &[i64], live: &BitSlice) -> Self {
        let live_scores = || live.iter_ones().map(|j| scores[j]);
        Statistics {
            count: live.count_ones(),
            sum: live_scores().sum(),
            max: live_scores().max().unwrap_or(0),
            min: live_scores().min().unwrap_or(0),
            sum_squares: live_scores().map(|a| i128::from(a) * i128::from(a)).sum(),
        }
    }

    /// `total / count` as the hardware divides: by reciprocal table, or by the nearest power of
    /// two; rounded down.
    fn per_key(&self, spec: &LapaPredictorSpec, total: i128) -> i128 {
        let count = self.count as u32;
        if spec.approx_mean {
            total >> LapaPredictorSpec::approx_mean_shift(count)
        } else {
            (total * i128::from(spec.recip(count))) >> spec.recip_fraction_bits()
        }
    }

    /// Mean score. May pass the maximum or minimum by the division's rounding.
    pub fn mean(&self, spec: &LapaPredictorSpec) -> i64 {
        self.per_key(spec, self.sum.into()) as i64
    }

    /// Standard deviation, rounded down; a variance that rounding makes negative counts as 0.
    pub fn sigma(&self, spec: &LapaPredictorSpec) -> i64 {
        let mean = i128::from(self.mean(spec));
        let variance = (self.per_key(spec, self.sum_squares) - mean * mean).max(0);
        variance.isqrt() as i64
    }
}

/// The live keys that survive round `round`, and the threshold they passed.
///
/// A key with the row's largest score always survives. The threshold is `None` for a fixed
/// fraction, which counts instead of comparing.
pub fn apply(
    spec: &LapaPredictorSpec,
    round: usize,
    row: &QueryRow,
    scores: &[i64],
    live: &BitSlice,
    statistics: &Statistics,
) -> (BitVec, Option<i64>) {
    let theta = match spec.filter.round(round) {
        None => statistics.min,
        Some(RoundFilter::TopK { keep256 }) => {
            let keep = ((live.len() * keep256 as usize) >> 8).max(1);
            return (largest(scores, live, keep), None);
        }
        Some(RoundFilter::Mass { mass256 }) => {
            let octaves = Octaves::of(row, spec.slice_low(round));
            let (survivors, threshold) = octaves.survivors(scores, live, mass256);
            return (survivors, Some(threshold));
        }
        Some(RoundFilter::MeanMax { alpha16 }) => {
            let mean = statistics.mean(spec);
            if alpha16 >= 0 {
                mean + sixteenths(alpha16, statistics.max - mean)
            } else {
                mean - sixteenths(-alpha16, mean - statistics.min)
            }
        }
        Some(RoundFilter::Sigma { c16 }) => {
            statistics.mean(spec) + sixteenths(c16, statistics.sigma(spec))
        }
        Some(RoundFilter::Radius { alpha16 }) => {
            // scores of an early round are in coarser units than the radius
            let radius = (row.radius >> spec.slice_low(round)) as i64;
            statistics.max - sixteenths(alpha16, radius)
        }
    };
    let threshold = theta.min(statistics.max);
    let survivors = live.iter().zip(scores).map(|(live, &a)| *live && a >= threshold).collect();
    (survivors, Some(threshold))
}

/// `factor / 16` of `x`, rounded down.
fn sixteenths(factor: i32, x: i64) -> i64 {
    (i64::from(factor) * x) >> 4
}
