//! The parameters of `log_linear`, and what follows from them.

use super::cost::{self, Batch};
use super::layer::{Layer, signed_bits};
use super::log_circuit;
use crate::cost::Cost;
use crate::generate::Generate;
use crate::spec::{Parameters, Spec, SpecError};
use hwgen_hdl::Module;
use std::sync::Arc;

/// A layer without a multiplier, sized: int8 tokens, weights in leading-one code.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct LogLinearSpec {
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

impl Spec for LogLinearSpec {
    fn check_relations(&self) -> Result<(), SpecError> {
        self.layer().check_weights("outputs", "inputs")
    }
}

impl LogLinearSpec {
    /// The layer's shape.
    pub fn layer(&self) -> Layer {
        Layer { inputs: self.inputs, outputs: self.outputs, lanes: self.lanes }
    }

    /// The least shift that makes 0 of every sum; larger ones do the same.
    pub(super) fn largest_shift(&self) -> u32 {
        u64::BITS - self.layer().sum_bound().leading_zeros() + 1
    }

    /// Bits of a sum that started from the half of the largest shift.
    pub(super) fn accumulator_bits(&self) -> u32 {
        signed_bits(self.layer().sum_bound() + (1 << (self.largest_shift() - 1)))
    }

    /// Cycles from a step to the sum it is added to: codes, signs, the tree, the accumulator.
    pub(super) fn sum_cycles(&self) -> u32 {
        3 + cost::tree_cycles(self.lanes)
    }

    /// Cycles from the cycle of a token's last step to the one in which its result is taken: L.
    pub fn latency_cycles(&self) -> u32 {
        self.sum_cycles() + 1
    }

    /// Cycles between tokens.
    pub fn token_cycles(&self) -> u32 {
        self.layer().weight_beats()
    }
}

impl Generate for LogLinearSpec {
    const NAME: &'static str = "log_linear";
    const SUMMARY: &'static str = "linear layer that predicts keys by shifts, without a multiplier";
    const PAGE: &'static str = "docs/linear.md";

    const SIZES: &'static [&'static str] = &[
        "inputs=1 outputs=1 lanes=1",
        "inputs=5 outputs=3 lanes=2",
        "inputs=16 outputs=4 lanes=8",
    ];

    fn circuit(&self) -> Arc<Module> {
        log_circuit::module(self)
    }

    fn latency(&self) -> String {
        format!(
            "{} cycles a token, back to back; {} more to its result; weights load in {} cycles",
            self.token_cycles(),
            self.latency_cycles(),
            self.layer().weight_beats(),
        )
    }

    fn diagram(&self) -> String {
        let LogLinearSpec { inputs, outputs, lanes } = self;
        let (beats, chunks) = (self.layer().weight_beats(), self.layer().chunks());
        let bits = self.accumulator_bits();
        format!(
            "\
weights -> codes, {beats} words of {lanes} --+
tokens --> {inputs} elements in {chunks} chunks --+--> {lanes} x (sign, shift) -> adder tree -> sum s{bits}
                                                 |
out: {outputs} elements, each written in its place <-- shift, saturate
"
        )
    }
}

impl Cost for LogLinearSpec {
    type Workload = [(u64, usize)];

    /// The cycle at whose end each result passes, for batches of so many beats of weights and so
    /// many tokens.
    fn result_cycles(&self, batches: &[(u64, usize)]) -> Vec<u64> {
        let batch = |&(load_beats, tokens)| Batch {
            load_beats,
            token_steps: vec![self.token_cycles().into(); tokens],
        };
        let batches: Vec<_> = batches.iter().map(batch).collect();
        cost::result_cycles(self.latency_cycles(), &batches)
    }
}
