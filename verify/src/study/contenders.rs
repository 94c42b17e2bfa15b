//! The accelerators there are, and the settings each is tried at.

use super::accelerator::{Accelerator, HeadRun, Model, ModelHead, Predicted, head_run};
use super::point::Chain;
use crate::attention::output::Integers;
use crate::golden::lapa::{Predictor, QueryRow};
use hwgen_designs::accelerator::cost::HeadShape;
use hwgen_designs::accelerator::{self, AcceleratorSpec};
use hwgen_designs::attend::AttendSpec;
use hwgen_designs::lapa::{Filter, LapaSpec};
use hwgen_hdl::Module;
use std::error::Error;
use std::sync::Arc;

/// LAPA at one setting.
#[derive(Debug, Clone)]
pub struct Lapa {
    /// Its name in the tables: parts of LAPA have names of their own.
    pub name: &'static str,
    /// Bits of each key slice: a round a slice.
    pub key_slices: Vec<u32>,
    /// What drops keys.
    pub filter: Filter,
}

impl Lapa {
    fn spec(&self, size: &AttendSpec) -> AcceleratorSpec {
        AcceleratorSpec {
            head_dim: size.head_dim,
            max_keys: size.max_keys,
            rows: size.rows,
            lanes: size.lanes,
            probability_bits: size.probability_bits,
            window: size.window,
            key_slices: self.key_slices.clone(),
            filter: self.filter.clone(),
            // they would burn what they count
            counters: false,
            ..AcceleratorSpec::default()
        }
    }

    fn predict(&self, spec: &LapaSpec, head: &Integers) -> Result<Predicted, Box<dyn Error>> {
        let predictor = Predictor::new(spec, &head.keys.rows)?;
        let mut predicted = Predicted { survivors: vec![], bits_read: 0 };
        for (elements, &visible) in head.queries.rows.iter().zip(&head.visible) {
            let row = QueryRow { elements: elements.clone(), visible, radius: 0 };
            let row = predictor.predict(&row)?;
            let mut live = visible;
            for (slice, round) in spec.key_slices.iter().zip(&row.rounds) {
                predicted.bits_read += u64::from(*slice) * live as u64;
                live = round.survivors.count_ones();
            }
            predicted.survivors.push(row.survivors().clone());
        }
        Ok(predicted)
    }
}

impl Accelerator for Lapa {
    fn name(&self) -> &'static str {
        self.name
    }

    fn setting(&self) -> String {
        match &self.filter {
            Filter::MeanMax { alpha16 } => format!("mean_max {alpha16:?}"),
            Filter::Sigma { c16 } => format!("sigma {c16:?}"),
            Filter::Radius { alpha16 } => format!("radius {alpha16:?}"),
            Filter::TopK { keep256 } => format!("top_k {keep256:?}"),
        }
    }

    fn module(&self, size: &AttendSpec) -> Arc<Module> {
        accelerator::build(&self.spec(size))
    }

    fn heads(&self, model: &Model, size: &AttendSpec) -> Result<Vec<HeadRun>, Box<dyn Error>> {
        let engine = self.spec(size);
        let spec = engine.predictor();
        let cycles = |shape: &HeadShape| accelerator::cost::head_cycles(&engine, shape);
        let run =
            |head: &ModelHead| head_run(head, self.predict(&spec, &head.integers)?, size, cycles);
        model.heads.iter().map(run).collect()
    }
}

/// Who takes part in a study.
pub struct Contender {
    /// Its name in the tables.
    pub name: &'static str,
    /// The settings it is tried at.
    pub chains: Box<dyn Fn() -> Vec<Chain>>,
}

/// The accelerators.
pub fn all() -> Vec<Contender> {
    vec![contender("LAPA", lapa)]
}

/// What LAPA's ideas bring, one after the other: leading ones alone, then keys in slices with a
/// fixed part kept after each; LAPA itself adds the filter that looks at the data.
pub fn parts() -> Vec<Contender> {
    vec![contender("ALOC", aloc), contender("ALOC+MRSA", aloc_mrsa)]
}

fn contender(name: &'static str, chains: fn(&'static str) -> Vec<Chain>) -> Contender {
    Contender { name, chains: Box::new(move || chains(name)) }
}

/// A chain of filters a row.
fn chains(name: &'static str, key_slices: &[u32], filters: Vec<Vec<Filter>>) -> Vec<Chain> {
    let setting = |filter| -> Box<dyn Accelerator> {
        Box::new(Lapa { name, key_slices: key_slices.to_vec(), filter })
    };
    filters.into_iter().map(|chain| chain.into_iter().map(setting).collect()).collect()
}

/// For each setting of the first round, the last round's from few keys to many.
fn lapa(name: &'static str) -> Vec<Chain> {
    let chain = |first: i32| {
        let last = (first..=12).rev();
        last.map(|last| Filter::Sigma { c16: vec![first, last] }).collect()
    };
    chains(name, &[4, 4], (-40..=0).step_by(8).map(chain).collect())
}

fn aloc(name: &'static str) -> Vec<Chain> {
    let keep = (32..=256).step_by(8);
    chains(name, &[8], vec![keep.map(|keep| Filter::TopK { keep256: vec![keep] }).collect()])
}

fn aloc_mrsa(name: &'static str) -> Vec<Chain> {
    let chain = |first: u32| {
        let last = (32..=first).step_by(8);
        last.map(|last| Filter::TopK { keep256: vec![first, last] }).collect()
    };
    chains(name, &[4, 4], (64..=256).step_by(32).map(chain).collect())
}
