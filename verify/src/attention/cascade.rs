//! SpAtten on a workload: how close it comes, and what it saves.
//!
//! The heads of a workload are named by their layers; the cascade goes through these in order. Every
//! layer's queries, keys and values are those of the model that prunes nothing: an error does not
//! go on to the next layer, what is pruned does.

use super::output::{Integers, attention, cosine};
use super::quality::MIN_VISIBLE;
use super::{Head, Workload};
use hwgen_designs::attention::attend::golden::{Memory, Query};
use hwgen_designs::attention::spatten::golden::cascade::{self, Cascade, Keep};
use hwgen_designs::attention::spatten::golden::{Setting, Spatten};

/// What SpAtten does to a workload. Fractions are of all rows (or of all pairs of a row and a key it sees)
/// of all heads, pruned or not.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cascaded {
    /// Mean over heads of the mean over rows of the cosine with floating-point attention to all
    /// visible keys; rows and heads that are pruned, and rows that see few keys, are left out.
    pub cosine: f64,
    /// The same with 0 for each row that is pruned.
    pub cosine_of_all: f64,
    /// Rows that are computed.
    pub rows: f64,
    /// Computed rows whose low nibbles are fetched, of the computed ones.
    pub flat: f64,
    /// Pairs whose high nibbles are multiplied.
    pub keys: f64,
    /// Pairs whose low nibbles are.
    pub low_keys: f64,
    /// Pairs whose values are.
    pub values: f64,
}

impl Cascaded {
    /// Multiplications of keys and values over those of attention to everything; a nibble is half.
    pub fn work(&self) -> f64 {
        (self.keys + self.low_keys) / 4.0 + self.values / 2.0
    }
}

/// A workload, quantized, with its exact outputs.
#[derive(Debug, Clone)]
pub struct Layers {
    /// Heads of each layer.
    layers: Vec<Vec<Prepared>>,
}

#[derive(Debug, Clone)]
struct Prepared {
    integers: Integers,
    queries: Vec<Query>,
    exact: Vec<Vec<f64>>,
}

impl Prepared {
    fn new(head: &Head) -> Prepared {
        let integers = Integers::of(head);
        let rows = 0..head.queries.rows();
        let queries = rows.clone().map(|row| integers.query(row)).collect();
        Prepared { integers, queries, exact: rows.map(|row| attention(head, row).1).collect() }
    }

    fn golden(&self) -> cascade::Head<'_> {
        let (keys, values) = (&self.integers.keys.rows, &self.integers.values.rows);
        let memory = Memory { keys, values };
        cascade::Head { memory, queries: &self.queries, visible: &self.integers.visible }
    }
}

impl Layers {
    /// Heads of equal first two words of their names are a layer.
    pub fn of(workload: &Workload) -> Layers {
        let layer = |head: &Head| head.name.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let layers = workload.heads.chunk_by(|a, b| layer(a) == layer(b));
        Layers { layers: layers.map(|heads| heads.iter().map(Prepared::new).collect()).collect() }
    }

    /// Runs the cascade with the fractions of [`Keep::schedule`].
    pub fn run(&self, setting: Setting, last: Keep) -> Cascaded {
        let engine = Spatten::new(setting);
        let first = self.layers.first().map_or(&[][..], |heads| heads);
        let tokens = first.first().map_or(0, |head| head.queries.len());
        let mut cascade = Cascade::new(tokens, first.len());
        let mut total = Cascaded::default();
        let (mut heads, mut heads_run, mut rows, mut pairs) = (0, 0, 0, 0);
        let mut counts = cascade::Counts::default();
        for (layer, keep) in self.layers.iter().zip(Keep::schedule(self.layers.len(), last)) {
            let golden: Vec<_> = layer.iter().map(Prepared::golden).collect();
            let done = cascade.layer(&engine, &golden, keep);
            let of_layer = done.counts();
            counts.rows += of_layer.rows;
            counts.flat += of_layer.flat;
            counts.keys += of_layer.keys;
            counts.low_keys += of_layer.low_keys;
            counts.values_skipped += of_layer.values_skipped;
            for (head, computed) in layer.iter().zip(&done.heads) {
                let visible = &head.integers.visible;
                heads += 1;
                rows += visible.len();
                pairs += visible.iter().sum::<usize>();
                let Some(computed) = computed else { continue };
                heads_run += 1;
                let counted = (0..visible.len()).filter(|&row| visible[row] >= MIN_VISIBLE);
                let all = counted.clone().count().max(1);
                let cosines = counted.filter_map(|row| {
                    computed[row].as_ref().map(|ours| cosine(&head.exact[row], &ours.out))
                });
                let cosines: Vec<f64> = cosines.collect();
                let sum: f64 = cosines.iter().sum();
                total.cosine += sum / cosines.len().max(1) as f64;
                total.cosine_of_all += sum / all as f64;
            }
        }
        let of = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        Cascaded {
            cosine: total.cosine / f64::from(heads_run.max(1)),
            cosine_of_all: total.cosine_of_all / f64::from(heads.max(1)),
            rows: of(counts.rows, rows),
            flat: of(counts.flat, counts.rows),
            keys: of(counts.keys, pairs),
            low_keys: of(counts.low_keys, pairs),
            values: of(counts.keys - counts.values_skipped, pairs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attention::synthetic::Clustered;

    #[test]
    fn what_is_pruned_is_counted() {
        let shape = Clustered { tokens: 64, head_dim: 16, seeds: 3, ..Clustered::default() };
        let mut workload = shape.workload();
        for (layer, head) in workload.heads.iter_mut().enumerate() {
            head.name = format!("layer {layer} head 0");
        }
        let layers = Layers::of(&workload);
        assert_eq!(layers.layers.len(), 3);
        let exact = Setting { tau256: 256, ..Setting::default() };
        let all = layers.run(exact, Keep::ALL);
        assert!(all.cosine > 0.999 && all.cosine == all.cosine_of_all, "{all:?}");
        assert_eq!((all.rows, all.keys, all.values), (1.0, 1.0, 1.0));
        assert_eq!((all.flat, all.work()), (1.0, 1.0));

        // one pruning: behind the second layer, to a half
        let half = Keep { tokens256: 128, heads256: 256 };
        let pruned = layers.run(exact, half);
        assert_eq!((pruned.rows, pruned.keys), (2.5 / 3.0, 2.25 / 3.0));
        assert!(pruned.cosine < all.cosine && pruned.cosine_of_all < pruned.cosine);

        let values = layers.run(Setting { keep256: 64, ..exact }, Keep::ALL);
        assert!((values.values, values.keys) == (0.25, 1.0) && values.cosine < all.cosine);
        let high = layers.run(Setting { tau256: 0, ..exact }, Keep::ALL);
        assert!((high.low_keys, high.work()) == (0.0, 0.75) && high.cosine < all.cosine);
    }
}
