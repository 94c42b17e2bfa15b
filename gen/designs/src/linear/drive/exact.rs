//! `linear`.

use super::{Element, element, elements, int8, last, weight_beats};
use crate::cost::Cost;
use crate::drive::{Driven, Feed, feeds, pack};
use crate::linear::LinearSpec;
use crate::linear::exact::BatchShape;
use crate::linear::golden::exact::{Load, Scale, Token};
use hwgen_hdl::Int;
use rand::Rng;

/// A load and the tokens that follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Weights, scales, table.
    pub load: Load,
    /// At least one token.
    pub tokens: Vec<Token>,
}

impl Batch {
    /// A random batch; `corners` prefers zeros and extremes.
    pub fn random(spec: &LinearSpec, rng: &mut impl Rng, tokens: usize, corners: bool) -> Batch {
        let mut draw = |count: u32| (0..count).map(|_| int8(rng, corners)).collect::<Vec<_>>();
        let weights: Vec<_> = (0..spec.outputs).map(|_| draw(spec.inputs)).collect();
        let elements: Vec<_> = (0..tokens).map(|_| draw(spec.inputs)).collect();
        let share = [0.0, 0.5, 1.0][rng.random_range(0..3)];
        let tokens: Vec<_> = (elements.into_iter())
            .map(|elements| Token { elements, precise: rng.random_bool(share) })
            .collect();
        let table = rng.random_bool(0.5).then(|| (0..256).map(|_| int8(rng, corners)).collect());
        let mut load =
            Load { weights, scales: vec![Scale { bias: 0, multiplier: 1, shift: 0 }], table };
        load.scales.resize(spec.outputs as usize, load.scales[0]);
        fit(&mut load, &tokens, rng);
        Batch { load, tokens }
    }
}

/// Sets every output's scale: most often to what brings the sums of `tokens` into eight bits.
pub fn fit(load: &mut Load, tokens: &[Token], rng: &mut impl Rng) {
    let sums: Vec<_> = tokens.iter().map(|token| load.sums(token)).collect();
    for (output, scale) in load.scales.iter_mut().enumerate() {
        let largest = sums.iter().map(|sums| sums[output].abs()).max().unwrap_or_default();
        *scale = random_scale(rng, largest);
    }
}

/// Most often what brings sums up to `largest` into eight bits, else anything.
fn random_scale(rng: &mut impl Rng, largest: i64) -> Scale {
    if rng.random_bool(0.3) {
        let bias = [rng.random(), i32::MIN, i32::MAX][rng.random_range(0..3)];
        let multiplier = [rng.random(), 0, u16::MAX][rng.random_range(0..3)];
        return Scale { bias, multiplier, shift: rng.random_range(0..64) };
    }
    let multiplier = rng.random_range(1 << 15..=u16::MAX);
    let most = largest.max(1) * i64::from(multiplier);
    let shift = most.ilog2().saturating_sub(6);
    let bias = (largest / 2).min(i64::from(i32::MAX)) as i32;
    Scale { bias: rng.random_range(-bias..=bias), multiplier, shift }
}

/// The beats of a load: streams `weights`, `scales` and `table`.
pub fn load_beats(
    spec: &LinearSpec,
    load: &Load,
    noise: &mut impl FnMut() -> i32,
) -> [Vec<Vec<Int>>; 3] {
    let weights = weight_beats(spec.layer(), &load.weights, 8, &mut *noise);
    let count = weights.len();
    let weights = weights.into_iter().enumerate().map(|(i, beat)| vec![beat, last(i, count)]);
    let count = load.scales.len();
    let scales = load.scales.iter().enumerate().map(|(i, scale)| {
        vec![scale.bias.into(), scale.multiplier.into(), scale.shift.into(), last(i, count)]
    });
    let identity = [noise()];
    let table = load.table.as_deref().unwrap_or(&identity);
    let table = table.iter().enumerate().map(|(i, y)| vec![Int::from(*y), last(i, table.len())]);
    [weights.collect(), scales.collect(), table.collect()]
}

/// The beats of a batch's tokens.
pub(super) fn token_beats(tokens: &[Token]) -> Vec<Vec<Int>> {
    let beat = |(i, token): (usize, &Token)| {
        let data = pack(token.elements.iter().copied(), 8);
        vec![data, u8::from(token.precise).into(), last(i, tokens.len())]
    };
    tokens.iter().enumerate().map(beat).collect()
}

impl Driven for LinearSpec {
    type Job = Batch;
    type Out = Element;

    fn random(&self, rng: &mut impl Rng, most: usize) -> Batch {
        let (tokens, corners) = (rng.random_range(1..=most), rng.random());
        Batch::random(self, rng, tokens, corners)
    }

    fn feeds(&self, batches: &[Batch], rng: &mut impl Rng) -> Vec<Feed> {
        let mut streams = [const { vec![] }; 4];
        for batch in batches {
            let [weights, scales, table] = load_beats(self, &batch.load, &mut || int8(rng, false));
            let beats = [weights, scales, table, token_beats(&batch.tokens)];
            streams.iter_mut().zip(beats).for_each(|(all, beats)| all.extend(beats));
        }
        feeds(["weights", "scales", "table", "tokens"].into_iter().zip(streams))
    }

    fn expected(&self, batches: &[Batch]) -> Result<Vec<Element>, String> {
        Ok(batches.iter().flat_map(|b| elements(&b.tokens, |token| b.load.apply(token))).collect())
    }

    fn read(&self, beat: &[Int]) -> Element {
        element(self.layer(), beat)
    }

    fn out_cycles(&self, batches: &[Batch]) -> Vec<u64> {
        let shape = |batch: &Batch| {
            let table = batch.load.table.as_ref().map_or(1, Vec::len) as u32;
            let precise = batch.tokens.iter().map(|token| token.precise).collect();
            BatchShape { load_beats: self.load_cycles(table).into(), precise }
        };
        self.result_cycles(&batches.iter().map(shape).collect::<Vec<_>>())
    }

    fn values(&self) -> u32 {
        self.outputs + 1
    }
}
