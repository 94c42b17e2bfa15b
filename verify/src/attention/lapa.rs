//! Attention from tokens: layers in floating point, the integers a host makes of them, and how close
//! [`golden::layer`](hwgen_designs::attention::lapa::golden) comes.

use super::output::{HeadOutput, attention, cosine, scale};
use super::quality::{MIN_VISIBLE, mass};
use super::synthetic::normal;
use super::{Head, Matrix, Quantized, quantize};
use hwgen_designs::attention::lapa::LapaSpec;
use hwgen_designs::attention::lapa::golden::{Job, KeyHead, LayerError, QueryHead};
use hwgen_designs::linear::golden::{exact, log};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A head's weights: an output a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Of queries.
    pub query: Matrix,
    /// Of keys.
    pub key: Matrix,
    /// Of values.
    pub value: Matrix,
}

/// A layer's attention.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// A token a row.
    pub tokens: Matrix,
    /// Its heads, each with keys of its own.
    pub heads: Vec<Weights>,
    /// Whether a token sees only those up to itself.
    pub causal: bool,
}

/// A layer made from a seed: tokens in clusters, and heads that mostly look for their like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Synthetic {
    /// Tokens.
    pub tokens: usize,
    /// Elements of a token.
    pub inputs: usize,
    /// Elements of a query, key or value.
    pub head_dim: usize,
    /// Heads.
    pub heads: usize,
    /// Clusters of tokens.
    pub clusters: usize,
    /// Whether a token sees only those up to itself.
    pub causal: bool,
    /// Standard deviation of logits between unlike tokens.
    pub gain: f32,
}

impl Synthetic {
    /// The layer of that seed.
    pub fn layer(&self, seed: u64) -> Layer {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut normals = |count: usize| (0..count).map(|_| normal(rng)).collect::<Vec<f32>>();
        let centers = normals(self.clusters * self.inputs);
        let noise = normals(self.tokens * self.inputs);
        let root = (self.inputs as f32).sqrt().recip();
        let mut heads = vec![];
        for _ in 0..self.heads {
            let [key, value, other] = [0; 3].map(|_| normals(self.head_dim * self.inputs));
            let scaled = |values: Vec<f32>| {
                Matrix::new(self.inputs, values.into_iter().map(|w| w * root).collect())
            };
            // a key's length is about the root of twice the head's elements: logits about 2 gain
            let query = key.iter().zip(other).map(|(k, o)| self.gain * (k + 0.3 * o)).collect();
            heads.push(Weights { query: scaled(query), key: scaled(key), value: scaled(value) });
        }
        let cluster: Vec<usize> =
            (0..self.tokens).map(|_| rng.random_range(0..self.clusters)).collect();
        let tokens = cluster.iter().zip(noise.chunks(self.inputs)).flat_map(|(cluster, noise)| {
            let center = &centers[cluster * self.inputs..];
            center.iter().zip(noise).map(|(center, noise)| center + noise).collect::<Vec<_>>()
        });
        let tokens = Matrix::new(self.inputs, tokens.collect());
        Layer { tokens, heads, causal: self.causal }
    }
}

impl Layer {
    /// A head's queries, keys and values.
    pub fn head(&self, head: usize) -> Head {
        let weights = &self.heads[head];
        let product = |weights: &Matrix| -> Matrix {
            let dot = |token: &[f32], row: &[f32]| token.iter().zip(row).map(|(x, w)| x * w).sum();
            let row =
                |token: &[f32]| weights.iter().map(|row| dot(token, row)).collect::<Vec<f32>>();
            Matrix::new(weights.rows(), self.tokens.iter().flat_map(row).collect())
        };
        let keys = product(&weights.key);
        Head {
            name: format!("head {head}"),
            scale: (keys.cols() as f32).sqrt().recip(),
            queries: product(&weights.query),
            values: product(&weights.value),
            keys,
            causal: self.causal,
        }
    }

    /// The job that a host makes of the layer: everything in eight bits, each matrix with a step of
    /// its own, results scaled so that the largest fills its bits.
    pub fn job(&self) -> Job {
        let tokens = quantize(&self.tokens, 8);
        let heads = self.heads.iter().enumerate().map(|(i, weights)| {
            let head = self.head(i);
            let [query, key, value] =
                [&weights.query, &weights.key, &weights.value].map(|w| quantize(w, 8));
            let [queries, keys, values] =
                [&head.queries, &head.keys, &head.values].map(|made| quantize(made, 8).step);
            let mut codes = log::Load::encode(&key.rows, 0);
            let sums = tokens.rows.iter().flat_map(|token| codes.sums(token));
            codes.shift = log::shift_for(sums.map(i64::abs).max().unwrap_or_default());
            let (mut key_value, value) = (load(&tokens, &key, keys), load(&tokens, &value, values));
            key_value.weights.extend(value.weights);
            key_value.scales.extend(value.scales);
            let (scale, shift) = scale(head.scale * queries * keys);
            let query = QueryHead { load: load(&tokens, &query, queries), scale, shift, radius: 0 };
            KeyHead { codes, key_value, queries: vec![query] }
        });
        let heads = heads.collect();
        Job { tokens: tokens.rows, heads, feed: None }
    }
}

/// The load that makes results in units of `step`.
fn load(tokens: &Quantized, weights: &Quantized, step: f32) -> exact::Load {
    let factor = f64::from(tokens.step) * f64::from(weights.step) / f64::from(step);
    let shift = (f64::from(u16::MAX) / factor).log2().floor().clamp(0.0, 63.0);
    let multiplier = (factor * shift.exp2()).round().min(f64::from(u16::MAX)) as u16;
    let scale = exact::Scale { bias: 0, multiplier, shift: shift as u32 };
    let scales = vec![scale; weights.rows.len()];
    exact::Load { weights: weights.rows.clone(), scales, table: None }
}

/// What becomes of a layer's heads, and which part of the columns was made.
///
/// # Errors
/// Sizes that do not fit the specification.
pub fn measure(layer: &Layer, spec: &LapaSpec) -> Result<Vec<(HeadOutput, f64)>, LayerError> {
    let result = layer.job().results(spec)?;
    let heads = result.heads.iter().enumerate().map(|(i, result)| {
        let head = layer.head(i);
        let mut total = HeadOutput { rows: 0, kept: 0.0, mass: 0.0, cosine: 0.0, sink: false };
        for (row, (survivors, out)) in result.survivors.iter().zip(&result.rows).enumerate() {
            if head.visible(row) < MIN_VISIBLE {
                continue;
            }
            let (weights, exact) = attention(&head, row);
            total.rows += 1;
            total.kept += survivors.count_ones() as f64 / survivors.len() as f64;
            total.mass += mass(&weights, survivors);
            total.cosine += cosine(&exact, out);
        }
        let rows = total.rows.max(1) as f64;
        let mean = HeadOutput {
            kept: total.kept / rows,
            mass: total.mass / rows,
            cosine: total.cosine / rows,
            ..total
        };
        let made = result.made.iter().filter(|made| **made).count();
        (mean, made as f64 / result.made.len() as f64)
    });
    Ok(heads.collect())
}
