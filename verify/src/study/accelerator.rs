//! What a study compares.

use crate::attention::Workload;
use crate::attention::output::{Exact, HeadOutput, Integers, attend, closeness};
use bitvec::vec::BitVec;
use hwgen_designs::attention::attend::AttendSpec;
use hwgen_designs::attention::attend::golden::Attend;
use hwgen_designs::attention::engine::Engine;
use hwgen_designs::cost::Cost;
use hwgen_designs::drive::{Driven, Stalls};
use hwgen_hdl::Module;
use hwgen_hdl::sim::{Device, SimError};
use std::error::Error;
use std::sync::Arc;

/// An attention accelerator at one setting of its predictor or pruning.
pub trait Accelerator {
    /// Its name in the tables.
    fn name(&self) -> &'static str;

    /// The setting, in words.
    fn setting(&self) -> String;

    /// The circuit; `size` is what all accelerators share.
    fn module(&self, size: &AttendSpec) -> Arc<Module>;

    /// What its golden models make of every head, in order.
    ///
    /// # Errors
    /// Sizes that a model refuses.
    fn heads(&self, model: &Model, size: &AttendSpec) -> Result<Vec<HeadRun>, Box<dyn Error>>;
}

/// A model's heads, ready for many settings.
pub struct Model {
    /// As the tables print it.
    pub name: String,
    /// Its heads, in order.
    pub heads: Vec<ModelHead>,
}

/// One of them.
pub struct ModelHead {
    /// Where it stands, as in `layer 3 head 7`.
    pub name: String,
    /// As the engine receives it.
    pub integers: Integers,
    /// What comes out in floating point.
    pub exact: Exact,
}

impl Model {
    /// Quantizes the heads and computes what must come out.
    pub fn of(workload: &Workload) -> Model {
        let heads = workload.heads.iter().map(|head| ModelHead {
            name: head.name.clone(),
            integers: Integers::of(head),
            exact: Exact::of(head),
        });
        Model { name: workload.name.clone(), heads: heads.collect() }
    }
}

/// Bits that a predictor reads and shifts for the work of one that is read and multiplied. On LAPA's
/// gates it is 2.9 to 4.5 times the energy (not on MiniLM's 26 tokens: 1.8); less makes up for what a
/// round of prediction costs beside its bits.
pub const EXACT: u64 = 2;

/// A head as the circuit runs it, and what must come out.
pub struct HeadRun {
    /// Where it stands, as in `layer 3 head 7`.
    pub head: String,
    /// Keys kept, and how close the output comes.
    pub output: HeadOutput,
    /// Query rows.
    pub queries: u64,
    /// Keys that all rows see, and those they keep.
    pub seen: u64,
    /// See [`HeadRun::seen`].
    pub kept: u64,
    /// What a setting costs before gates are counted: bits of keys and values that are read, an
    /// element of each, exact ones [`EXACT`] times.
    pub work: u64,
    /// Keys whose scores are computed, each pass counted.
    pub scored: u64,
    /// Resets the circuit, sends it the head, takes its results.
    pub run: Box<RunHead>,
    /// The keys that each row keeps: a bit a visible key.
    pub survivors: Vec<BitVec>,
    /// Each row's elements.
    pub expected: Vec<Vec<i32>>,
    /// Cycles from the first key to the last result, as the cost model has it.
    pub model_cycles: u64,
}

/// Sends a head through a circuit.
pub type RunHead = dyn Fn(&mut dyn Device) -> Result<Results, SimError>;

/// What came out of a circuit.
pub struct Results {
    /// Each row's elements.
    pub rows: Vec<Vec<i32>>,
    /// Cycles from the first key to the last result.
    pub cycles: u64,
}

/// The keys that each row keeps, and the bits of a key's element that were read to know.
pub struct Predicted {
    /// A bit a visible key, for each row.
    pub survivors: Vec<BitVec>,
    /// Bits read, all rows, an element of each key.
    pub bits_read: u64,
}

/// Runs a head on a predictor's choice and the exact stage of an engine.
///
/// # Errors
/// A row without a survivor.
pub fn head_run<E: Engine + Clone>(
    spec: &E,
    head: &ModelHead,
    predicted: Predicted,
    size: &AttendSpec,
) -> Result<HeadRun, Box<dyn Error>> {
    let ModelHead { integers, exact, .. } = head;
    let Predicted { survivors, bits_read } = predicted;
    let expected = attend(&Attend::new(size.probability_bits), integers, &survivors)?;
    let output = closeness(exact, &survivors, &expected);
    let mut driven = integers.driven();
    for (row, survivors) in driven.rows.iter_mut().zip(&survivors) {
        row.survivors = survivors.clone();
    }
    let kept = driven.kept() as u64;
    // a row's only key is not read, nor scored
    let single = driven.rows.iter().filter(|row| row.survivors.count_ones() == 1).count() as u64;
    let (spec, count) = (spec.clone(), expected.len());
    Ok(HeadRun {
        head: head.name.clone(),
        output,
        queries: driven.rows.len() as u64,
        seen: driven.seen() as u64,
        kept,
        work: bits_read + EXACT * (16 * kept - 8 * single),
        scored: kept,
        model_cycles: spec.cycles(&[driven.shape(size.rows)]),
        run: Box::new(move |device| {
            let heads = std::slice::from_ref(&driven);
            let run = spec.run(device, heads, Stalls::default(), count)?;
            let cycles = run.cycles.last().map_or(0, |last| last + 1);
            Ok(Results { rows: run.beats.into_iter().map(|(row, _)| row).collect(), cycles })
        }),
        survivors,
        expected,
    })
}
