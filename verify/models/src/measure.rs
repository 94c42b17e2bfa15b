//! Differences between two runs of a model.

use crate::ModelError;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{self, ScopedJoinHandle};

/// Cosine of two vectors of one length; 0 if one of them is zero.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let square = dot(a, a) * dot(b, b);
    if square > 0.0 { dot(a, b) / square.sqrt() } else { 0.0 }
}

/// The cosine of every pair of vectors, each pair once.
pub fn similarities(vectors: &[Vec<f32>]) -> Vec<f64> {
    let pairs = vectors.iter().enumerate();
    pairs.flat_map(|(i, a)| vectors[..i].iter().map(|b| cosine(a, b))).collect()
}

/// Spearman's rank correlation of two lists of one length, equal values sharing their mean rank;
/// 0 if one of them has one value only.
pub fn rank_correlation(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 - 1.0) / 2.0;
    let moment = |a: &[f64], b: &[f64]| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum()
    };
    let square = moment(&a, &a) * moment(&b, &b);
    if square > 0.0 { moment(&a, &b) / square.sqrt() } else { 0.0 }
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for equal in order.chunk_by(|&i, &j| values[i] == values[j]) {
        for &i in equal {
            ranks[i] = first as f64 + (equal.len() as f64 - 1.0) / 2.0;
        }
        first += equal.len();
    }
    ranks
}

/// `e` to the mean of surprises.
pub fn perplexity(surprises: &[f64]) -> f64 {
    (surprises.iter().sum::<f64>() / surprises.len().max(1) as f64).exp()
}

/// Runs every text, as many at once as there are processors; results in the order of the texts.
///
/// # Errors
/// The first text that fails.
pub fn each_text<T: Send>(
    texts: &[Vec<u32>],
    run: impl Fn(&[u32]) -> Result<T, ModelError> + Sync,
) -> Result<Vec<T>, ModelError> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = vec![];
        loop {
            let n = next.fetch_add(1, Relaxed);
            let Some(text) = texts.get(n) else { return done };
            done.push((n, run(text)));
        }
    };
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(texts.len());
    let mut results = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let join = |worker: ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        workers.into_iter().flat_map(join).collect::<Vec<_>>()
    });
    results.sort_by_key(|(n, _)| *n);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_share_ties() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [2.5, 0.0, 2.5, 1.0]);
        assert_eq!(rank_correlation(&[1.0, 2.0, 9.0], &[10.0, 20.0, 21.0]), 1.0);
        assert_eq!(rank_correlation(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), -1.0);
        // ranks 0 1 2 3 and 0 2 1 3: 1 - 6 * 2 / (4 * 15)
        let correlation = rank_correlation(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]);
        assert!((correlation - 0.8).abs() < 1e-12);
        assert_eq!(rank_correlation(&[1.0, 1.0], &[1.0, 2.0]), 0.0);
    }

    #[test]
    fn cosines_and_perplexity_by_hand() {
        let vectors = [vec![1.0, 0.0], vec![0.0, 2.0], vec![3.0, 3.0]];
        let [a, b, c] = similarities(&vectors)[..] else { panic!("three pairs") };
        assert_eq!(a, 0.0);
        assert!((b - 0.5f64.sqrt()).abs() < 1e-12 && (c - b).abs() < 1e-12);
        assert!((perplexity(&[2.0f64.ln(), 8.0f64.ln()]) - 4.0).abs() < 1e-12);
        assert_eq!((cosine(&[0.0], &[1.0]), perplexity(&[])), (0.0, 1.0));
    }

    #[test]
    fn results_keep_the_order_of_texts() {
        let texts: Vec<Vec<u32>> = (0..9).map(|n| vec![n]).collect();
        let firsts = each_text(&texts, |text| Ok(text[0]));
        assert_eq!(firsts.unwrap(), (0..9).collect::<Vec<_>>());
        let fail = |text: &[u32]| match text[0] {
            4 => Err(ModelError::Length { tokens: 0, most: 1 }),
            n => Ok(n),
        };
        assert_eq!(
            each_text(&texts, fail).unwrap_err().to_string(),
            "a text of 0 tokens: must be 1..=1"
        );
    }
}
