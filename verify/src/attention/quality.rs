//! How well a LAPA predictor finds the keys that matter.
//!
//! The truth is the floating-point logit; predictions come from quantized queries and keys.
//! Every figure is a mean over query rows; rows that see fewer than [`MIN_VISIBLE`] keys are
//! left out, as a quarter of two keys says nothing.

use super::output::scale;
use super::{Workload, quantize};
use bitvec::{slice::BitSlice, vec::BitVec};
use hwgen_designs::attention::lapa_predictor::LapaPredictorSpec;
use hwgen_designs::attention::lapa_predictor::golden::{Predictor, QueryRow};
use hwgen_designs::attention::predictor::golden::InputError;

/// Fewest keys a row must see to be counted.
pub const MIN_VISIBLE: usize = 8;

/// The radius that the radius filter is given, in logits. Source: MCBP's setting, by our notes.
pub const RADIUS_LOGITS: f32 = 3.0;

/// How well scores alone rank keys, whatever the filter; means over rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoreQuality {
    /// Rows counted.
    pub rows: usize,
    /// Of the true top quarter, the part in the top quarter by exact integer product.
    pub recall_integer: f64,
    /// The same by the score after the first round.
    pub recall_first_round: f64,
    /// The same by the final score.
    pub recall_final: f64,
    /// Softmax mass of the true top quarter: the most that a quarter of the keys can hold.
    pub mass_top_quarter: f64,
    /// Softmax mass of the top quarter by the final score.
    pub mass_final: f64,
}

/// What the filter's survivors are worth; means over rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FilterQuality {
    /// Rows counted.
    pub rows: usize,
    /// Keys that survive each round, of the visible ones.
    pub live: Vec<f64>,
    /// Of the true top quarter, the part among the survivors.
    pub recall: f64,
    /// Of the survivors, the part in an equally large true top.
    pub precision: f64,
    /// Softmax mass of the survivors.
    pub mass: f64,
    /// Softmax mass of each row's equally large true top.
    pub oracle_mass: f64,
}

/// Measures how `spec` scores the keys of `workload`.
///
/// The specification's `head_dim` and `max_keys` are set to each head's.
///
/// # Errors
/// A head that does not fit the engine.
pub fn measure_scores(
    spec: &LapaPredictorSpec,
    workload: &Workload,
) -> Result<ScoreQuality, InputError> {
    let mut total = ScoreQuality::default();
    for_each_row(spec, workload, |row, predictor, keys| {
        let QueryRow { elements, visible, .. } = &row.query;
        let quarter = visible / 4;
        let round = |round| -> Result<BitVec, InputError> {
            let scores = predictor.unfiltered_scores(elements, round, *visible)?;
            Ok(largest(&scores.into_iter().map(|a| a as f64).collect::<Vec<_>>(), quarter))
        };
        let integer: Vec<f64> = keys[..*visible].iter().map(|k| product(elements, k)).collect();
        let truth = largest(&row.logits, quarter);
        let by_final = round(spec.rounds() - 1)?;
        total.rows += 1;
        total.recall_integer += share(&truth, &largest(&integer, quarter));
        total.recall_first_round += share(&truth, &round(0)?);
        total.recall_final += share(&truth, &by_final);
        total.mass_top_quarter += mass(&row.weights, &truth);
        total.mass_final += mass(&row.weights, &by_final);
        Ok(())
    })?;
    let mean = |sum: f64| sum / total.rows.max(1) as f64;
    Ok(ScoreQuality {
        rows: total.rows,
        recall_integer: mean(total.recall_integer),
        recall_first_round: mean(total.recall_first_round),
        recall_final: mean(total.recall_final),
        mass_top_quarter: mean(total.mass_top_quarter),
        mass_final: mean(total.mass_final),
    })
}

/// Measures the survivors of `spec` on `workload`.
///
/// The specification's `head_dim` and `max_keys` are set to each head's.
///
/// # Errors
/// A head that does not fit the engine.
pub fn measure_filter(
    spec: &LapaPredictorSpec,
    workload: &Workload,
) -> Result<FilterQuality, InputError> {
    let mut total = FilterQuality { live: vec![0.0; spec.rounds()], ..FilterQuality::default() };
    for_each_row(spec, workload, |row, predictor, _| {
        let prediction = predictor.predict(&row.query)?;
        let visible = row.query.visible;
        let survivors = prediction.survivors();
        let oracle = largest(&row.logits, survivors.count_ones());
        total.rows += 1;
        for (live, trace) in total.live.iter_mut().zip(&prediction.rounds) {
            *live += trace.survivors.count_ones() as f64 / visible as f64;
        }
        total.recall += share(&largest(&row.logits, visible / 4), survivors);
        total.precision += share(survivors, &oracle);
        total.mass += mass(&row.weights, survivors);
        total.oracle_mass += mass(&row.weights, &oracle);
        Ok(())
    })?;
    let mean = |sum: f64| sum / total.rows.max(1) as f64;
    Ok(FilterQuality {
        rows: total.rows,
        live: total.live.into_iter().map(mean).collect(),
        recall: mean(total.recall),
        precision: mean(total.precision),
        mass: mean(total.mass),
        oracle_mass: mean(total.oracle_mass),
    })
}

