//! How close the output of integer attention on selected keys comes to floating-point attention.
//!
//! A selection says which keys each query of a head attends to; predictors are compared by the
//! keys they keep at the same closeness. Rows that see fewer than
//! [`MIN_VISIBLE`](super::quality::MIN_VISIBLE) keys are left out, as every predictor does well there.

use super::quality::{self, MIN_VISIBLE, logit, softmax};
use super::{Head, Quantized, Workload, quantize};
use bitvec::vec::BitVec;
use hwgen_designs::attention::attend::drive as driven;
use hwgen_designs::attention::attend::golden::{Attend, AttendError, Memory, Query};
use hwgen_designs::attention::fact_predictor::golden::Fact;
use hwgen_designs::attention::lapa_predictor::LapaPredictorSpec;
use hwgen_designs::attention::lapa_predictor::golden::{Predictor, QueryRow};
use hwgen_designs::attention::sanger_predictor::golden::{Sanger, Setting};
use std::error::Error;

/// A head whose queries mostly attend to key 0 (a sink): its mean probability is above this.
pub const SINK: f64 = 0.5;

/// A head as the engine receives it: `s8` elements, each matrix with a step of its own.
#[derive(Debug, Clone)]
pub struct Integers {
    /// One query a row.
    pub queries: Quantized,
    /// One key a row.
    pub keys: Quantized,
    /// One value a row.
    pub values: Quantized,
    /// Keys each query sees.
    pub visible: Vec<usize>,
    /// Logits in one unit of an integer product of query and key.
    pub step: f32,
}

impl Integers {
    /// Quantizes a head.
    pub fn of(head: &Head) -> Integers {
        let [queries, keys, values] =
            [&head.queries, &head.keys, &head.values].map(|matrix| quantize(matrix, 8));
        let visible = (0..head.queries.rows()).map(|row| head.visible(row)).collect();
        let step = head.scale * queries.step * keys.step;
        Integers { queries, keys, values, visible, step }
    }

    /// The factor and shift of its scores: see [`scale`].
    pub fn scale(&self) -> (u16, u8) {
        scale(self.step)
    }

    /// A row as the exact stage receives it.
    pub fn query(&self, row: usize) -> Query {
        let (scale, shift) = self.scale();
        Query { elements: self.queries.rows[row].clone(), scale, shift }
    }

    /// The head as circuits receive it; nothing has chosen among its keys yet.
    pub fn driven(&self) -> driven::Head {
        let visible = self.visible.iter().enumerate();
        driven::Head {
            keys: self.keys.rows.clone(),
            values: self.values.rows.clone(),
            rows: visible.map(|(i, &seen)| driven::Row::new(self.query(i), seen)).collect(),
        }
    }
}

/// The factor m and shift h with which the engine turns scores into 64ths of a power of two:
/// `m / 2^h` is `64 log2(e) step`, within 2^-16 of it where h is below 31 and above 0.
pub fn scale(step: f32) -> (u16, u8) {
    let exact = 64.0 * std::f64::consts::LOG2_E * f64::from(step);
    let shift = (f64::from(u16::MAX) / exact).log2().floor().clamp(0.0, 31.0);
    let factor = (exact * shift.exp2()).round().min(f64::from(u16::MAX));
    (factor as u16, shift as u8)
}

/// What a selection does to a head; means over its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadOutput {
    /// Rows counted.
    pub rows: usize,
    /// Keys kept, of the visible ones.
    pub kept: f64,
    /// Softmax mass of the kept keys.
    pub mass: f64,
    /// Cosine of the integer output with that of floating-point attention to all visible keys.
    pub cosine: f64,
    /// Whether the head is a sink: see [`SINK`].
    pub sink: bool,
}

/// What a selection does to a workload.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Output {
    /// Its heads, in order.
    pub heads: Vec<HeadOutput>,
}

impl Output {
    /// The mean over the heads that `count`.
    pub fn mean(
        &self,
        figure: impl Fn(&HeadOutput) -> f64,
        count: impl Fn(&HeadOutput) -> bool,
    ) -> f64 {
        let counted: Vec<_> = self.heads.iter().filter(|head| count(head)).map(figure).collect();
        counted.iter().sum::<f64>() / counted.len().max(1) as f64
    }

