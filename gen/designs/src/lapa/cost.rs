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

/// A head as the timing sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadShape {
    /// Keys it has.
    pub keys: u32,
    /// Keys each row sees.
    pub visible: Vec<u32>,
}

/// The cycle at whose end each beat of the result passes when no stream stalls.
///
/// Cycle 0 takes the first key. A key a cycle; then round 0 issues a group a cycle, row after row,
/// and every later stage follows as soon as it has a row's threshold and is done with the row
/// before. A stage waits for the next one only for room in the queues between them: when rows
/// become much shorter from one to the next.
pub fn beat_cycles(spec: &LapaSpec, heads: &[HeadShape]) -> Vec<u64> {
    // the rounds, then the output
    let mut stages = vec![Stage::default(); spec.rounds() + 1];
    let mut load_from = 0;
    for head in heads {
        let querying_from = load_from + u64::from(head.keys) + 1;
        for &visible in &head.visible {
            let groups = spec.groups(visible);
            let mut ready = querying_from;
            for round in 0..spec.rounds() {
                let [stage, next] = &mut stages[round..round + 2] else {
                    break;
                };
                for group in 0..groups {
                    let last = group + 1 == groups;
                    let room = (next.groups).room(groups_in_flight(spec, round), &stage.groups);
                    let row_room = (next.rows).room(rows_in_flight(spec, round), &stage.rows);
                    let room = if last { room.max(row_room) } else { room };
                    stage.take(ready.max(room), last);
                }
                let end = stage.free - 1;
                load_from = stage.free;
                ready = end + u64::from(round_cycles(spec, round, groups));
                if searches(spec, round) {
                    stage.free = ready;
                }
            }
            let output = &mut stages[spec.rounds()];
            (0..groups).for_each(|group| output.take(ready, group + 1 == groups));
        }
    }
    // a register slice follows the last filter
    let taken = stages.pop().map_or(vec![], |output| output.groups.0);
    taken.into_iter().map(|cycle| cycle + 1).collect()
}

/// The cycles in which a stage took its groups, or the last groups of its rows.
#[derive(Debug, Clone, Default)]
struct Taken(Vec<u64>);

impl Taken {
    /// The first cycle in which one more fits into a queue of `places` that is filled as `put`
    /// says and emptied as this says.
    fn room(&self, places: u32, put: &Taken) -> u64 {
        let emptied = put.0.len().checked_sub(places as usize);
        emptied.map_or(0, |index| self.0[index] + 1)
    }
}

/// A round, or the output.
#[derive(Debug, Clone, Default)]
struct Stage {
    /// The first cycle in which it can take a group.
    free: u64,
    groups: Taken,
    rows: Taken,
}

impl Stage {
    /// Takes a group, in cycle `from` or later.
    fn take(&mut self, from: u64, last: bool) {
        let cycle = self.free.max(from);
        self.free = cycle + 1;
        self.groups.0.push(cycle);
        if last {
            self.rows.0.push(cycle);
        }
    }
}

/// Whether round `round` holds one row at a time, to search its threshold.
fn searches(spec: &LapaSpec, round: usize) -> bool {
    matches!(round_filter(spec, round), RoundFilter::TopK { .. })
}

/// Cycles from a query to the first beat of its result, for a row that sees `visible` keys in an
/// idle predictor.
pub fn latency_cycles(spec: &LapaSpec, visible: u32) -> u64 {
    let (keys, visible) = (spec.max_keys, vec![visible]);
    beat_cycles(spec, &[HeadShape { keys, visible }])[0] - u64::from(keys)
}

/// Cycles between rows that see `visible` keys each, in steady state.
pub fn cycles_per_row(spec: &LapaSpec, visible: u32) -> u32 {
    let groups = spec.groups(visible);
    let search = |round| match searches(spec, round) {
        true => groups - 1 + round_cycles(spec, round, groups),
        false => groups,
    };
    (0..spec.rounds()).map(search).max().unwrap_or(groups)
}

/// Cycles from a head's first key to the last beat of its result, both included.
pub fn head_cycles(spec: &LapaSpec, head: &HeadShape) -> u64 {
    let beats = beat_cycles(spec, std::slice::from_ref(head));
    beats.last().map_or(u64::from(head.keys), |last| last + 1)
}
