//! The accelerators there are, and the settings each is tried at.

use super::accelerator::{Accelerator, HeadRun, Model, ModelHead, Predicted, head_run};
use super::point::Chain;
use crate::attention::output::Integers;
use crate::golden::lapa::{Predictor, QueryRow};
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
        let spec = self.spec(size).predictor();
        let run = |head: &ModelHead| head_run(head, self.predict(&spec, &head.integers)?, size);
        model.heads.iter().map(run).collect()
    }
}

fn lapa_chains(name: &'static str, key_slices: &[u32], filters: Vec<Vec<Filter>>) -> Vec<Chain> {
    let setting = |filter| -> Box<dyn Accelerator> {
        Box::new(Lapa { name, key_slices: key_slices.to_vec(), filter })
    };
    filters.into_iter().map(|chain| chain.into_iter().map(setting).collect()).collect()
}

/// LAPA: for each setting of the first round, the last round's from few keys to many.
pub fn lapa() -> Vec<Chain> {
    let chain = |first: i32| {
        (first..=12).rev().map(|last| Filter::Sigma { c16: vec![first, last] }).collect()
    };
    lapa_chains("LAPA", &[4, 4], (-40..=0).step_by(8).map(chain).collect())
}

/// What LAPA's ideas bring, one after the other: leading ones alone, then keys in slices with a
/// fixed part kept after each. [`lapa`] adds the filter that looks at the data.
pub fn lapa_parts() -> Vec<(&'static str, Vec<Chain>)> {
    let one = (32..=256).step_by(8).map(|keep| Filter::TopK { keep256: vec![keep] }).collect();
    let two = |first: u32| {
        let last = (32..=first).step_by(8);
        last.map(|last| Filter::TopK { keep256: vec![first, last] }).collect()
    };
    vec![
        ("ALOC", lapa_chains("ALOC", &[8], vec![one])),
        ("ALOC+MRSA", lapa_chains("ALOC+MRSA", &[4, 4], (64..=256).step_by(32).map(two).collect())),
    ]
}
