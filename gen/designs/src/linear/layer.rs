//! The shape of a layer: the parameters that `log_linear` and `linear` share.

use crate::spec::{Parameter, Range, SpecError};
use hwgen_hdl::{Fields, ModuleBuilder, fields, u};

/// Inputs, outputs, and inputs taken at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// Elements of a token.
    pub inputs: u32,
    /// Elements of a result.
    pub outputs: u32,
    /// Inputs taken at once.
    pub lanes: u32,
}

/// Most products of `inputs` and `outputs`.
const MOST_WEIGHTS: u32 = 1 << 22;

pub(super) const INPUTS: Parameter =
    Parameter { name: "inputs", range: Range::Integer(1, 4096), meaning: "elements of a token" };
pub(super) const OUTPUTS: Parameter = Parameter {
    name: "outputs",
    range: Range::Integer(1, 4096),
    meaning: "elements of a result; inputs x outputs at most 4194304",
};
pub(super) const LANES: Parameter =
    Parameter { name: "lanes", range: Range::PowerOfTwo(1, 256), meaning: "inputs taken at once" };

impl Layer {
    pub(super) fn validate(self) -> Result<(), SpecError> {
        INPUTS.check(self.inputs)?;
        OUTPUTS.check(self.outputs)?;
        LANES.check(self.lanes)?;
        self.check_weights(OUTPUTS.name, INPUTS.name)
    }

    /// Checks the number of weights, with the names that outputs and inputs have for the user.
    pub(super) fn check_weights(self, outputs: &str, inputs: &str) -> Result<(), SpecError> {
        if self.inputs * self.outputs <= MOST_WEIGHTS {
            return Ok(());
        }
        Err(SpecError::OutOfRange {
            field: outputs.to_owned(),
            value: self.outputs.to_string(),
            range: format!("at most {} with {} {inputs}", MOST_WEIGHTS / self.inputs, self.inputs),
        })
    }

    /// Beats of weights for an output: C on the page.
    pub fn chunks(self) -> u32 {
        self.inputs.div_ceil(self.lanes)
    }

    /// Beats of weights of a load.
    pub fn weight_beats(self) -> u32 {
        self.outputs * self.chunks()
    }

    /// Bits of a chunk of a token.
    pub(super) fn chunk_bits(self) -> u32 {
        self.lanes * 8
    }

    /// The largest magnitude of a sum of products of two int8 numbers, one an input.
    pub(super) fn sum_bound(self) -> u64 {
        u64::from(self.inputs) << 14
    }

    pub(super) fn parameters(self, m: &ModuleBuilder) {
        m.parameter("inputs", self.inputs);
        m.parameter("outputs", self.outputs);
        m.parameter("lanes", self.lanes);
    }

    /// `data`, a result's elements; `last` of the batch.
    pub(super) fn token_fields(self) -> Fields {
        fields([("data", u(self.inputs * 8)), ("last", u(1))])
    }
}

/// The smallest two's complement width that holds `-bound` and `bound`.
pub(super) fn signed_bits(bound: u64) -> u32 {
    u64::BITS - bound.leading_zeros() + 1
}
