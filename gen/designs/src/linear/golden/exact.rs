//! `linear`: an int8 layer, at four bits for tokens that matter little.

use super::{int8, round_shift};

/// The four-bit form of an int8 number: a sixteenth of it, rounded, at most 7.
pub fn high_nibble(x: i32) -> i32 {
    ((x + 8) >> 4).min(7)
}

/// What the sum of an output becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Added first.
    pub bias: i32,
    /// Multiplied with then.
    pub multiplier: u16,
    /// The product is divided by 2 to this power; 0..=63.
    pub shift: u32,
}

/// A load of the layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// `outputs` rows of `inputs` int8 weights.
    pub weights: Vec<Vec<i32>>,
    /// One an output.
    pub scales: Vec<Scale>,
    /// The activation at 0, 1, .. 127, -128, .. -1; `None` is the identity.
    pub table: Option<Vec<i32>>,
}

/// A token and how it is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// `inputs` int8 elements.
    pub elements: Vec<i32>,
    /// Eight bits; else four.
    pub precise: bool,
}

impl Load {
    /// The exact sums of a token, in units of an int8 product at either precision.
    pub fn sums(&self, token: &Token) -> Vec<i64> {
        let product = |(&w, &x): (&i32, &i32)| match token.precise {
            true => i64::from(w * x),
            false => i64::from(256 * high_nibble(w) * high_nibble(x)),
        };
        let sum = |row: &Vec<i32>| row.iter().zip(&token.elements).map(product).sum();
        self.weights.iter().map(sum).collect()
    }

    /// The result of a token: `outputs` int8 elements.
    pub fn apply(&self, token: &Token) -> Vec<i32> {
        let sums = self.sums(token).into_iter().zip(&self.scales);
        let scaled = sums.map(|(sum, scale)| {
            let product = (sum + i64::from(scale.bias)) * i64::from(scale.multiplier);
            int8(round_shift(product, scale.shift))
        });
        scaled.map(|q| self.activate(q)).collect()
    }

    fn activate(&self, q: i32) -> i32 {
        match &self.table {
            None => q,
            Some(table) => table[usize::from(q as u8)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nibbles_are_balanced_and_exact() {
        let low = |w: i32| w - 16 * high_nibble(w);
        for w in -128..=127 {
            assert!((-8..=7).contains(&high_nibble(w)));
            let range = if w < 120 { -8..=7 } else { 8..=15 };
            assert!(range.contains(&low(w)), "{w}");
        }
        assert_eq!([-128, -8, 7, 8, 119, 120, 127].map(high_nibble), [-8, 0, 0, 1, 7, 7, 7]);
        // rounding has no bias but for the half that goes up
        assert_eq!((-120..120).map(low).sum::<i32>(), -120);
    }

    #[test]
    fn by_hand() {
        let load = Load {
            weights: vec![vec![100, -50], vec![127, 127]],
            scales: vec![
                Scale { bias: 100, multiplier: 3, shift: 6 },
                Scale { bias: -1, multiplier: 1, shift: 0 },
            ],
            table: None,
        };
        let token = |precise| Token { elements: vec![20, 40], precise };
        assert_eq!(load.sums(&token(true)), [0, 7620]);
        assert_eq!(load.apply(&token(true)), [5, 127]);
        // 6 * 1 - 3 * 3, 7 * 1 + 7 * 3, times 256
        assert_eq!(load.sums(&token(false)), [-768, 7168]);
        let negated = (0..256).map(|q| -i32::from(q as u8 as i8)).map(|y| y.min(127)).collect();
        let load = Load { table: Some(negated), ..load };
        assert_eq!(load.apply(&token(true)), [-5, -127]);
        // (-768 + 100) * 3 / 64 = -31.3
        assert_eq!(load.apply(&token(false)), [31, -127]);
    }
}
