//! FACT's predictor, in integers, from the definition in `docs/baselines.md`.

use crate::attention::predictor::golden::largest;
use crate::attention::predictor::golden::leading_one::LeadingOne;
use bitvec::vec::BitVec;

/// The keys of a head in leading-one form.
#[derive(Debug, Clone)]
pub struct Fact {
    keys: Vec<Vec<LeadingOne>>,
    keep256: u32,
}

impl Fact {
    /// Encodes the keys, of `s8` elements; `keep256` 256ths of a row's keys are kept.
    pub fn new(keys: &[Vec<i32>], keep256: u32) -> Fact {
        Fact { keys: keys.iter().map(|key| encode(key)).collect(), keep256 }
    }

    /// The estimate of each visible key's score.
    pub fn scores(&self, query: &[i32], visible: usize) -> Vec<i64> {
        let query = encode(query);
        let product = |(q, k): (&LeadingOne, &LeadingOne)| {
            i64::from(q.sign * k.sign) << (q.exponent + k.exponent)
        };
        let score = |key: &Vec<LeadingOne>| query.iter().zip(key).map(product).sum();
        self.keys.iter().take(visible).map(score).collect()
    }

    /// A bit for each visible key: whether it is kept.
    pub fn survivors(&self, query: &[i32], visible: usize) -> BitVec {
        let scores = self.scores(query, visible);
        let keep = (scores.len() * self.keep256 as usize) >> 8;
        largest(&scores, &BitVec::<usize>::repeat(true, scores.len()), keep.max(1))
    }
}

fn encode(elements: &[i32]) -> Vec<LeadingOne> {
    elements.iter().map(|&x| LeadingOne::encode(x, 8, false)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_powers_of_two() {
        let keys = [vec![7, -128, 0], vec![1, 1, 1], vec![-127, 3, 100]];
        let fact = Fact::new(&keys, 128);
        // 5 acts as 4, -9 as -8; 7 as 4, -128 as -64
        assert_eq!(fact.scores(&[5, -9, 100], 3), [16 + 512, 4 - 8 + 64, -256 - 16 + 4096]);
        let kept =
            |query: &[i32], visible| fact.survivors(query, visible).iter_ones().collect::<Vec<_>>();
        assert_eq!(kept(&[5, -9, 100], 3), [2]);
        // two of four would be kept; of equal scores the earlier
        assert_eq!((kept(&[0, 0, 0], 2), kept(&[1, 0, 0], 1)), (vec![0], vec![0]));
    }
}
