//! Clustered queries, keys and values made from a seed, for when there is no recording.
//!
//! Each token belongs to a cluster; its query and key are the cluster's center plus noise, and
//! channels differ in scale log-normally, as they do in trained models.

use super::{Head, Matrix, Workload};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A synthetic workload: its shape and how its tokens scatter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clustered {
    /// Queries and keys of a head.
    pub tokens: usize,
    /// Elements of a query or key.
    pub head_dim: usize,
    /// Query `i` sees keys `0..=i` only.
    pub causal: bool,
    /// Clusters the tokens fall into.
    pub clusters: usize,
    /// Noise about the center, whose own elements have deviation 1.
    pub noise: f32,
    /// Deviation of the logarithm of a channel's scale.
    pub channel_spread: f32,
    /// Factor on the queries: how sharp the softmax is. Recall does not depend on it.
    pub gain: f32,
    /// Heads, one per seed.
    pub seeds: u64,
}

impl Default for Clustered {
    /// 512 tokens of 64 elements in 16 clusters, 6 seeds: the shape of our notes' check. Noise
    /// and spread were chosen so that the exact top quarter and tenth hold about the softmax
    /// mass that the notes give (0.975 and 0.932), as the notes do not state them.
    fn default() -> Self {
        Clustered {
            tokens: 512,
            head_dim: 64,
            causal: false,
            clusters: 16,
            noise: 1.0,
            channel_spread: 0.5,
            gain: 0.45,
            seeds: 6,
        }
    }
}

impl Clustered {
    /// Makes the heads. The same shape gives the same heads.
    pub fn workload(&self) -> Workload {
        let mask = if self.causal { ", causal" } else { "" };
        Workload {
            name: format!("clustered {}x{}{mask}", self.tokens, self.head_dim),
            heads: (0..self.seeds).map(|seed| self.head(seed)).collect(),
        }
    }

    /// The heads with every key seen, and with those before a query.
    pub fn both_masks(self) -> Vec<Workload> {
        [false, true].map(|causal| Clustered { causal, ..self }.workload()).into()
    }

    fn head(&self, seed: u64) -> Head {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let dim = self.head_dim;
        let spread: Vec<f32> =
            (0..dim).map(|_| (self.channel_spread * normal(&mut rng)).exp()).collect();
        let centers: Vec<f32> = (0..self.clusters * dim).map(|_| normal(&mut rng)).collect();
        let cluster: Vec<usize> =
            (0..self.tokens).map(|_| rng.random_range(0..self.clusters)).collect();
        let mut scatter = |gain: f32| {
            let mut values = Vec::with_capacity(self.tokens * dim);
            for &cluster in &cluster {
                for (center, spread) in centers[cluster * dim..].iter().zip(&spread) {
                    values.push(gain * spread * (center + self.noise * normal(&mut rng)));
                }
            }
            Matrix::new(dim, values)
        };
        Head {
            name: format!("seed {seed}"),
            queries: scatter(self.gain),
            keys: scatter(1.0),
            values: scatter(1.0),
            causal: self.causal,
            scale: (dim as f32).sqrt().recip(),
        }
    }
}

/// A standard normal number (Box-Muller).
pub(super) fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt();
    radius * (std::f32::consts::TAU * rng.random::<f32>()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_have_their_shape_and_depend_on_the_seed_alone() {
        let shape = Clustered { tokens: 40, head_dim: 8, seeds: 2, ..Clustered::default() };
        let workload = shape.workload();
        assert_eq!(workload, shape.workload());
        assert_eq!(workload.name, "clustered 40x8");
        assert_ne!(workload.heads[0].keys, workload.heads[1].keys);
        let head = &workload.heads[0];
        assert_eq!((head.queries.rows(), head.keys.rows(), head.keys.cols()), (40, 40, 8));
    }
}
