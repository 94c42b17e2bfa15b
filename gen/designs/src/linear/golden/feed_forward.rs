//! `feed_forward`: two exact layers, both in the precision of each token.

use super::exact::{Load, Token};

/// The loads of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedForward {
    /// `hidden` rows of `inputs` weights; its table is the activation.
    pub first: Load,
    /// `outputs` rows of `hidden` weights; no table.
    pub second: Load,
}

impl FeedForward {
    /// What the second layer takes for a token.
    pub fn hidden(&self, token: &Token) -> Token {
        Token { elements: self.first.apply(token), precise: token.precise }
    }

    /// The result of a token: `outputs` int8 elements.
    pub fn apply(&self, token: &Token) -> Vec<i32> {
        self.second.apply(&self.hidden(token))
    }
}

#[cfg(test)]
mod tests {
    use super::super::exact::Scale;
    use super::*;

    /// 2 to 2 to 1 with ReLU.
    #[test]
    fn by_hand() {
        let relu = (0..256).map(|q| i32::from(q as u8 as i8).max(0)).collect();
        let scale = |shift| Scale { bias: 0, multiplier: 1, shift };
        let first = Load {
            weights: vec![vec![64, 0], vec![0, 64]],
            scales: vec![scale(6); 2],
            table: Some(relu),
        };
        let second = Load { weights: vec![vec![100, 50]], scales: vec![scale(7)], table: None };
        let layers = FeedForward { first, second };
        let token = |precise| Token { elements: vec![44, -90], precise };
        assert_eq!(layers.hidden(&token(true)).elements, [44, 0]);
        // 100 * 44 / 128 = 34.4
        assert_eq!(layers.apply(&token(true)), [34]);
        // 4 * 3 and 4 * -6, 256 times, over 64; then 6 * 3 * 256 / 128
        assert_eq!(layers.hidden(&token(false)).elements, [48, 0]);
        assert_eq!(layers.apply(&token(false)), [36]);
    }
}
