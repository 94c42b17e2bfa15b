//! SpAtten's attention between stream drivers and its golden model.

pub use crate::attention::attend::drive::{Head, Row};

use crate::attention::attend::drive::row_out;
use crate::attention::attend::spec::ELEMENT_BITS;
use crate::attention::spatten::golden::cascade::accumulate;
use crate::attention::spatten::golden::{Keys, Row as GoldenRow, Setting, Spatten, Split};
use crate::attention::spatten::{SpattenAttentionSpec, cost};
use crate::drive::{Stalls, Values, feeds, pack, run_streams};
use crate::golden::compare_lists;
use bitvec::vec::BitVec;
use hwgen_hdl::Int;
use hwgen_hdl::sim::{Bench, Device, SimError};
use rand::Rng;

/// A layer: the tokens that are left, and its heads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// A bit a token; at least one is set.
    pub live: BitVec,
    /// At least one.
    pub heads: Vec<Head>,
}

/// What must come out of a layer, or did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Results {
    /// A row's result, and whether it was its head's last.
    pub rows: Vec<(Vec<i32>, bool)>,
    /// The importance of each head.
    pub heads: Vec<u64>,
    /// The importance of each live token of each layer, and whether it was the layer's last.
    pub tokens: Vec<(u64, bool)>,
}

/// The golden model's setting of that size.
pub fn setting(spec: &SpattenAttentionSpec) -> Setting {
    Setting {
        keep256: spec.keep256,
        tau256: spec.tau256,
        probability_bits: spec.probability_bits,
        split: Split::Floor,
    }
}

impl Layer {
    /// A random layer of up to `most` tokens and `rows` rows a head.
    pub fn random(
        spec: &SpattenAttentionSpec,
        rng: &mut impl Rng,
        most: usize,
        rows: usize,
    ) -> Layer {
        let tokens = rng.random_range(1..=most);
        let share = [0.3, 0.7, 1.0][rng.random_range(0..3)];
        let mut live: BitVec = (0..tokens).map(|_| rng.random_bool(share)).collect();
        live.set(rng.random_range(0..tokens), true);
        let count = live.count_ones();
        let heads = rng.random_range(1..=2);
        let mut head = |_| {
            let (rows, values) = (rng.random_range(1..=rows), Values::any(rng));
            let size = (tokens, rows);
            let mut head = Head::drawn(rng, spec.head_dim, [ELEMENT_BITS; 2], size, values);
            for row in &mut head.rows {
                // from flat softmaxes to such that one key has all
                row.query.shift = rng.random_range(4..32);
                row.visible = [1, count, rng.random_range(1..=count)][rng.random_range(0..3)];
            }
            head
        };
        let heads = (0..heads).map(&mut head).collect();
        Layer { live, heads }
    }

    /// What the golden model makes of each head's rows.
    pub fn golden(&self, spec: &SpattenAttentionSpec) -> Vec<Vec<GoldenRow>> {
        let engine = Spatten::new(setting(spec));
        let live: Vec<usize> = self.live.iter_ones().collect();
        let head = |head: &Head| {
            let keys: Vec<&[i32]> = live.iter().map(|&j| &head.keys[j][..]).collect();
            let values: Vec<&[i32]> = live.iter().map(|&j| &head.values[j][..]).collect();
            let row = |row: &Row| {
                let (keys, values) = (&keys[..row.visible], &values[..row.visible]);
                engine.row(&row.query, Keys { keys, values })
            };
            head.rows.iter().map(row).collect()
        };
        self.heads.iter().map(head).collect()
    }

    /// What must come out.
    pub fn expected(&self, spec: &SpattenAttentionSpec) -> Results {
        let mut results = Results::default();
        let mut scores = vec![0u64; self.live.count_ones()];
        for rows in self.golden(spec) {
            for (i, row) in rows.iter().enumerate() {
                results.rows.push((row.out.clone(), i + 1 == rows.len()));
                for (score, probability) in scores.iter_mut().zip(&row.probabilities) {
                    *score = accumulate(*score, *probability as u64);
                }
            }
            results.heads.push(rows.iter().map(GoldenRow::magnitude).sum());
        }
        let count = scores.len();
        results.tokens = scores.into_iter().enumerate().map(|(j, s)| (s, j + 1 == count)).collect();
        results
    }

    /// The layer's heads as the timing sees them.
    pub fn shapes(&self, spec: &SpattenAttentionSpec) -> Vec<cost::Head> {
        let row = |row: &GoldenRow| {
            let weight = |j: usize| row.weights.get(j).copied().unwrap_or(1);
            let first = row.chosen.first_one();
            let read = |j: usize| row.chosen[j] && (weight(j) > 0 || first == Some(j));
            let keys = row.chosen.len();
            cost::Row {
                keys: keys as u32,
                flat: row.flat,
                values: (0..keys).filter(|&j| read(j)).count() as u32,
                last_value: read(keys - 1),
            }
        };
        let heads = self.golden(spec);
        let count = heads.len();
        (heads.iter().enumerate())
            .map(|(h, rows)| cost::Head {
                keys: self.live.len() as u32,
                live: self.live.count_ones() as u32,
                rows: rows.iter().map(row).collect(),
                layer_last: h + 1 == count,
            })
            .collect()
    }
}

