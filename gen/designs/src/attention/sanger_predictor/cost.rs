//! Cycles of Sanger's predictor, exactly.

use super::SangerPredictorSpec;
use crate::attention::predictor::Predictor;
use crate::attention::predictor::fold;
use crate::attention::predictor::timing::{PipeTiming, Timing, levels};
use crate::cost::Cost;

pub use crate::attention::attend::cost::HeadShape;
pub use crate::attention::predictor::timing::ADDERS_PER_STAGE;

/// Cycles from taking a query to the issue of its first group: its power of two, its short form.
pub const QUERY_CYCLES: u32 = 2;

/// Cycles from a group's logits leaving their queue to its weights: table, shift.
pub const WEIGHT_CYCLES: u32 = 2;

/// Cycles from the sum of a row's weights to its limit: times the threshold, at most so much.
pub const LIMIT_CYCLES: u32 = 2;

/// Cycles of one key's product sum: products, adder tree.
pub fn product_cycles(spec: &SangerPredictorSpec) -> u32 {
    levels(spec.head_dim).div_ceil(ADDERS_PER_STAGE)
}

/// Cycles of one key's datapath: product sum, scale, shift.
pub fn row_cycles(spec: &SangerPredictorSpec) -> u32 {
    product_cycles(spec) + 2
}

/// Cycles from a group's issue to its logits: the bank, then the rows.
pub fn score_cycles(spec: &SangerPredictorSpec) -> u32 {
    1 + row_cycles(spec)
}

/// A pipe that sends on a row's first group so many cycles after it took its last: enough room for
/// full throughput.
fn pipe(spec: &SangerPredictorSpec, cycles: u32) -> PipeTiming {
    PipeTiming {
        groups_in_flight: spec.shape().max_groups() + cycles + 2,
        rows_in_flight: cycles + 2,
        cycles,
        cycles_per_word: 0,
        word_groups: 1,
        one_row: false,
    }
}

/// From the issue of a group to its logit below the row's largest.
pub(super) fn logit_pipe(spec: &SangerPredictorSpec) -> PipeTiming {
    pipe(spec, score_cycles(spec) + fold::cycles(spec.rows) + 1)
}

/// From there to its survivors.
pub(super) fn weight_pipe(spec: &SangerPredictorSpec) -> PipeTiming {
    pipe(spec, WEIGHT_CYCLES + fold::cycles(spec.rows) + LIMIT_CYCLES + 1)
}

/// The predictor as the timing of all predictors sees it.
fn timing(spec: &SangerPredictorSpec) -> Timing {
    let pipes = vec![logit_pipe(spec), weight_pipe(spec)];
    Timing { rows: spec.rows, query_cycles: QUERY_CYCLES, pipes, reading: 1 }
}

impl Predictor for SangerPredictorSpec {
    fn cycles_per_row(&self, visible: u32) -> u32 {
        timing(self).cycles_per_row(visible)
    }
}

impl Cost for SangerPredictorSpec {
    type Workload = [HeadShape];

    /// The cycle at whose end each beat of the result passes when no stream stalls; cycle 0 takes the
    /// first key.
    fn result_cycles(&self, heads: &[HeadShape]) -> Vec<u64> {
        timing(self).beat_cycles(heads)
    }
}
