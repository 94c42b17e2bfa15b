//! The accelerators there are, and the settings each is tried at.

use super::accelerator::{Accelerator, HeadRun, Model, ModelHead, Predicted, head_run};
use super::point::Chain;
use super::spatten;
use bitvec::vec::BitVec;
use hwgen_designs::attention::attend::AttendSpec;
use hwgen_designs::attention::engine::compose::Buffers;
use hwgen_designs::attention::engine::{
    Engine, FactAttentionSpec, LapaAttentionSpec, SangerAttentionSpec, build,
};
use hwgen_designs::attention::fact_predictor::FactPredictorSpec;
use hwgen_designs::attention::lapa_predictor::golden::{Predictor, QueryRow};
use hwgen_designs::attention::lapa_predictor::{Filter, LapaPredictorSpec};
use hwgen_designs::attention::predictor::drive::Predict;
use hwgen_designs::attention::sanger_predictor::SangerPredictorSpec;
use hwgen_hdl::Module;
use std::error::Error;
use std::sync::Arc;

/// Who takes part in a study.
pub struct Contender {
    /// Its name in the tables.
    pub name: &'static str,
    /// The settings it is tried at.
    pub chains: fn(&'static str) -> Vec<Chain>,
}

/// The accelerators.
pub fn all() -> Vec<Contender> {
    vec![
        Contender { name: "LAPA", chains: lapa },
        Contender { name: "FACT", chains: fact },
        Contender { name: "Sanger", chains: sanger },
        Contender { name: "SpAtten", chains: spatten::chains },
    ]
}

/// What LAPA's ideas bring, one after the other: leading ones alone; keys in slices, with a fixed
/// part kept after each; the filter that looks at the data; the second slice left unread where one is
/// enough. LAPA itself reads wide keys once for several queries.
pub fn parts() -> Vec<Contender> {
    vec![
        Contender { name: "ALOC", chains: aloc },
        Contender { name: "ALOC+MRSA", chains: aloc_mrsa },
        Contender { name: "ALOC+MRSA+DDF", chains: two_rounds },
        Contender { name: "LAPA, no tiles", chains: |name| one_or_two_rounds(name, |_, _| 1) },
    ]
}

fn lapa(name: &'static str) -> Vec<Chain> {
    one_or_two_rounds(name, tile)
}

/// How many queries share the reading of a key, in an engine of that size and slices.
type Tile = fn(&AttendSpec, &[u32]) -> u32;

fn one_or_two_rounds(name: &'static str, tile: Tile) -> Vec<Chain> {
    let mut chains = two_rounds(name);
    // one round may do: its filter is the last, and most of a key is never read
    for bits in [4, 3, 2] {
        for query in [Query::Cut, Query::Rounded] {
            let only = (96..=256).step_by(4).map(|only| Filter::Mass { mass256: vec![only] });
            chains.push(lapa_chain(name, &[bits], query, tile, only));
        }
    }
    chains
}

/// How a query's elements become powers of two.
#[derive(Clone, Copy, PartialEq)]
enum Query {
    /// By the leading one.
    Cut,
    /// By the nearest.
    Rounded,
}

/// For each setting of the first round, the last round's from few keys to many.
fn two_rounds(name: &'static str) -> Vec<Chain> {
    let chain = |first: u32| {
        let last = (96..=first).step_by(4);
        lapa_chain(
            name,
            &[4, 4],
            Query::Cut,
            tile,
            last.map(|last| Filter::Mass { mass256: vec![first, last] }),
        )
    };
    (192..=256).step_by(16).map(chain).collect()
}

fn aloc(name: &'static str) -> Vec<Chain> {
    let keep = (32..=256).step_by(8);
    vec![lapa_chain(
        name,
        &[8],
        Query::Cut,
        |_, _| 1,
        keep.map(|keep| Filter::TopK { keep256: vec![keep] }),
    )]
}

fn aloc_mrsa(name: &'static str) -> Vec<Chain> {
    let chain = |first: u32| {
        let last = (32..=first).step_by(8);
        lapa_chain(
            name,
            &[4, 4],
            Query::Cut,
            tile,
            last.map(|last| Filter::TopK { keep256: vec![first, last] }),
        )
    };
    (64..=256).step_by(32).map(chain).collect()
}

fn lapa_chain(
    name: &'static str,
    key_slices: &[u32],
    query: Query,
    tile: Tile,
    filters: impl Iterator<Item = Filter>,
) -> Chain {
    let setting = |filter: Filter| -> Box<dyn Accelerator> {
        let round_leading_one = query == Query::Rounded;
        let rounded = if round_leading_one { "rounded " } else { "" };
        let text = format!("{key_slices:?} {rounded}{filter}");
        let key_slices = key_slices.to_vec();
        let spec = move |size: &AttendSpec| LapaAttentionSpec {
            lapa: LapaPredictorSpec {
                head_dim: size.head_dim,
                max_keys: size.max_keys,
                rows: size.rows,
                tile: tile(size, &key_slices),
                key_slices: key_slices.clone(),
                round_leading_one,
                filter: filter.clone(),
                ..LapaPredictorSpec::default()
            },
            exact: size.clone(),
            buffers: uncounted(),
        };
        Box::new(Setting { name, text, spec })
    };
    filters.map(setting).collect()
}

/// Queries for which LAPA reads a key once: as many as it has keys at a time, where a key's slice is so
/// wide that a lane a query costs less than to read it for each (measured: `docs/study.md`).
fn tile(size: &AttendSpec, key_slices: &[u32]) -> u32 {
    match *key_slices {
        [bits] if size.head_dim * bits > NARROW_BITS => size.rows,
        _ => 1,
    }
}

/// Bits of a key's slice that are cheap to read.
const NARROW_BITS: u32 = 128;

/// Without counters: they would burn what they count.
fn uncounted() -> Buffers {
    Buffers { counters: false, ..Buffers::default() }
}

fn fact(name: &'static str) -> Vec<Chain> {
    let setting = |keep256: u32| -> Box<dyn Accelerator> {
        let spec = move |size: &AttendSpec| {
            let AttendSpec { head_dim, max_keys, rows, .. } = *size;
            let fact = FactPredictorSpec { head_dim, max_keys, rows, keep256 };
            FactAttentionSpec { fact, exact: size.clone(), buffers: uncounted() }
        };
        Box::new(Setting { name, text: format!("keep256 {keep256}"), spec })
    };
    vec![(32..=256).step_by(4).map(setting).collect()]
}

fn sanger(name: &'static str) -> Vec<Chain> {
    let setting = |threshold65536: u32| -> Box<dyn Accelerator> {
        let spec = move |size: &AttendSpec| {
            let AttendSpec { head_dim, max_keys, rows, .. } = *size;
            let sanger = SangerPredictorSpec {
                head_dim,
                max_keys,
                rows,
                threshold65536,
                ..SangerPredictorSpec::default()
            };
            let estimate_bits = sanger.probability_bits;
            SangerAttentionSpec { sanger, estimate_bits, exact: size.clone(), buffers: uncounted() }
        };
        Box::new(Setting { name, text: format!("threshold65536 {threshold65536}"), spec })
    };
    // from 2 % down, a sixth less each time
    let thresholds = std::iter::successors(Some(1311u32), |t| (*t > 1).then_some(t * 5 / 6));
    vec![thresholds.map(setting).collect()]
}

/// An engine of predictor and exact stage at one setting; `spec` makes it of a size.
struct Setting<S> {
    name: &'static str,
    text: String,
    spec: S,
}

impl<E: Engine + Reads + Clone, S: Fn(&AttendSpec) -> E> Accelerator for Setting<S>
where
    S: Fn(&AttendSpec) -> E,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn setting(&self) -> String {
        self.text.clone()
    }

