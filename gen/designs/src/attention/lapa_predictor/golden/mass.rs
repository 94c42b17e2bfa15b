//! The mass filter: the fewest octaves below the row's best key that hold a part of its estimated
//! softmax mass.

use super::QueryRow;
use bitvec::{slice::BitSlice, vec::BitVec};

/// Octaves below the best key's that are counted; keys below them are dropped.
pub const DEPTH: usize = 16;

/// How a row's scores become octaves: a factor of two in the exact softmax weight each, about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Octaves {
    /// 2 or 3.
    factor: i64,
    /// Bits that a score times the factor is shifted down by, 0..=31.
    shift: u32,
}

impl Octaves {
    /// For the scores of a round that has yet to read `slice_low` bits of the keys.
    pub fn of(row: &QueryRow, slice_low: u32) -> Octaves {
        let scale = ((11 * u32::from(row.scale)) >> 3).max(1);
        let leading = scale.ilog2();
        let shift = i64::from(row.shift) + 7 - i64::from(leading) - i64::from(slice_low);
        Octaves { factor: i64::from(scale << 1 >> leading), shift: shift.clamp(0, 31) as u32 }
    }

    /// The octave of a score.
    pub fn octave(self, score: i64) -> i64 {
        ((score * self.factor) >> self.shift).clamp(-512, 511)
    }

    /// The least score whose octave is `octave` or above.
    fn least_score(self, octave: i64) -> i64 {
        if octave <= -512 {
            return i64::MIN;
        }
        let (product, factor) = (i128::from(octave) << self.shift, i128::from(self.factor));
        // rounded up
        -(-product).div_euclid(factor) as i64
    }

    /// The live keys that hold `mass256` 256ths of the mass, and the score they reach.
    pub fn survivors(self, scores: &[i64], live: &BitSlice, mass256: u32) -> (BitVec, i64) {
        let top = live.iter_ones().map(|j| self.octave(scores[j])).max().unwrap_or(-512);
        let mut counts = [0; DEPTH];
        for j in live.iter_ones() {
            if let Some(count) = counts.get_mut((top - self.octave(scores[j])) as usize) {
                *count += 1;
            }
        }
        let masses = || counts.iter().enumerate().map(|(below, count)| count * weight(below));
        let target = (masses().sum::<i64>() * i64::from(mass256)) >> 8;
        let mut held = 0;
        let last = masses().position(|mass| {
            held += mass;
            held >= target
        });
        let least = top - last.unwrap_or(DEPTH - 1) as i64;
        let survives = |j: usize| live[j] && self.octave(scores[j]) >= least;
        ((0..live.len()).map(survives).collect(), self.least_score(least))
    }
}

/// The weight of a key so many octaves below the best: about `512 2^(-below/2)`.
fn weight(below: usize) -> i64 {
    [4, 3][below % 2] << (7 - below / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octaves(scale: u16, shift: u8, slice_low: u32) -> (i64, u32) {
        let row = QueryRow { scale, shift, ..QueryRow::default() };
        let octaves = Octaves::of(&row, slice_low);
        (octaves.factor, octaves.shift)
    }

    #[test]
    fn a_scale_becomes_two_or_three_and_a_shift() {
        // 64 is an octave a score, by 11 / 8 more: 88 = 2.75 * 32
        assert_eq!(octaves(64, 0, 0), (2, 1));
        assert_eq!(octaves(64, 10, 4), (2, 7));
        // 70 * 11 / 8 = 96
        assert_eq!(octaves(70, 0, 0), (3, 1));
        assert_eq!(
            (octaves(0, 0, 0), octaves(u16::MAX, 0, 0), octaves(1, 31, 0)),
            ((2, 7), (2, 0), (2, 31))
        );
    }

    #[test]
    fn octaves_by_hand() {
        let row = QueryRow { scale: 70, shift: 0, ..QueryRow::default() };
        let octaves = Octaves::of(&row, 0);
        // 3 / 2 octaves a score
        assert_eq!([-1, 0, 1, 2, 1000, -1000].map(|a| octaves.octave(a)), [-2, 0, 1, 3, 511, -512]);
        assert_eq!([3, 2, -2, -1].map(|octave| octaves.least_score(octave)), [2, 2, -1, 0]);
        let kept = |scores: &[i64], mass256| {
            let live = BitVec::repeat(true, scores.len());
            let (kept, threshold) = octaves.survivors(scores, &live, mass256);
            (kept.iter_ones().collect::<Vec<_>>(), threshold)
        };
        // octaves 9, 6, 3, 0, -9: weights 512, 192, 64, 24, 0
        let scores = [0, 6, 4, 2, -6];
        assert_eq!(kept(&scores, 1), (vec![1], 6));
        assert_eq!(kept(&scores, 165), (vec![1], 6));
        assert_eq!(kept(&scores, 166), (vec![1, 2], 4));
        assert_eq!(kept(&scores, 256), (vec![0, 1, 2, 3], 0));
        // equal octaves live and die together
        assert_eq!(kept(&[7, 7, 7, -100], 1), (vec![0, 1, 2], 7));
        assert_eq!(kept(&[-2000, -1000, -400], 1), (vec![0, 1, 2], i64::MIN));
    }
}
