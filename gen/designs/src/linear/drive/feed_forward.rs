//! `feed_forward`.

use super::exact::{fit, load_beats, token_beats};
use super::{Element, element, elements, exact, int8};
use crate::cost::Cost;
use crate::drive::{Driven, Feed, feeds};
use crate::linear::FeedForwardSpec;
use crate::linear::feed_forward::BatchShape;
use crate::linear::golden::exact::Token;
use crate::linear::golden::feed_forward::FeedForward;
use hwgen_hdl::Int;
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
}

fn fit_second(layers: &mut FeedForward, tokens: &[Token], rng: &mut impl Rng) {
    let hidden: Vec<_> = tokens.iter().map(|token| layers.hidden(token)).collect();
    fit(&mut layers.second, &hidden, rng);
}

/// The streams in.
const STREAMS: [&str; 6] =
    ["first_weights", "first_scales", "first_table", "second_weights", "second_scales", "tokens"];

/// The beats of both loads: weights, scales and table of the first layer, weights and scales of the
/// second.
pub(crate) fn loads_beats(
    spec: &FeedForwardSpec,
    layers: &FeedForward,
    noise: &mut impl FnMut() -> i32,
) -> [Vec<Vec<Int>>; 5] {
    let [first, second] = spec.layers();
    let [first_weights, first_scales, table] = load_beats(&first, &layers.first, noise);
    let [weights, scales, _] = load_beats(&second, &layers.second, noise);
    [first_weights, first_scales, table, weights, scales]
}

impl Driven for FeedForwardSpec {
    type Job = Batch;
    type Out = Element;

    fn random(&self, rng: &mut impl Rng, most: usize) -> Batch {
        let (tokens, corners) = (rng.random_range(1..=most), rng.random());
        Batch::random(self, rng, tokens, corners)
    }

    fn feeds(&self, batches: &[Batch], rng: &mut impl Rng) -> Vec<Feed> {
        let mut streams = [const { vec![] }; 6];
        for batch in batches {
            let [a, b, c, d, e] = loads_beats(self, &batch.layers, &mut || int8(rng, false));
            let beats = [a, b, c, d, e, token_beats(&batch.tokens)];
            streams.iter_mut().zip(beats).for_each(|(all, beats)| all.extend(beats));
        }
        feeds(STREAMS.into_iter().zip(streams))
    }

    fn expected(&self, batches: &[Batch]) -> Result<Vec<Element>, String> {
        let batches = batches.iter();
        Ok(batches.flat_map(|b| elements(&b.tokens, |token| b.layers.apply(token))).collect())
    }

    fn read(&self, beat: &[Int]) -> Element {
        let [_, second] = self.layers();
        element(second.layer(), beat)
    }

    fn out_cycles(&self, batches: &[Batch]) -> Vec<u64> {
        let [first, second] = self.layers();
        let shape = |batch: &Batch| {
            let table = batch.layers.first.table.as_ref().map_or(1, Vec::len) as u32;
            BatchShape {
                load_beats: [first.load_cycles(table), second.load_cycles(1)].map(u64::from),
                precise: batch.tokens.iter().map(|token| token.precise).collect(),
            }
        };
        self.result_cycles(&batches.iter().map(shape).collect::<Vec<_>>())
    }

    fn values(&self) -> u32 {
        self.outputs + 1
    }
}