    /// Keys kept, all heads.
    pub fn kept(&self) -> f64 {
        self.mean(|head| head.kept, |_| true)
    }

    /// Softmax mass, all heads.
    pub fn mass(&self) -> f64 {
        self.mean(|head| head.mass, |_| true)
    }

    /// Cosine, all heads.
    pub fn cosine(&self) -> f64 {
        self.mean(|head| head.cosine, |_| true)
    }

    /// Cosine of the heads that are no sinks.
    pub fn cosine_without_sinks(&self) -> f64 {
        self.mean(|head| head.cosine, |head| !head.sink)
    }
}

/// The keys that each row of a head keeps: a bit for each visible key.
pub type Selection = Result<Vec<BitVec>, Box<dyn Error>>;

/// Keeps every visible key.
pub fn all_keys(head: &Integers) -> Selection {
    Ok(head.visible.iter().map(|&visible| BitVec::repeat(true, visible)).collect())
}

/// Keeps what a LAPA predictor keeps; its `head_dim` and `max_keys` are set to the head's. The
/// radius filter is given a radius of `radius` logits.
pub fn lapa(spec: &LapaPredictorSpec, radius: f32) -> impl Fn(&Integers) -> Selection {
    move |head| {
        let keys = &head.keys.rows;
        let head_dim = keys.first().map_or(1, |key| key.len() as u32);
        let spec = LapaPredictorSpec { head_dim, max_keys: keys.len() as u32, ..spec.clone() };
        let predictor = Predictor::new(&spec, keys)?;
        let radius = quality::radius(&spec, radius, head.step);
        let (scale, shift) = head.scale();
        let rows = head.queries.rows.iter().zip(&head.visible);
        rows.map(|(elements, &visible)| {
            let row = QueryRow { elements: elements.clone(), visible, radius, scale, shift };
            Ok(predictor.predict(&row)?.survivors().clone())
        })
        .collect()
    }
}

/// Keeps what FACT's predictor keeps: `keep256` 256ths of each row's keys.
pub fn fact(keep256: u32) -> impl Fn(&Integers) -> Selection {
    move |head| {
        let predictor = Fact::new(&head.keys.rows, keep256);
        let rows = head.queries.rows.iter().zip(&head.visible);
        Ok(rows.map(|(query, &visible)| predictor.survivors(query, visible)).collect())
    }
}

/// Keeps what Sanger's predictor keeps.
pub fn sanger(setting: Setting) -> impl Fn(&Integers) -> Selection {
    move |head| {
        let predictor = Sanger::new(&head.keys.rows, setting);
        let rows = head.visible.iter().enumerate();
        Ok(rows.map(|(row, &visible)| predictor.survivors(&head.query(row), visible)).collect())
    }
}

/// Runs integer attention on the selected keys of every head and compares it with the exact one.
///
/// The heads come in order, so that a selection may learn from one for the next.
///
/// # Errors
/// A selection that fails, or that keeps no key of a row.
pub fn measure(
    workload: &Workload,
    probability_bits: u32,
    mut select: impl FnMut(&Integers) -> Selection,
) -> Result<Output, Box<dyn Error>> {
    let engine = Attend::new(probability_bits);
    let mut output = Output::default();
    for head in &workload.heads {
        let integers = Integers::of(head);
        let survivors = select(&integers)?;
        let rows = attend(&engine, &integers, &survivors)?;
        output.heads.push(closeness(&Exact::of(head), &survivors, &rows));
    }
    Ok(output)
}

/// What the exact stage makes of every row of a head.
///
/// # Errors
/// A row without a key.
pub fn attend(
    engine: &Attend,
    head: &Integers,
    survivors: &[BitVec],
) -> Result<Vec<Vec<i32>>, AttendError> {
    let memory = Memory { keys: &head.keys.rows, values: &head.values.rows };
    let rows = survivors.iter().enumerate();
    rows.map(|(row, survivors)| Ok(engine.row(&head.query(row), memory, survivors)?.out)).collect()
}

