//! What a predictor costs: cycles, exactly; look-up tables, flip-flops and memory bits, about.

use super::{LapaSpec, RoundFilter, round_filter};

/// Adder and comparator levels between registers.
pub const LEVELS_PER_STAGE: u32 = 2;

/// Digits of a square root between registers.
pub const SQRT_DIGITS_PER_STAGE: u32 = 1;

/// Levels of a tree over `count` leaves.
fn levels(count: u32) -> u32 {
    count.next_power_of_two().trailing_zeros()
}

/// Cycles of one key's datapath in round `round`: sign, adder tree, accumulation.
pub fn row_cycles(spec: &LapaSpec, round: usize) -> u32 {
    1 + levels(spec.head_dim).div_ceil(LEVELS_PER_STAGE) + u32::from(round > 0)
}

/// Cycles from a group's issue to its scores: the bank, then the rows.
pub fn score_cycles(spec: &LapaSpec, round: usize) -> u32 {
    1 + row_cycles(spec, round)
}

/// Cycles from a row's last scores to its statistics.
pub fn statistics_cycles(spec: &LapaSpec, round: usize) -> u32 {
    let squares = matches!(round_filter(spec, round), RoundFilter::Sigma { .. });
    u32::from(squares) + levels(spec.rows).div_ceil(LEVELS_PER_STAGE) + 1
}

/// Cycles from a row's statistics to its threshold.
pub fn threshold_cycles(spec: &LapaSpec, round: usize) -> u32 {
    let division = if spec.approx_mean { 2 } else { 3 };
    match round_filter(spec, round) {
        RoundFilter::MeanMax { .. } => division + 2,
        RoundFilter::Sigma { .. } => {
            let digits = spec.score_bits(round);
            division + 3 + digits.div_ceil(SQRT_DIGITS_PER_STAGE) + 2
        }
        RoundFilter::Radius { .. } => 2,
        RoundFilter::TopK { .. } => 0,
    }
}

/// Cycles from a row's last scores to its threshold, for a row of `groups` groups.
fn limit_cycles(spec: &LapaSpec, round: usize, groups: u32) -> u32 {
    match round_filter(spec, round) {
        // a pass over the groups for each bit
        RoundFilter::TopK { .. } => spec.score_bits(round) * (groups + 2) + 1,
        _ => statistics_cycles(spec, round) + threshold_cycles(spec, round),
    }
}

/// Cycles from the issue of a row's last group in round `round` to that of its first group in the
/// next: the row's groups are filtered once its threshold is out of the queue.
pub fn round_cycles(spec: &LapaSpec, round: usize, groups: u32) -> u32 {
    score_cycles(spec, round) + limit_cycles(spec, round, groups) + 1
}

/// Groups between issue and filter for which round `round` has room: enough for full throughput.
pub fn groups_in_flight(spec: &LapaSpec, round: usize) -> u32 {
    match round_filter(spec, round) {
        // the search holds the pipe up anyway: the row in search and the row that is filtered
        RoundFilter::TopK { .. } => 2 * spec.max_groups() + 2,
        _ => spec.max_groups() + round_cycles(spec, round, 1) + 2,
    }
}

/// Rows between issue of their last group and filter for which round `round` has room: enough for
/// full throughput when each row is a group.
pub fn rows_in_flight(spec: &LapaSpec, round: usize) -> u32 {
    match round_filter(spec, round) {
        RoundFilter::TopK { .. } => 3,
        _ => round_cycles(spec, round, 1) + 2,
    }
}
