//! Cycles of FACT's predictor, exactly.

use super::FactPredictorSpec;
use crate::attention::predictor::Predictor;
use crate::attention::predictor::timing::{PipeTiming, Timing, levels};
use crate::attention::predictor::top_k;
use crate::cost::Cost;

pub use crate::attention::attend::cost::HeadShape;
pub use crate::attention::predictor::timing::ADDERS_PER_STAGE;

/// Rows between issue of their last group and filter for which there is room: one is searched, one
/// filtered.
pub const ROWS_IN_FLIGHT: u32 = 3;

/// Cycles of one key's datapath: powers of two, adder tree.
pub fn row_cycles(spec: &FactPredictorSpec) -> u32 {
    levels(spec.head_dim).div_ceil(ADDERS_PER_STAGE)
}

/// Cycles from a group's issue to its scores: the bank, then the rows.
pub fn score_cycles(spec: &FactPredictorSpec) -> u32 {
    1 + row_cycles(spec)
}

/// Groups between issue and filter for which there is room: those of the row that is searched and
/// of the row that is filtered.
pub fn groups_in_flight(spec: &FactPredictorSpec) -> u32 {
    2 * spec.shape().max_groups() + 2
}

/// Cycles from the issue of a row's last group to the filtering of its first.
fn limit_cycles(spec: &FactPredictorSpec, groups: u32) -> u32 {
    score_cycles(spec) + top_k::cycles(spec.shape(), spec.score_bits(), groups) + 1
}

/// The predictor as the timing of all predictors sees it.
fn timing(spec: &FactPredictorSpec) -> Timing {
    let word_groups = top_k::word_groups(spec.shape());
    let cycles_per_word = limit_cycles(spec, 2 * word_groups) - limit_cycles(spec, word_groups);
    let pipe = PipeTiming {
        groups_in_flight: groups_in_flight(spec),
        rows_in_flight: ROWS_IN_FLIGHT,
        cycles: limit_cycles(spec, 1) - cycles_per_word,
        cycles_per_word,
        word_groups,
        one_row: true,
    };
    Timing { rows: spec.rows, query_cycles: 1, pipes: vec![pipe], reading: 1 }
}

impl Predictor for FactPredictorSpec {
    fn cycles_per_row(&self, visible: u32) -> u32 {
        timing(self).cycles_per_row(visible)
    }
}

impl Cost for FactPredictorSpec {
    type Workload = [HeadShape];

    /// The cycle at whose end each beat of the result passes when no stream stalls; cycle 0 takes the
    /// first key.
    fn result_cycles(&self, heads: &[HeadShape]) -> Vec<u64> {
        timing(self).beat_cycles(heads)
    }
}