    fn module(&self, size: &AttendSpec) -> Arc<Module> {
        build(&(self.spec)(size))
    }

    fn heads(&self, model: &Model, size: &AttendSpec) -> Result<Vec<HeadRun>, Box<dyn Error>> {
        let spec = (self.spec)(size);
        let run = |head: &ModelHead| head_run(&spec, head, spec.predict(head)?, size);
        model.heads.iter().map(run).collect()
    }
}

/// An engine whose predictor's reads are counted.
trait Reads: Predict {
    /// What it keeps, and the bits of a key's element that it reads to know.
    fn predict(&self, head: &ModelHead) -> Result<Predicted, Box<dyn Error>>;
}

impl Reads for LapaAttentionSpec {
    fn predict(&self, head: &ModelHead) -> Result<Predicted, Box<dyn Error>> {
        let spec = self.predictor();
        let predictor = Predictor::new(&spec, &head.integers.keys.rows)?;
        let mut predicted = Predicted { survivors: vec![], bits_read: 0 };
        for (row, &visible) in head.integers.visible.iter().enumerate() {
            let query = head.integers.query(row);
            let (elements, scale, shift) = (query.elements, query.scale, query.shift);
            let query = QueryRow { elements, visible, scale, shift, ..QueryRow::default() };
            let prediction = predictor.predict(&query)?;
            let mut live = visible;
            for (slice, round) in spec.key_slices.iter().zip(&prediction.rounds) {
                predicted.bits_read += u64::from(*slice) * live as u64;
                live = round.survivors.count_ones();
            }
            predicted.survivors.push(prediction.survivors().clone());
        }
        Ok(predicted)
    }
}

/// FACT's codes have five bits.
impl Reads for FactAttentionSpec {
    fn predict(&self, head: &ModelHead) -> Result<Predicted, Box<dyn Error>> {
        every_key(self, head, 5)
    }
}

/// Sanger's keys have four bits.
impl Reads for SangerAttentionSpec {
    fn predict(&self, head: &ModelHead) -> Result<Predicted, Box<dyn Error>> {
        every_key(self, head, 4)
    }
}

fn every_key(
    engine: &impl Predict,
    head: &ModelHead,
    bits: u64,
) -> Result<Predicted, Box<dyn Error>> {
    let rows = head.integers.driven().rows;
    let survivors: Vec<BitVec> = engine.survivors(&head.integers.keys.rows, &rows)?;
    let seen: u64 = head.integers.visible.iter().map(|&visible| visible as u64).sum();
    Ok(Predicted { survivors, bits_read: bits * seen })
}
