//! The parameters of `linear`, and what follows from them.

use super::cost::{self, Batch};
use super::exact_circuit::{self, Form};
use super::layer::{Layer, signed_bits};
use crate::cost::Cost;
use crate::generate::Generate;
use crate::spec::{Parameters, Spec, SpecError};
use hwgen_hdl::{Fields, Module, fields, s, u};
use std::sync::Arc;

/// An int8 layer, sized: exact, or at four bits for tokens that matter little.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct LinearSpec {
    /// Elements of a token.
    #[parameter(default = 64, range = 1..=4096)]
    pub inputs: u32,
    /// Elements of a result; inputs x outputs at most 4194304.
    #[parameter(default = 64, range = 1..=4096)]
    pub outputs: u32,
    /// Inputs taken at once.
    #[parameter(default = 16, range = 1..=256, power_of_two)]
    pub lanes: u32,
}

impl Spec for LinearSpec {
    fn check_relations(&self) -> Result<(), SpecError> {
        self.layer().check_weights("outputs", "inputs")
    }
}

/// Entries of the activation's table.
pub const TABLE_ENTRIES: u32 = 256;
pub(super) const BIAS_BITS: u32 = 32;
pub(super) const MULTIPLIER_BITS: u32 = 16;
pub(super) const SHIFT_BITS: u32 = 6;

/// A batch as the timing sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchShape {
    /// Beats of the load's longest stream.
    pub load_beats: u64,
    /// Whether each token is precise; at least one token.
    pub precise: Vec<bool>,
}

impl LinearSpec {
    /// The layer's shape.
    pub fn layer(&self) -> Layer {
        Layer { inputs: self.inputs, outputs: self.outputs, lanes: self.lanes }
    }

    /// Pairs of beats that cover an output's weights.
    pub(super) fn pairs(&self) -> u32 {
        self.layer().chunks().div_ceil(2)
    }

    /// Stream `scales`: `bias`, `multiplier`, `shift`; `last` of the load.
    pub fn scale_fields(&self) -> Fields {
        fields([
            ("bias", s(BIAS_BITS)),
            ("multiplier", u(MULTIPLIER_BITS)),
            ("shift", u(SHIFT_BITS)),
            ("last", u(1)),
        ])
    }

    /// Stream `tokens`: `data`, element 0 low; `precise`; `last` of the batch.
    pub fn token_fields(&self) -> Fields {
        fields([("data", u(self.inputs * 8)), ("precise", u(1)), ("last", u(1))])
    }

    /// Bits of a sum with its bias.
    pub(super) fn accumulator_bits(&self) -> u32 {
        signed_bits(self.layer().sum_bound() + (1 << (BIAS_BITS - 1)))
    }

    /// Cycles from a step to the sum it is added to: weights, operands, products, the tree, the
    /// accumulator.
    pub(super) fn sum_cycles(&self) -> u32 {
        4 + cost::tree_cycles(self.lanes)
    }

    /// Cycles from the cycle of a token's last step to the one in which its result is taken: L. The
    /// sum is multiplied, shifted, looked up, and put into its place.
    pub fn latency_cycles(&self) -> u32 {
        self.sum_cycles() + 4
    }

    /// Cycles between tokens.
    pub fn token_cycles(&self, precise: bool) -> u32 {
        self.outputs * if precise { self.layer().chunks() } else { self.pairs() }
    }

    /// Beats of a load's longest stream, for a table of so many beats.
    pub fn load_cycles(&self, table: u32) -> u32 {
        // an output has a beat of weights at least
        self.layer().weight_beats().max(table)
    }

    /// The circuit without stream `table`: its activation is the identity. A design that has it in two
    /// sizes names them.
    pub fn build_without_activation(&self, name: &str) -> Arc<Module> {
        exact_circuit::module(name, self, Form::default())
    }

    /// The same for batches whose last token is not known as such: `tokens` has `empty` before `last`,
    /// and such a token, which has no elements, ends the batch. It takes a cycle, and its result says nothing.
    pub fn build_with_empty_tokens(&self, name: &str) -> Arc<Module> {
        exact_circuit::module(name, self, Form { empty_tokens: true, ..Form::default() })
    }

    /// The circuit whose `out` has the token's `precise` before `last`: what a layer behind it takes
    /// as a token.
    pub fn build_passing_precise(&self, name: &str) -> Arc<Module> {
        let form = Form { activation: true, passes_precise: true, ..Form::default() };
        exact_circuit::module(name, self, form)
    }
}

impl Generate for LinearSpec {
    const NAME: &'static str = "linear";
    const SUMMARY: &'static str =
        "int8 linear layer, int4 at twice the throughput for tokens that matter little";
    const PAGE: &'static str = "docs/linear.md";

    const SIZES: &'static [&'static str] = &[
        "inputs=1 outputs=1 lanes=1",
        "inputs=5 outputs=3 lanes=2",
        "inputs=16 outputs=4 lanes=8",
    ];

    fn circuit(&self) -> Arc<Module> {
        let form = Form { activation: true, ..Form::default() };
        exact_circuit::module(Self::NAME, self, form)
    }

    fn latency(&self) -> String {
        format!(
            "{} cycles a precise token, {} any other, back to back; {} more to its result; weights load in {} \
             cycles, or {TABLE_ENTRIES} with a table if that is more",
            self.token_cycles(true),
            self.token_cycles(false),
            self.latency_cycles(),
            self.load_cycles(1),
        )
    }

    fn diagram(&self) -> String {
        let LinearSpec { inputs, outputs, lanes } = self;
        let (beats, chunks) = (self.layer().weight_beats(), self.layer().chunks());
        let bits = self.accumulator_bits();
        format!(
            "\
weights -> high parts, 2 banks; low parts: {beats} words of {lanes} --+
tokens --> {inputs} elements in {chunks} chunks --+--> {lanes} x 2 (s8 x s5) -> adder tree -> sum s{bits}
scales --> bias, multiplier, shift of {outputs} outputs ----------------------------+
                                                                      |
out: {outputs} elements, each written in its place <-- table <-- shift, saturate <-- multiply
"
        )
    }
}

impl Cost for LinearSpec {
    type Workload = [BatchShape];

    /// The cycle at whose end each result passes.
    fn result_cycles(&self, batches: &[BatchShape]) -> Vec<u64> {
        let batch = |batch: &BatchShape| Batch {
            load_beats: batch.load_beats,
            token_steps: batch.precise.iter().map(|&p| self.token_cycles(p).into()).collect(),
        };
        let batches: Vec<_> = batches.iter().map(batch).collect();
        cost::result_cycles(self.latency_cycles(), &batches)
    }
}
