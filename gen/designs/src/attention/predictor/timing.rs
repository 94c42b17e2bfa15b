//! The cycle of every beat that a predictor sends, exactly.

use crate::attention::attend::cost::HeadShape;

/// Comparator levels between registers.
pub const LEVELS_PER_STAGE: u32 = 2;

/// Levels of the adder trees of scores between registers: three leave less than half of the
/// registers of two, which took most of a tree's energy.
pub const ADDERS_PER_STAGE: u32 = 3;

/// Levels of a tree over `count` leaves.
pub(crate) fn levels(count: u32) -> u32 {
    count.next_power_of_two().trailing_zeros()
}

/// A pipe as the timing sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PipeTiming {
    /// Groups between issue and filter for which it has room.
    pub(crate) groups_in_flight: u32,
    /// Rows between issue of their last group and filter for which it has room.
    pub(crate) rows_in_flight: u32,
    /// Cycles from the issue of a row's last group to the filtering of its first: fixed,
    pub(crate) cycles: u32,
    /// more for each word of the row,
    pub(crate) cycles_per_word: u32,
    /// and the groups of a word.
    pub(crate) word_groups: u32,
    /// Whether it holds one row at a time.
    pub(crate) one_row: bool,
}

impl PipeTiming {
    /// Cycles from the issue of a row's last group to the filtering of its first.
    fn limit_cycles(&self, groups: u32) -> u32 {
        self.cycles + self.cycles_per_word * groups.div_ceil(self.word_groups)
    }
}

/// A predictor as the timing sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Timing {
    /// Keys of a group.
    pub(crate) rows: u32,
    /// Cycles from taking a query to the issue of its first group.
    pub(crate) query_cycles: u32,
    /// The pipes, in order.
    pub(crate) pipes: Vec<PipeTiming>,
    /// How many of them read the keys: the next head's come when these are through.
    pub(crate) reading: usize,
}

impl Timing {
    /// The cycle at whose end each beat of the result passes when no stream stalls.
    ///
    /// Cycle 0 takes the first key. A key a cycle; then the first pipe issues a group a cycle, row
    /// after row, and every later stage follows as soon as it has a row's limit and is done with
    /// the row before. A stage waits for the next one only for room in the queues between them:
    /// when rows become much shorter from one to the next.
    pub(crate) fn beat_cycles(&self, heads: &[HeadShape]) -> Vec<u64> {
        // the pipes, then the output
        let mut stages = vec![Stage::default(); self.pipes.len() + 1];
        let mut load_from = 0;
        for head in heads {
            let keys_end = load_from + u64::from(head.keys);
            for &visible in &head.visible {
                let groups = visible.div_ceil(self.rows);
                let mut ready = keys_end + u64::from(self.query_cycles);
                for (p, pipe) in self.pipes.iter().enumerate() {
                    let [stage, next] = &mut stages[p..p + 2] else {
                        break;
                    };
                    for group in 0..groups {
                        let last = group + 1 == groups;
                        let room = next.groups.room(pipe.groups_in_flight, &stage.groups);
                        let row_room = next.rows.room(pipe.rows_in_flight, &stage.rows);
                        let room = if last { room.max(row_room) } else { room };
                        stage.take(ready.max(room), last);
                    }
                    let end = stage.free - 1;
                    if p < self.reading {
                        load_from = stage.free;
                    }
                    ready = end + u64::from(pipe.limit_cycles(groups));
                    if pipe.one_row {
                        stage.free = ready;
                    }
                }
                let output = &mut stages[self.pipes.len()];
                (0..groups).for_each(|group| output.take(ready, group + 1 == groups));
            }
        }
        // a register slice follows the last filter
        let taken = stages.pop().map_or(vec![], |output| output.groups.0);
        taken.into_iter().map(|cycle| cycle + 1).collect()
    }

    /// Cycles between rows that see `visible` keys each, in steady state.
    pub(crate) fn cycles_per_row(&self, visible: u32) -> u32 {
        let groups = visible.div_ceil(self.rows);
        let pipe = |pipe: &PipeTiming| match pipe.one_row {
            true => groups - 1 + pipe.limit_cycles(groups),
            false => groups,
        };
        self.pipes.iter().map(pipe).max().unwrap_or(groups)
    }
}

/// The cycles in which a stage took its groups, or the last groups of its rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taken(pub(crate) Vec<u64>);

impl Taken {
    /// The first cycle in which one more fits into a queue of `places` that is filled as `put`
    /// says and emptied as this says.
    pub(crate) fn room(&self, places: u32, put: &Taken) -> u64 {
        let emptied = put.0.len().checked_sub(places as usize);
        emptied.map_or(0, |index| self.0[index] + 1)
    }
}

/// A pipe, or the output.
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
