//! What a predictor costs: cycles, exactly; look-up tables, flip-flops and memory bits, about.

use super::{LapaPredictorSpec, RoundFilter, round_filter, tile};
use crate::attention::predictor::Predictor;
use crate::attention::predictor::timing::{PipeTiming, Timing, levels};
use crate::attention::predictor::top_k;
use crate::cost::Cost;

pub use crate::attention::attend::cost::HeadShape;
pub use crate::attention::predictor::timing::{ADDERS_PER_STAGE, LEVELS_PER_STAGE};

/// Digits of a square root between registers.
pub const SQRT_DIGITS_PER_STAGE: u32 = 1;

/// Cycles of a key's raw sum: shifts and the adder tree.
pub fn raw_cycles(spec: &LapaPredictorSpec) -> u32 {
    levels(spec.head_dim).div_ceil(ADDERS_PER_STAGE)
}

/// Cycles of one key's datapath: the raw sum, then the score.
pub fn row_cycles(spec: &LapaPredictorSpec) -> u32 {
    raw_cycles(spec) + 1
}

/// Cycles from a group's issue to its scores: the bank, then the rows.
pub fn score_cycles(spec: &LapaPredictorSpec) -> u32 {
    1 + row_cycles(spec)
}

/// Whether the scores of round `round` leave it.
pub(super) fn scores_leave(spec: &LapaPredictorSpec, round: usize) -> bool {
    spec.scores || round + 1 < spec.rounds()
}

/// Whether keys wait for the threshold of round `round` as octaves, which are shorter than scores.
pub(super) fn waits_as_octaves(spec: &LapaPredictorSpec, round: usize) -> bool {
    matches!(round_filter(spec, round), RoundFilter::Mass { .. }) && !scores_leave(spec, round)
}

/// Bits of what a key waits as in round `round`, signed.
pub(super) fn waiting_bits(spec: &LapaPredictorSpec, round: usize) -> u32 {
    match waits_as_octaves(spec, round) {
        true => super::mass::OCTAVE.width,
        false => spec.score_bits(round),
    }
}

/// Cycles from a row's last scores to its statistics.
pub fn statistics_cycles(spec: &LapaPredictorSpec, round: usize) -> u32 {
    // squares or octaves before the tree, two or three cycles of counting behind it
    let more = match round_filter(spec, round) {
        RoundFilter::Sigma { .. } => 1,
        RoundFilter::Mass { .. } => 1 + 2 + u32::from(registers_hits(spec)),
        _ => 0,
    };
    more + levels(spec.rows).div_ceil(LEVELS_PER_STAGE) + 1
}

/// Whether there is a register between the slots of a group's keys and their counts, which a tree
/// adds up.
pub(super) fn registers_hits(spec: &LapaPredictorSpec) -> bool {
    levels(spec.rows) > LEVELS_PER_STAGE
}

/// Cycles from a row's statistics to its threshold.
pub fn threshold_cycles(spec: &LapaPredictorSpec, round: usize) -> u32 {
    let division = if spec.approx_mean { 2 } else { 3 };
    match round_filter(spec, round) {
        RoundFilter::MeanMax { .. } => division + 2,
        RoundFilter::Sigma { .. } => {
            let digits = spec.score_bits(round);
            division + 3 + digits.div_ceil(SQRT_DIGITS_PER_STAGE) + 2
        }
        RoundFilter::Radius { .. } => 2,
        RoundFilter::TopK { .. } => 0,
        RoundFilter::Mass { .. } if waits_as_octaves(spec, round) => 4,
        RoundFilter::Mass { .. } => 8,
    }
}

/// Cycles from a row's last scores to its threshold, for a row of `groups` groups.
fn limit_cycles(spec: &LapaPredictorSpec, round: usize, groups: u32) -> u32 {
    match round_filter(spec, round) {
        RoundFilter::TopK { .. } => top_k::cycles(spec.shape(), spec.score_bits(round), groups),
        _ => statistics_cycles(spec, round) + threshold_cycles(spec, round),
    }
}

/// Cycles from the issue of a row's last group in round `round` to that of its first group in the
/// next: the row's groups are filtered once its threshold is out of the queue.
pub fn round_cycles(spec: &LapaPredictorSpec, round: usize, groups: u32) -> u32 {
    score_cycles(spec) + limit_cycles(spec, round, groups) + 1
}

/// Groups between issue and filter for which round `round` has room: enough for full throughput.
pub fn groups_in_flight(spec: &LapaPredictorSpec, round: usize) -> u32 {
    match round_filter(spec, round) {
        // the search holds the pipe up anyway: the row in search and the row that is filtered
        RoundFilter::TopK { .. } => 2 * spec.max_groups() + 2,
        _ => spec.max_groups() + round_cycles(spec, round, 1) + 2,
    }
}

/// Rows between issue of their last group and filter for which round `round` has room: enough for
/// full throughput when each row is a group.
pub fn rows_in_flight(spec: &LapaPredictorSpec, round: usize) -> u32 {
    match round_filter(spec, round) {
        RoundFilter::TopK { .. } => 3,
        _ => round_cycles(spec, round, 1) + 2,
    }
}

/// The predictor as the timing of all predictors sees it.
fn timing(spec: &LapaPredictorSpec) -> Timing {
    let pipe = |round| {
        let cycles = |groups| round_cycles(spec, round, groups);
        let word_groups = top_k::word_groups(spec.shape());
        let cycles_per_word = cycles(2 * word_groups) - cycles(word_groups);
        PipeTiming {
            groups_in_flight: groups_in_flight(spec, round),
            rows_in_flight: rows_in_flight(spec, round),
            cycles: cycles(1) - cycles_per_word,
            cycles_per_word,
            word_groups,
            one_row: matches!(round_filter(spec, round), RoundFilter::TopK { .. }),
        }
    };
    let pipes = (0..spec.rounds()).map(pipe).collect();
    Timing { rows: spec.rows, query_cycles: 1, pipes, reading: spec.rounds() }
}

impl Predictor for LapaPredictorSpec {
    /// With tiles, the cycles of a tile by its rows, rounded up.
    fn cycles_per_row(&self, visible: u32) -> u32 {
        let row = timing(&self.lane()).cycles_per_row(visible);
        match self.tile {
            1 => row,
            // rows are gathered while the tile before is issued
            tile => row.max(tile + 1).div_ceil(tile),
        }
    }
}

impl Cost for LapaPredictorSpec {
    type Workload = [HeadShape];

    /// The cycle at whose end each beat of the result passes when no stream stalls.
    ///
    /// Cycle 0 takes the first key. A key a cycle; then round 0 issues a group a cycle, row after row,
    /// and every later stage follows as soon as it has a row's threshold and is done with the row
    /// before. A stage waits for the next one only for room in the queues between them: when rows
    /// become much shorter from one to the next.
    ///
    /// With tiles the first group of a tile's rows is issued once they are all there, two cycles after
    /// the last of them is taken, and rows are gathered again from then on; a tile has as many groups of
    /// `rows / tile` keys as its longest row, and its rows leave one after the other.
    fn result_cycles(&self, heads: &[HeadShape]) -> Vec<u64> {
        match self.tile {
            1 => timing(self).beat_cycles(heads),
            _ => tile::cost::beat_cycles(self, heads),
        }
    }
}
