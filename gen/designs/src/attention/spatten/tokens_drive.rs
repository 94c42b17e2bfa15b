//! The unit that prunes tokens between stream drivers and its golden model.

use crate::attention::spatten::SpattenTokensSpec;
use crate::attention::spatten::golden::cascade::{accumulate, most_important};
use crate::cost::Cost;
use crate::drive::{Driven, Feed, feeds};
use bitvec::vec::BitVec;
use hwgen_hdl::Int;
use rand::Rng;

/// A sequence: its layers, each of the tokens that the one before left.
pub type Sequence = Vec<Layer>;

/// What a layer adds to its tokens' importance, how many may stay, and which do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// A score a token.
    pub scores: Vec<u64>,
    /// 0 is as 1.
    pub keep: usize,
    /// A bit a token.
    pub stays: BitVec,
}

impl Driven for SpattenTokensSpec {
    type Job = Sequence;
    /// Whether the token stays, and is its layer's last.
    type Out = (bool, bool);

    fn random(&self, rng: &mut impl Rng, most_layers: usize) -> Sequence {
        let most = self.max_keys as usize;
        let mut left = vec![0; rng.random_range(1..=most)];
        // ties, usual sums, saturation
        let range = [3, 1 << 20, u64::from(u32::MAX)][rng.random_range(0..3)];
        let count = rng.random_range(1..=most_layers);
        let mut layer = |_| {
            let scores: Vec<u64> = left.iter().map(|_| rng.random_range(0..=range)).collect();
            let keep = rng.random_range(0..=left.len() + 1).min(most);
            for (sum, score) in left.iter_mut().zip(&scores) {
                *sum = accumulate(*sum, *score);
            }
            let stays = most_important(&BitVec::repeat(true, left.len()), &left, keep);
            left = stays.iter_ones().map(|token| left[token]).collect();
            Layer { scores, keep, stays }
        };
        (0..count).map(&mut layer).collect()
    }

    fn feeds(&self, sequences: &[Sequence], _: &mut impl Rng) -> Vec<Feed> {
        let (mut jobs, mut scores) = (vec![], vec![]);
        for sequence in sequences {
            for (l, layer) in sequence.iter().enumerate() {
                jobs.push(vec![layer.keep.into(), u8::from(l == 0).into()]);
                let count = layer.scores.len();
                let beat = |(token, &score): (usize, &u64)| {
                    vec![score.into(), u8::from(token + 1 == count).into()]
                };
                scores.extend(layer.scores.iter().enumerate().map(beat));
            }
        }
        feeds([("jobs", jobs), ("scores", scores)])
    }

    fn expected(&self, sequences: &[Sequence]) -> Result<Vec<(bool, bool)>, String> {
        let layer = |layer: &Layer| {
            let count = layer.stays.len();
            let flags = layer.stays.iter().enumerate();
            flags.map(|(token, stays)| (*stays, token + 1 == count)).collect::<Vec<_>>()
        };
        Ok(sequences.iter().flatten().flat_map(layer).collect())
    }

    fn read(&self, beat: &[Int]) -> (bool, bool) {
        let flag = |x: &Int| *x == Int::from(1);
        (flag(&beat[0]), flag(&beat[1]))
    }

    fn out_cycles(&self, sequences: &[Sequence]) -> Vec<u64> {
        let layers = sequences.iter().flatten();
        self.result_cycles(&layers.map(|layer| layer.scores.len() as u32).collect::<Vec<_>>())
    }
    fn values(&self) -> u32 {
        2
    }

    /// Of few tokens.
    fn few(&self, rng: &mut impl Rng) -> Vec<Sequence> {
        let small = SpattenTokensSpec { max_keys: self.max_keys.min(20) };
        (0..2).map(|_| small.random(rng, 4)).collect()
    }
}
