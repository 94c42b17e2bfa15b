//! The shape of a layer: the parameters that `log_linear` and `linear` share.

use crate::spec::SpecError;
use hwgen_hdl::{Fields, fields, u};

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

impl Layer {
    /// Checks the number of weights, with the names that outputs and inputs have for the user.
    pub(super) fn check_weights(self, outputs: &str, inputs: &str) -> Result<(), SpecError> {
        if self.inputs * self.outputs <= MOST_WEIGHTS {
            return Ok(());
        }
        let range = format!("at most {} with {} {inputs}", MOST_WEIGHTS / self.inputs, self.inputs);
        Err(SpecError::out_of_range(outputs, self.outputs, range))
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

    /// `data`, a result's elements; `last` of the batch.
    pub(super) fn token_fields(self) -> Fields {
        fields([("data", u(self.inputs * 8)), ("last", u(1))])
    }
}

/// The smallest two's complement width that holds `-bound` and `bound`.
pub(super) fn signed_bits(bound: u64) -> u32 {
    u64::BITS - bound.leading_zeros() + 1
}