/// One query row and the truth about it.
struct Row {
    query: QueryRow,
    logits: Vec<f64>,
    /// Softmax of the logits.
    weights: Vec<f64>,
}

/// Calls `visit` with each counted row, its head's predictor and its head's quantized keys.
fn for_each_row(
    spec: &LapaPredictorSpec,
    workload: &Workload,
    mut visit: impl FnMut(Row, &Predictor, &[Vec<i32>]) -> Result<(), InputError>,
) -> Result<(), InputError> {
    for head in &workload.heads {
        let (head_dim, max_keys) = (head.keys.cols() as u32, head.keys.rows() as u32);
        let spec = LapaPredictorSpec { head_dim, max_keys, ..spec.clone() };
        let queries = quantize(&head.queries, spec.query_bits);
        let keys = quantize(&head.keys, spec.key_bits());
        let predictor = Predictor::new(&spec, &keys.rows)?;
        let step = head.scale * queries.step * keys.step;
        let (radius, (scale, shift)) = (radius(&spec, RADIUS_LOGITS, step), scale(step));
        for (i, (query, elements)) in head.queries.iter().zip(queries.rows).enumerate() {
            let visible = head.visible(i);
            if visible < MIN_VISIBLE {
                continue;
            }
            let keys_seen = head.keys.iter().take(visible);
            let logits: Vec<f64> = keys_seen.map(|key| logit(head.scale, query, key)).collect();
            let weights = softmax(&logits);
            let query = QueryRow { elements, visible, radius, scale, shift };
            visit(Row { query, logits, weights }, &predictor, &keys.rows)?;
        }
    }
    Ok(())
}

/// A radius in units of a whole key's score, of which one is `step` logits.
pub(super) fn radius(spec: &LapaPredictorSpec, logits: f32, step: f32) -> u64 {
    ((logits / step) as u64).min((1 << spec.radius_bits()) - 1)
}

pub(super) fn logit(scale: f32, query: &[f32], key: &[f32]) -> f64 {
    let sum: f64 = query.iter().zip(key).map(|(&q, &k)| f64::from(q) * f64::from(k)).sum();
    f64::from(scale) * sum
}

fn product(query: &[i32], key: &[i32]) -> f64 {
    let sum: i64 = query.iter().zip(key).map(|(&q, &k)| i64::from(q * k)).sum();
    sum as f64
}

pub(super) fn softmax(logits: &[f64]) -> Vec<f64> {
    let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logits.iter().map(|x| (x - max).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|w| w / sum).collect()
}

/// The `keep` largest; of equal ones the earlier.
fn largest(scores: &[f64], keep: usize) -> BitVec {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    let before = |&a: &usize, &b: &usize| scores[b].total_cmp(&scores[a]).then(a.cmp(&b));
    if keep < order.len() {
        order.select_nth_unstable_by(keep, before);
    }
    let mut found = BitVec::repeat(false, scores.len());
    for &j in order.iter().take(keep) {
        found.set(j, true);
    }
    found
}

/// The part of `of` that is in `found`.
fn share(of: &BitSlice, found: &BitSlice) -> f64 {
    of.iter_ones().filter(|&j| found[j]).count() as f64 / of.count_ones().max(1) as f64
}

pub(super) fn mass(weights: &[f64], keys: &BitSlice) -> f64 {
    keys.iter_ones().map(|j| weights[j]).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attention::{Head, Matrix};

    #[test]
    fn largest_breaks_ties_by_index() {
        let kept = |keep| largest(&[1.0, 3.0, 3.0, 2.0], keep).iter_ones().collect::<Vec<_>>();
        assert_eq!([kept(1), kept(3), kept(9)], [vec![1], vec![1, 2, 3], vec![0, 1, 2, 3]]);
    }

    /// One element: the leading-one code keeps the order of products, so nothing is missed.
    #[test]
    fn a_head_of_one_element_is_predicted_perfectly() {
        let keys = Matrix::new(1, (0..8).map(|j| j as f32 * 16.0 + 15.0).collect());
        let queries = Matrix::new(1, vec![127.0, -127.0]);
        let values = keys.clone();
        let head = Head { name: String::new(), queries, keys, values, causal: false, scale: 1e-4 };
        let workload = Workload { name: String::new(), heads: vec![head] };
        let spec = LapaPredictorSpec::default();
        let scores = measure_scores(&spec, &workload).unwrap();
        assert_eq!((scores.rows, scores.recall_integer, scores.recall_final), (2, 1.0, 1.0));
        assert_eq!(scores.mass_final, scores.mass_top_quarter);
        let filter = measure_filter(&spec, &workload).unwrap();
        assert_eq!((filter.precision, filter.recall), (1.0, 1.0));
        assert_eq!(filter.live, [0.5, 0.25]);
    }
}
