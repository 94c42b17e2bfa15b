//! `log_linear`: keys predicted from tokens by shifts.

use super::{int8, round_shift};
use crate::attention::predictor::golden::leading_one::LeadingOne;

/// A load: the weights of each output in leading-one code, and the shift of all results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// `outputs` rows of `inputs` codes; exponents 0..=7.
    pub weights: Vec<Vec<LeadingOne>>,
    /// 0..=31.
    pub shift: u32,
}

impl Load {
    /// The codes of int8 weights, as the host makes them.
    pub fn encode(weights: &[Vec<i32>], shift: u32) -> Load {
        let encode = |&w: &i32| LeadingOne::encode(w, 8, false);
        let weights = weights.iter().map(|row| row.iter().map(encode).collect());
        Load { weights: weights.collect(), shift }
    }

    /// The exact sums of a token.
    pub fn sums(&self, token: &[i32]) -> Vec<i64> {
        let sum = |row: &Vec<LeadingOne>| row.iter().zip(token).map(|(w, &x)| w.times(x)).sum();
        self.weights.iter().map(sum).collect()
    }

    /// The result of a token: `outputs` int8 elements.
    pub fn apply(&self, token: &[i32]) -> Vec<i32> {
        let sums = self.sums(token).into_iter();
        sums.map(|sum| int8(round_shift(sum, self.shift))).collect()
    }
}

/// The least shift that brings sums of magnitude `largest` into int8.
pub fn shift_for(largest: i64) -> u32 {
    let fits = |shift: &u32| round_shift(largest, *shift) <= 127;
    (0..31).find(fits).unwrap_or(31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // 5 acts as 4, -3 as -2, 127 as 64
        let load = Load::encode(&[vec![5, -3, 0], vec![127, 0, 1]], 3);
        assert_eq!(load.sums(&[10, 7, -100]), [40 - 14, 640 - 100]);
        assert_eq!(load.apply(&[10, 7, -100]), [3, 68]);
        assert_eq!(load.apply(&[127, -128, 0]), [96, 127]);
    }

    #[test]
    fn shifts_fill_a_byte() {
        assert_eq!([0, 127, 128, 254, 255, 1 << 20].map(shift_for), [0, 0, 1, 1, 2, 14]);
    }
}
