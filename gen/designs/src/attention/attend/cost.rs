//! Cycles of the exact stage, exactly.

use super::{AttendSpec, list};
use crate::cost::Cost;

/// Adder levels between registers.
pub const LEVELS_PER_STAGE: u32 = 2;

/// Cycles from a key's last beat in the value unit until its row's sums show.
pub const SUM_LATENCY: u32 = 4;

/// Cycles from a key's last beat in the score unit to its logit: memory, product, tree, scale,
/// shift, and a sum over the beats if there are several.
pub fn score_latency(spec: &AttendSpec) -> u32 {
    4 + spec.tree_levels().div_ceil(LEVELS_PER_STAGE) + u32::from(spec.beats() > 1)
}

/// Keys between score and value unit for which there is room: a row of all keys, and those that
/// follow it until its first one is weighed.
pub fn keys_in_flight(spec: &AttendSpec) -> u32 {
    spec.max_keys + score_latency(spec) + 4
}

/// A head as the timing sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadShape {
    /// Keys it has.
    pub keys: u32,
    /// For each row the surviving keys of each group of visible ones.
    pub rows: Vec<Vec<u32>>,
    /// Keys each row sees.
    pub visible: Vec<u32>,
}

/// The first cycle in which one more of `places` is free, if each is freed at the end of the cycle
/// that the list tells.
fn room(freed: &[u64], places: u32) -> u64 {
    let last = freed.len().checked_sub(places as usize);
    last.map_or(0, |index| freed[index] + 1)
}

/// When the engine's units do what, so far.
pub(crate) struct Timing<'s> {
    spec: &'s AttendSpec,
    /// The first cycle in which the list can take a group.
    list_free: u64,
    /// The first in which a slot, or the weighing of a key, can begin.
    slot_free: u64,
    weigh_free: u64,
    /// The first in which the head's slots, or the next head's keys, may come.
    attending: u64,
    pub(crate) load_from: u64,
    /// When each row's query was taken.
    pub(crate) begun: Vec<u64>,
    /// When each group left the list's queue, each key was weighed, each row's last key was, each
    /// bank was read, each result passed.
    listed: Vec<u64>,
    weighed: Vec<u64>,
    row_weighed: Vec<u64>,
    released: Vec<u64>,
    pub(crate) taken: Vec<u64>,
    /// The cycle from which each of the row's further groups of survivors is offered.
    offered: std::vec::IntoIter<u64>,
}

impl<'s> Timing<'s> {
    pub(crate) fn new(spec: &'s AttendSpec) -> Timing<'s> {
        let none = Vec::new;
        Timing {
            spec,
            list_free: 0,
            slot_free: 0,
            weigh_free: 0,
            attending: 0,
            load_from: 0,
            begun: none(),
            listed: none(),
            weighed: none(),
            row_weighed: none(),
            released: none(),
            taken: none(),
            offered: none().into_iter(),
        }
    }

    /// Goes through one more head. Its groups of survivors are offered from the cycles `offered` on,
    /// counted from the cycle that takes its first key; beyond the list's end at once.
    pub(crate) fn head(&mut self, head: &HeadShape, offered: &[u64]) {
        let start = self.load_from;
        let mut offered = offered.iter().map(|cycle| start + cycle);
        self.begin(start + u64::from(head.keys));
        for groups in &head.rows {
            self.row(groups, offered.by_ref().take(groups.len()).collect());
        }
        self.end();
    }

    /// A head whose keys are there from cycle `attending` on; then come its rows.
    pub(crate) fn begin(&mut self, attending: u64) {
        self.attending = attending;
    }

    /// The head has no more rows.
    pub(crate) fn end(&mut self) {
        self.load_from = self.weigh_free + 1;
    }

    /// A row, whose groups are offered from the cycles `offered` on; beyond the list's end at once.
    /// Returns when the list takes each group.
    pub(crate) fn row(&mut self, groups: &[u32], offered: Vec<u64>) -> Vec<u64> {
        self.offered = offered.into_iter();
        let beats = u64::from(self.spec.beats());
        let keys = self.weighed.len();
        // a group waits until the next one with a key, or the row's end, comes
        let (mut held, mut listed) = (None, vec![]);
        for (group, &live) in groups.iter().enumerate() {
            let last = group + 1 == groups.len();
            let space = room(&self.listed, list::GROUPS);
            let now = if held.is_some() { self.list_free.max(space) } else { self.list_free };
            let now = now.max(self.offered.next().unwrap_or(0));
            self.list_free = now + 1;
            listed.push(now);
            if live > 0 || last {
                held.take().into_iter().for_each(|live| self.slots(now, live));
            }
            if live > 0 {
                held = Some(live);
            }
        }
        if let Some(live) = held {
            // the row's last group had keys: it leaves in the next cycle, or when there is space
            let now = self.list_free.max(room(&self.listed, list::GROUPS));
            self.list_free = now;
            self.slots(now, live);
        }

        let scored = self.slot_free + u64::from(score_latency(self.spec));
        let mut weigh = self.weigh_free.max(scored).max(room(&self.released, 2));
        self.weighed.truncate(keys);
        for _ in 0..groups.iter().sum::<u32>() {
            self.weighed.push(weigh);
            weigh += beats;
        }
        self.weigh_free = weigh;
        self.row_weighed.push(weigh - beats);
        let summed = weigh - 1 + u64::from(SUM_LATENCY);
        let begins = summed.max(room(&self.taken, 1));
        self.released.push(begins + u64::from(self.spec.division_steps()));
        self.taken.push(begins + u64::from(self.spec.division_steps()) + 2);
        listed
    }

    /// The slots of a group that enters the list's queue in cycle `now`.
    fn slots(&mut self, now: u64, live: u32) {
        let row_room = room(&self.row_weighed, self.spec.window);
        self.slot_free = self.slot_free.max(now + 1).max(self.attending).max(row_room);
        let mut start = self.slot_free;
        for _ in 0..live {
            start = self.slot_free.max(room(&self.weighed, keys_in_flight(self.spec)));
            if self.begun.len() == self.row_weighed.len() {
                self.begun.push(start);
            }
            self.slot_free = start + u64::from(self.spec.beats());
            // when it is weighed is known at its row's end; a row's keys always fit
            self.weighed.push(u64::MAX - 1);
        }
        self.listed.push(start);
    }
}

impl Cost for AttendSpec {
    type Workload = [HeadShape];

    /// The cycle at whose end each row's result passes when no stream stalls.
    ///
    /// Cycle 0 takes the first key and the first group of survivors.
    fn result_cycles(&self, heads: &[HeadShape]) -> Vec<u64> {
        let mut timing = Timing::new(self);
        for head in heads {
            timing.head(head, &[]);
        }
        timing.taken
    }
}
