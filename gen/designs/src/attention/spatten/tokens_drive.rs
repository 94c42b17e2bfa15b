//! The unit that prunes tokens between stream drivers and its golden model.

use crate::attention::spatten::golden::cascade::{accumulate, most_important};
use crate::drive::{Feed, Run};
use bitvec::vec::BitVec;
use hwgen_hdl::Int;
use rand::Rng;

/// A sequence: its layers, each of the tokens that the one before left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// At least one.
    pub layers: Vec<Layer>,
}

/// What a layer adds to its tokens' importance, and how many may stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// A score a token.
    pub scores: Vec<u64>,
    /// 0 is as 1.
    pub keep: usize,
}

impl Sequence {
    /// A random sequence of up to `most` tokens and four layers, and what must come out: a bit a
    /// token of each layer.
    pub fn random(rng: &mut impl Rng, most: usize) -> (Sequence, Vec<BitVec>) {
        let mut left = vec![0; rng.random_range(1..=most)];
        let (mut layers, mut stays) = (vec![], vec![]);
        // ties, usual sums, saturation
        let range = [3, 1 << 20, u64::from(u32::MAX)][rng.random_range(0..3)];
        for _ in 0..rng.random_range(1..=4) {
            let scores: Vec<u64> = left.iter().map(|_| rng.random_range(0..=range)).collect();
            let keep = rng.random_range(0..=left.len() + 1).min(most);
            for (sum, score) in left.iter_mut().zip(&scores) {
                *sum = accumulate(*sum, *score);
            }
            let live = most_important(&BitVec::repeat(true, left.len()), &left, keep);
            left = live.iter_ones().map(|token| left[token]).collect();
            layers.push(Layer { scores, keep });
            stays.push(live);
        }
        (Sequence { layers }, stays)
    }
}

/// What sequences are to the streams `jobs` and `scores`, with stalls of those probabilities.
pub fn feeds(sequences: &[Sequence], stalls: [f64; 2]) -> Vec<Feed> {
    let (mut jobs, mut scores) = (vec![], vec![]);
    for sequence in sequences {
        for (l, layer) in sequence.layers.iter().enumerate() {
            jobs.push(vec![layer.keep.into(), u8::from(l == 0).into()]);
            let count = layer.scores.len();
            scores
                .extend((layer.scores.iter().enumerate()).map(|(token, &score)| {
                    vec![score.into(), u8::from(token + 1 == count).into()]
                }));
        }
    }
    vec![
        Feed { stream: "jobs", beats: jobs, stall: stalls[0] },
        Feed { stream: "scores", beats: scores, stall: stalls[1] },
    ]
}

/// Bits as beats: whether the token stays, and is its layer's last.
pub fn beats(stays: &[BitVec]) -> Vec<(bool, bool)> {
    let layer = |layer: &BitVec| {
        let count = layer.len();
        layer.iter().enumerate().map(|(token, live)| (*live, token + 1 == count)).collect()
    };
    stays.iter().flat_map(layer as fn(&BitVec) -> Vec<_>).collect()
}

/// The beats of a run.
pub fn results(run: &Run) -> Vec<(bool, bool)> {
    let flag = |x: &Int| *x == Int::from(1);
    run.beats.iter().map(|beat| (flag(&beat[0]), flag(&beat[1]))).collect()
}

/// Tokens of each layer.
pub fn shape(sequences: &[Sequence]) -> Vec<u32> {
    let layers = sequences.iter().flat_map(|sequence| &sequence.layers);
    layers.map(|layer| layer.scores.len() as u32).collect()
}
