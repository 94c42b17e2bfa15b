//! Cycles of SpAtten's attention, exactly.

use super::{SpattenAttentionSpec, heads, select, walk, weights};
use crate::attention::attend::cost::LEVELS_PER_STAGE;
use crate::cost::Cost;
use std::collections::VecDeque;

/// A row as the timing sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Keys it sees.
    pub keys: u32,
    /// Its low nibbles are needed.
    pub flat: bool,
    /// Values that are read: of chosen keys that weigh anything, and of the first chosen one.
    pub values: u32,
    /// The last key's value is one of them.
    pub last_value: bool,
}

/// A head as the timing sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Keys that are sent, and those that are stored.
    pub keys: u32,
    /// Keys that are stored.
    pub live: u32,
    /// Its rows.
    pub rows: Vec<Row>,
    /// It ends a layer.
    pub layer_last: bool,
}

/// Cycles from a key's last beat in the score unit to its logit.
pub fn score_latency(spec: &SpattenAttentionSpec) -> u32 {
    let exact = spec.exact();
    6 + exact.tree_levels().div_ceil(LEVELS_PER_STAGE) + u32::from(exact.beats() > 1)
}

/// Jobs, each with the cycle from which it is offered.
type Queue = VecDeque<(u64, usize)>;

/// A job that can be taken in cycle `now`.
fn offered(queue: &Queue, now: u64) -> Option<usize> {
    queue.front().filter(|(from, _)| *from <= now).map(|(_, row)| *row)
}

/// When the units do what, so far. Each unit's decision takes effect in a later cycle: the order of
/// the units within a cycle does not matter.
struct Timing<'s> {
    spec: &'s SpattenAttentionSpec,
    load_from: u64,
    /// From when on a row can be accepted as the head before is told.
    told: u64,
    /// The first cycles in which score, weight and selection unit and the walk can take a job.
    score_free: u64,
    weigh_free: u64,
    select_free: u64,
    walk_free: u64,
    value_free: u64,
    /// Of each row, all heads: the cycle of its last key in the walk, in which its bank was
    /// read, and in which its result passed.
    walked: Vec<u64>,
    released: Vec<u64>,
    taken: Vec<u64>,
}

impl<'s> Timing<'s> {
    fn new(spec: &'s SpattenAttentionSpec) -> Timing<'s> {
        Timing {
            spec,
            load_from: 0,
            told: 0,
            score_free: 0,
            weigh_free: 0,
            select_free: 0,
            walk_free: 0,
            value_free: 0,
            walked: vec![],
            released: vec![],
            taken: vec![],
        }
    }

    fn head(&mut self, head: &Head) {
        let (spec, before) = (self.spec, self.walked.len());
        let beats = u64::from(spec.exact().beats());
        let attending = self.load_from + u64::from(head.keys);
        let (mut high, mut low, mut scored) = (Queue::new(), Queue::new(), Queue::new());
        let mut weighed_once = vec![false; head.rows.len()];
        let mut ready = vec![u64::MAX; head.rows.len()];
        let mut limits = ready.clone();
        let (mut accepted, mut selected) = (0, 0);
        let mut now = attending.max(self.told);
        while self.walked.len() < before + head.rows.len() {
            let walked = self.walked.len() - before;
            // a slot is free in the cycle after its row was walked
            let in_slots = accepted - self.walked[before..].iter().filter(|at| **at < now).count();
            if accepted < head.rows.len() && in_slots < spec.window as usize {
                match head.rows[accepted].keys {
                    1 => ready[accepted] = now + 1,
                    _ => high.push_back((now + 1, accepted)),
                }
                accepted += 1;
            }
            if self.score_free <= now {
                let job = offered(&low, now).or_else(|| offered(&high, now));
                if let Some(row) = job {
                    let queue = if offered(&low, now).is_some() { &mut low } else { &mut high };
                    queue.pop_front();
                    self.score_free = now + u64::from(head.rows[row].keys) * beats;
                    let last = self.score_free - 1 + u64::from(score_latency(spec));
                    scored.push_back((last + 1, row));
                }
            }
            if let (true, Some(row)) = (self.weigh_free <= now, offered(&scored, now)) {
                scored.pop_front();
                let decided =
                    now + u64::from(head.rows[row].keys) - 1 + u64::from(weights::JOB_CYCLES);
                self.weigh_free = decided + 1;
                if head.rows[row].flat && !weighed_once[row] {
                    weighed_once[row] = true;
                    low.push_back((decided + 1, row));
                } else {
                    ready[row] = decided + 1;
                }
            }
            if spec.selects()
                && selected < accepted
                && self.select_free <= now
                && ready[selected] <= now
            {
                let keys = head.rows[selected].keys;
                let found = now + u64::from(select::cycles(spec, keys));
                self.select_free = found + 1;
                limits[selected] = found + 1;
                selected += 1;
            }
            let may = if spec.selects() { &limits } else { &ready };
            let bank = self.released.len().checked_sub(2).map_or(0, |row| self.released[row] + 1);
            if walked < accepted && may[walked] <= now && self.walk_free <= now && bank <= now {
                self.walk(&head.rows[walked], now);
            }
            now += 1;
        }
        let last = self.walked.last().copied().unwrap_or(now);
        let read_out = if head.layer_last { 2 + u64::from(head.live) } else { 0 };
        self.load_from = last + read_out + 1;
        let offered = self.taken.last().copied().unwrap_or(now);
        self.told = offered + u64::from(heads::cycles(spec)) + 1;
    }

    fn walk(&mut self, row: &Row, begins: u64) {
        let exact = self.spec.exact();
        let (beats, steps) = (u64::from(exact.beats()), u64::from(exact.division_steps()));
        let first = (begins + u64::from(walk::ROW_CYCLES)).max(self.value_free);
        let before_last = u64::from(row.values - u32::from(row.last_value));
        let last = first + u64::from(row.keys) - 1 + before_last * (beats - 1);
        self.value_free = if row.last_value { last + beats } else { last + 1 };
        self.walk_free = last + 1;
        self.walked.push(last);
        let summed = last + beats + 2;
        let divides = summed.max(self.taken.last().map_or(0, |taken| taken + 1));
        self.released.push(divides + steps);
        self.taken.push(divides + steps + 2);
    }
}

impl Cost for SpattenAttentionSpec {
    type Workload = [Head];

    /// The cycle at whose end each row's result passes when no stream stalls.
    ///
    /// Cycle 0 takes the first key.
    fn result_cycles(&self, heads: &[Head]) -> Vec<u64> {
        let mut timing = Timing::new(self);
        for head in heads {
            timing.head(head);
        }
        timing.taken
    }
}
