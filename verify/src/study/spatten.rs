//! SpAtten in a study.
//!
//! Its tokens are all kept: of settings without training none that prunes tokens is of equal
//! quality once the rows it drops are counted (`docs/baselines.md`). What is left is what it saves
//! within a row: low nibbles of keys, and values.

use super::accelerator::{Accelerator, EXACT, HeadRun, Model, ModelHead, Results};
use super::point::Chain;
use crate::attention::output::closeness;
use bitvec::vec::BitVec;
use hwgen_designs::attention::attend::AttendSpec;
use hwgen_designs::attention::spatten::drive::{Layer, run};
use hwgen_designs::attention::spatten::{SpattenAttentionSpec, build};
use hwgen_designs::cost::Cost;
use hwgen_designs::drive::Stalls;
use hwgen_hdl::Module;
use std::error::Error;
use std::sync::Arc;

/// For each tau, the fewest values first.
pub(super) fn chains(name: &'static str) -> Vec<Chain> {
    let chain = |tau256: u32| {
        let setting =
            |keep256| -> Box<dyn Accelerator> { Box::new(Setting { name, tau256, keep256 }) };
        (24..=256).step_by(8).map(setting).collect()
    };
    [0, 13, 26, 51, 77, 102, 128, 192, 256].map(chain).into()
}

struct Setting {
    name: &'static str,
    tau256: u32,
    keep256: u32,
}

impl Setting {
    fn spec(&self, size: &AttendSpec) -> SpattenAttentionSpec {
        SpattenAttentionSpec {
            head_dim: size.head_dim,
            max_keys: size.max_keys,
            lanes: size.lanes,
            probability_bits: size.probability_bits,
            window: size.window,
            keep256: self.keep256,
            tau256: self.tau256,
            ..SpattenAttentionSpec::default()
        }
    }

    fn head(&self, head: &ModelHead, size: &AttendSpec) -> Result<HeadRun, Box<dyn Error>> {
        let spec = self.spec(size);
        let keys = head.integers.keys.rows.len();
        let layer = Layer { live: BitVec::repeat(true, keys), heads: vec![head.integers.driven()] };

        let golden = layer.golden(&spec).pop().unwrap_or_default();
        let chosen: Vec<BitVec> = golden.iter().map(|row| row.chosen.clone()).collect();
        let seen: u64 = chosen.iter().map(|row| row.len() as u64).sum();
        let kept: u64 = chosen.iter().map(|row| row.count_ones() as u64).sum();
        let flat = golden.iter().filter(|row| row.flat);
        let low: u64 = flat.map(|row| row.chosen.len() as u64).sum();
        let expected: Vec<Vec<i32>> = golden.into_iter().map(|row| row.out).collect();
        let shapes = layer.shapes(&spec);
        let counts = [expected.len(), 1, keys];
        Ok(HeadRun {
            head: head.name.clone(),
            output: closeness(&head.exact, &chosen, &expected),
            queries: expected.len() as u64,
            seen,
            kept,
            work: EXACT * (4 * (seen + low) + 8 * kept),
            scored: seen + low,
            model_cycles: spec.cycles(&shapes),
            run: Box::new(move |device| {
                let layers = std::slice::from_ref(&layer);
                let run = run(device, &spec, layers, Stalls::default(), counts)?;
                let rows = run.results.rows.into_iter().map(|(row, _)| row).collect();
                Ok(Results { rows, cycles: run.cycles.last().map_or(0, |last| last + 1) })
            }),
            survivors: chosen,
            expected,
        })
    }
}

impl Accelerator for Setting {
    fn name(&self) -> &'static str {
        self.name
    }

    fn setting(&self) -> String {
        format!("tau256 {}, keep256 {}", self.tau256, self.keep256)
    }

    fn module(&self, size: &AttendSpec) -> Arc<Module> {
        build(&self.spec(size))
    }

    fn heads(&self, model: &Model, size: &AttendSpec) -> Result<Vec<HeadRun>, Box<dyn Error>> {
        model.heads.iter().map(|head| self.head(head, size)).collect()
    }
}