/// Floating-point attention of a head: what others are compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Exact {
    /// For each row the softmax weights of its visible keys, and its output.
    rows: Vec<(Vec<f64>, Vec<f64>)>,
}

impl Exact {
    /// Computes it.
    pub fn of(head: &Head) -> Exact {
        Exact { rows: (0..head.queries.rows()).map(|row| attention(head, row)).collect() }
    }
}

/// How close the integer results of a head's rows come, and what their selection keeps.
pub fn closeness(exact: &Exact, survivors: &[BitVec], outputs: &[Vec<i32>]) -> HeadOutput {
    let mut total = HeadOutput { rows: 0, kept: 0.0, mass: 0.0, cosine: 0.0, sink: false };
    let mut first = 0.0;
    for ((survivors, output), (weights, exact)) in survivors.iter().zip(outputs).zip(&exact.rows) {
        let visible = weights.len();
        if visible < MIN_VISIBLE {
            continue;
        }
        total.rows += 1;
        total.kept += survivors.count_ones() as f64 / visible as f64;
        total.mass += quality::mass(weights, survivors);
        total.cosine += cosine(exact, output);
        first += weights[0];
    }
    let rows = total.rows.max(1) as f64;
    HeadOutput {
        rows: total.rows,
        kept: total.kept / rows,
        mass: total.mass / rows,
        cosine: total.cosine / rows,
        sink: first / rows > SINK,
    }
}

/// Floating-point attention of a row: its softmax weights and its output.
pub fn attention(head: &Head, row: usize) -> (Vec<f64>, Vec<f64>) {
    let query = head.queries.iter().nth(row).unwrap_or_default();
    let keys = head.keys.iter().take(head.visible(row));
    let weights = softmax(&keys.map(|key| logit(head.scale, query, key)).collect::<Vec<_>>());
    let mut output = vec![0.0; head.values.cols()];
    for (weight, value) in weights.iter().zip(head.values.iter()) {
        for (sum, &v) in output.iter_mut().zip(value) {
            *sum += weight * f64::from(v);
        }
    }
    (weights, output)
}

/// 1 for two zeros, 0 for one.
pub(super) fn cosine(exact: &[f64], ours: &[i32]) -> f64 {
    let ours = || ours.iter().map(|&x| f64::from(x));
    let dot: f64 = exact.iter().zip(ours()).map(|(a, b)| a * b).sum();
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let (a, b) = (square(&mut exact.iter().copied()), square(&mut ours()));
    if a == 0.0 && b == 0.0 { 1.0 } else { dot / (a * b).sqrt().max(f64::MIN_POSITIVE) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attention::synthetic::Clustered;

    #[test]
    fn the_scale_is_as_fine_as_its_bits_allow() {
        for step in [1e-7f32, 3e-5, 0.001, 0.9, 100.0] {
            let (factor, shift) = scale(step);
            let exact = 64.0 * std::f64::consts::LOG2_E * f64::from(step);
            let error = f64::from(factor) / f64::from(shift).exp2() / exact - 1.0;
            assert!(error.abs() < 1.0 / 32768.0, "{step}: {factor} >> {shift}, {error}");
        }
        assert_eq!((scale(1e-12), scale(1e9)), ((0, 31), (u16::MAX, 0)));
    }

    #[test]
    fn all_keys_give_nearly_the_exact_output() {
        let shape = Clustered { tokens: 64, head_dim: 16, seeds: 2, ..Clustered::default() };
        let output = measure(&shape.workload(), 8, all_keys).unwrap();
        assert!(output.cosine() > 0.999, "{output:?}");
        assert!((output.kept(), output.heads[0].rows) == (1.0, 64));
        let fewer =
            measure(&shape.workload(), 8, lapa(&LapaPredictorSpec::default(), 3.0)).unwrap();
        assert!(fewer.kept() < 0.5 && fewer.cosine() < output.cosine() && fewer.mass() < 1.0);
    }
}
