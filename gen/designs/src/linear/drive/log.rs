//! `log_linear`.

use super::{Element, element, elements, int8, last, weight_beats};
use crate::attention::predictor::golden::leading_one::LeadingOne;
use crate::cost::Cost;
use crate::drive::{Driven, Feed, feeds, pack};
use crate::linear::LogLinearSpec;
use crate::linear::golden::log::{Load, shift_for};
use hwgen_hdl::Int;
use rand::Rng;

/// A load and the tokens that follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Weights and shift.
    pub load: Load,
    /// At least one token.
    pub tokens: Vec<Vec<i32>>,
}

impl Batch {
    /// A random batch; `corners` prefers zeros and extremes.
    pub fn random(spec: &LogLinearSpec, rng: &mut impl Rng, tokens: usize, corners: bool) -> Batch {
        let mut draw = |count: u32| (0..count).map(|_| int8(rng, corners)).collect::<Vec<_>>();
        let weights: Vec<_> = (0..spec.outputs).map(|_| draw(spec.inputs)).collect();
        let tokens: Vec<_> = (0..tokens).map(|_| draw(spec.inputs)).collect();
        // with corners also the exponent 7, of a host that rounds
        let encode = |&w: &i32| LeadingOne::encode(w, 8, corners);
        let weights = weights.iter().map(|row| row.iter().map(encode).collect()).collect();
        let mut load = Load { weights, shift: 0 };
        // most often what fills the byte, else anything
        let sums = tokens.iter().flat_map(|token| load.sums(token));
        let fitting = shift_for(sums.map(i64::abs).max().unwrap_or_default());
        load.shift = if rng.random_bool(0.7) { fitting } else { rng.random_range(0..32) };
        Batch { load, tokens }
    }
}

/// The beats of a load: stream `weights`.
pub fn load_beats(
    spec: &LogLinearSpec,
    load: &Load,
    noise: &mut impl FnMut() -> i32,
) -> Vec<Vec<Int>> {
    let mut codes = |row: &Vec<LeadingOne>| row.iter().map(|w| code(w, noise() as u32)).collect();
    let rows: Vec<Vec<i32>> = load.weights.iter().map(&mut codes).collect();
    let beats = weight_beats(spec.layer(), &rows, 5, &mut *noise);
    let count = beats.len();
    let beat = |(i, beat)| {
        let shift = if i + 1 == count { load.shift } else { noise() as u32 };
        vec![beat, shift.into(), last(i, count)]
    };
    beats.into_iter().enumerate().map(beat).collect()
}

impl Driven for LogLinearSpec {
    type Job = Batch;
    type Out = Element;

    fn random(&self, rng: &mut impl Rng, most: usize) -> Batch {
        let (tokens, corners) = (rng.random_range(1..=most), rng.random());
        Batch::random(self, rng, tokens, corners)
    }

    fn feeds(&self, batches: &[Batch], rng: &mut impl Rng) -> Vec<Feed> {
        let (mut weights, mut tokens) = (vec![], vec![]);
        for Batch { load, tokens: of_batch } in batches {
            weights.extend(load_beats(self, load, &mut || rng.random_range(0..32)));
            let count = of_batch.len();
            let beats = of_batch.iter().enumerate();
            tokens.extend(
                beats.map(|(i, token)| vec![pack(token.iter().copied(), 8), last(i, count)]),
            );
        }
        feeds([("weights", weights), ("tokens", tokens)])
    }

    fn expected(&self, batches: &[Batch]) -> Result<Vec<Element>, String> {
        Ok(batches.iter().flat_map(|b| elements(&b.tokens, |token| b.load.apply(token))).collect())
    }

    fn read(&self, beat: &[Int]) -> Element {
        element(self.layer(), beat)
    }

    fn out_cycles(&self, batches: &[Batch]) -> Vec<u64> {
        let beats = u64::from(self.layer().weight_beats());
        let shape = |batch: &Batch| (beats, batch.tokens.len());
        self.result_cycles(&batches.iter().map(shape).collect::<Vec<_>>())
    }

    fn values(&self) -> u32 {
        self.outputs + 1
    }
}

/// A code as the circuit takes it; of a zero the other bits are without meaning.
fn code(weight: &LeadingOne, noise: u32) -> i32 {
    let noise = if weight.sign == 0 { noise & 0b10111 } else { 0 };
    (weight.bits(3) | noise) as i32
}
