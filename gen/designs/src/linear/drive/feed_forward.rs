//! `feed_forward`.

use super::exact::{fit, load_beats, token_beats};
use super::{Element, exact, int8, result};
use crate::drive::{Feed, Run};
use crate::linear::FeedForwardSpec;
use crate::linear::feed_forward::BatchShape;
use crate::linear::golden::exact::Token;
use crate::linear::golden::feed_forward::FeedForward;
use rand::Rng;

/// Both loads and the tokens that follow them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Both layers' loads.
    pub layers: FeedForward,
    /// At least one token.
    pub tokens: Vec<Token>,
}

impl Batch {
    /// A random batch; `corners` prefers zeros and extremes.
    pub fn random(
        spec: &FeedForwardSpec,
        rng: &mut impl Rng,
        tokens: usize,
        corners: bool,
    ) -> Batch {
        let [first, second] = spec.layers();
        let exact::Batch { load, tokens } = exact::Batch::random(&first, rng, tokens, corners);
        let mut layers = FeedForward {
            first: load,
            second: exact::Batch::random(&second, rng, 1, corners).load,
        };
        layers.second.table = None;
        fit_second(&mut layers, &tokens, rng);
        Batch { layers, tokens }
    }

    /// The same loads for other tokens, scaled to them.
    pub fn fitted_to(mut self, tokens: Vec<Token>, rng: &mut impl Rng) -> Batch {
        fit(&mut self.layers.first, &tokens, rng);
        fit_second(&mut self.layers, &tokens, rng);
        Batch { layers: self.layers, tokens }
    }

    /// What the golden model says.
    pub fn expected(&self) -> Vec<Element> {
        let count = self.tokens.len();
        let tokens = self.tokens.iter().enumerate();
        tokens.map(|(i, token)| (self.layers.apply(token), i + 1 == count)).collect()
    }

    /// The batch as the timing sees it.
    pub fn shape(&self, spec: &FeedForwardSpec) -> BatchShape {
        let [first, second] = spec.layers();
        let table = self.layers.first.table.as_ref().map_or(1, Vec::len) as u32;
        BatchShape {
            load_beats: [first.load_cycles(table), second.load_cycles(1)].map(u64::from),
            precise: self.tokens.iter().map(|token| token.precise).collect(),
        }
    }
}

fn fit_second(layers: &mut FeedForward, tokens: &[Token], rng: &mut impl Rng) {
    let hidden: Vec<_> = tokens.iter().map(|token| layers.hidden(token)).collect();
    fit(&mut layers.second, &hidden, rng);
}

/// The streams in, in the order of [`feeds`].
pub const STREAMS: [&str; 6] =
    ["first_weights", "first_scales", "first_table", "second_weights", "second_scales", "tokens"];

/// What batches are to the [`STREAMS`], with stalls of those probabilities.
pub fn feeds(
    spec: &FeedForwardSpec,
    batches: &[Batch],
    stalls: [f64; 6],
    rng: &mut impl Rng,
) -> Vec<Feed> {
    let layers = spec.layers();
    let mut streams = [const { vec![] }; 6];
    for batch in batches {
        let loads = [&batch.layers.first, &batch.layers.second];
        let mut beats = |n: usize| load_beats(&layers[n], loads[n], &mut || int8(rng, false));
        let ([weights, scales, table], [second_weights, second_scales, _]) = (beats(0), beats(1));
        let tokens = token_beats(&batch.tokens);
        let beats = [weights, scales, table, second_weights, second_scales, tokens];
        streams.iter_mut().zip(beats).for_each(|(all, beats)| all.extend(beats));
    }
    (STREAMS.into_iter().zip(streams).zip(stalls))
        .map(|((stream, beats), stall)| Feed { stream, beats, stall })
        .collect()
}

/// The results in a run.
pub fn results(spec: &FeedForwardSpec, run: &Run) -> Vec<Element> {
    let [_, second] = spec.layers();
    run.beats.iter().map(|beat| result(second.layer(), beat)).collect()
}