impl Results {
    /// One after the other.
    pub fn concat(all: impl IntoIterator<Item = Results>) -> Results {
        let mut joined = Results::default();
        for results in all {
            joined.rows.extend(results.rows);
            joined.heads.extend(results.heads);
            joined.tokens.extend(results.tokens);
        }
        joined
    }

    /// Values there are.
    pub fn count(&self) -> u64 {
        let elements: usize = self.rows.iter().map(|(row, _)| row.len() + 1).sum();
        (elements + self.heads.len() + 2 * self.tokens.len()) as u64
    }
}

/// What came out, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What came out.
    pub results: Results,
    /// The cycle at whose end each row passed, counted from 0.
    pub cycles: Vec<u64>,
    /// Cycles until all had come.
    pub end: u64,
    /// Fields with unknown bits, on an engine that knows such; they read as 0.
    pub unknown: u64,
}

/// Resets the device, sends it all layers, one after the other, and takes as many results as are
/// `expected`, or gives up.
///
/// # Errors
/// [`SimError::TimedOut`] if there is no result for long.
pub fn run(
    device: &mut dyn Device,
    spec: &SpattenAttentionSpec,
    layers: &[Layer],
    stalls: Stalls,
    [rows, heads, tokens]: [usize; 3],
) -> Result<Run, SimError> {
    let (mut keys, mut queries) = (vec![], vec![]);
    for layer in layers {
        for (h, head) in layer.heads.iter().enumerate() {
            let layer_last = h + 1 == layer.heads.len();
            keys.extend(key_beats(layer, head));
            for (i, row) in head.rows.iter().enumerate() {
                let last = i + 1 == head.rows.len();
                let query = &row.query;
                let flags = [last, last && layer_last].map(|flag| Int::from(u8::from(flag)));
                let data = pack(query.elements.iter().copied(), ELEMENT_BITS);
                let rest = [query.scale.into(), query.shift.into(), row.visible.into()];
                queries.push([&[data][..], &rest, &flags].concat());
            }
        }
    }
    let mut feeds = feeds([("keys", keys), ("queries", queries)]);
    feeds.iter_mut().for_each(|feed| feed.stall = stalls.ins);
    let outs = [("out", rows), ("heads", heads), ("importance", tokens)];
    let mut bench = Bench::new(device);
    let runs = run_streams(&mut bench, &feeds, (stalls.out, stalls.seed), &outs, 1_000_000)?;
    let number = |x: &Int| u64::try_from(x).unwrap_or_default();
    let flag = |x: &Int| *x == Int::from(1);
    let beats = |out: usize| runs[out].beats.iter();
    let results = Results {
        rows: beats(0).map(|beat| row_out(beat, spec.head_dim)).collect(),
        heads: beats(1).map(|beat| number(&beat[0])).collect(),
        tokens: beats(2).map(|beat| (number(&beat[0]), flag(&beat[1]))).collect(),
    };
    let unknown = runs.iter().map(|run| run.unknown).sum();
    Ok(Run { results, cycles: runs[0].cycles.clone(), end: bench.cycle, unknown })
}

/// Runs the layers, without a reset between them, and compares all that comes out.
///
/// # Errors
/// Silence, or the first that differs, in words.
pub fn check(
    device: &mut dyn Device,
    spec: &SpattenAttentionSpec,
    layers: &[Layer],
    stalls: Stalls,
) -> Result<Run, String> {
    let must = Results::concat(layers.iter().map(|layer| layer.expected(spec)));
    let counts = [must.rows.len(), must.heads.len(), must.tokens.len()];
    let run = run(device, spec, layers, stalls, counts).map_err(|error| error.to_string())?;
    compare_lists("row", &run.results.rows, &must.rows)?;
    compare_lists("head", &run.results.heads, &must.heads)?;
    compare_lists("token", &run.results.tokens, &must.tokens)?;
    Ok(run)
}

/// The beats of a head's keys; those of pruned tokens are noise.
fn key_beats<'l>(layer: &'l Layer, head: &'l Head) -> impl Iterator<Item = Vec<Int>> + 'l {
    let vector = |elements: &[i32]| pack(elements.iter().copied(), ELEMENT_BITS);
    let count = head.keys.len();
    head.keys.iter().zip(&head.values).enumerate().map(move |(j, (key, value))| {
        let flags = [layer.live[j], j + 1 == count].map(|flag| Int::from(u8::from(flag)));
        [&[vector(key), vector(value)][..], &flags].concat()
    })
}
