//! Columns in the order in which rows ask for them, and rows in the order in which theirs are made.

use super::parts::Layer;
use super::{HeadShape, LapaSpec};
use crate::attention::attend::cost as exact;
use crate::attention::lapa::window::QUERIES;

/// Cycles from a group of survivors to its columns at the end of their queue, and from a row's last group to
/// the row at the end of its: marked, stored, read.
const QUEUED: u64 = 3;

/// The layer that makes keys and values.
pub(super) struct Columns {
    /// The first cycle in which the exact stage takes the next head's.
    pub(super) open: u64,
    walked: u64,
    /// Columns of a group.
    rows: usize,
}

/// A key head's columns.
pub(super) struct Made {
    /// When each passes, in the order in which they are made.
    pub(super) passed: Vec<u64>,
    /// When their end does.
    pub(super) end: u64,
}

impl Columns {
    pub(super) fn new(spec: &LapaSpec) -> Columns {
        Columns { open: 0, walked: 0, rows: spec.shape().rows as usize }
    }

    /// Those of a head whose groups of survivors pass in the cycles `beats`, row by row. Tokens go to
    /// `layer`, the last one in cycle `back`.
    pub(super) fn head(
        &mut self,
        layer: &mut Layer,
        back: &mut u64,
        head: &HeadShape,
        beats: &[Vec<u64>],
    ) -> Made {
        let mut asked = vec![false; head.made.len()];
        let (mut passed, mut shown) = (vec![], 0);
        for (kept, beats) in head.kept.iter().zip(beats) {
            for &column in kept {
                if std::mem::replace(&mut asked[column], true) {
                    continue;
                }
                shown = beats[column / self.rows] + QUEUED;
                let offered = self.walk(shown, *back);
                let (taken, result) = layer.take(offered);
                *back = taken;
                let pass = result.max(self.open);
                layer.pass(pass);
                passed.push(pass);
            }
            shown = beats.last().map_or(shown, |beat| beat + QUEUED);
        }
        let offered = self.walk(shown, *back);
        let (taken, result) = layer.take_in(offered, 1);
        *back = taken;
        let end = result.max(self.open);
        layer.pass(end);
        layer.end();
        Made { passed, end }
    }

    /// Asks for a token that is known from a cycle on, when the one before is with the layer: from when
    /// it is offered there.
    fn walk(&mut self, known: u64, back: u64) -> u64 {
        let walked = known.max(self.walked + 1).max(back);
        self.walked = walked;
        walked + 1
    }
}

/// The rows between predictor and exact stage.
pub(super) struct Window {
    slots: usize,
    /// The first cycle in which the next head's rows can enter.
    pub(super) open: u64,
    /// When all rows up to each one have been read.
    pub(super) freed: Vec<u64>,
    entered: u64,
    /// When the last group was read, and taken.
    read: u64,
    listed: u64,
    /// When the last chosen query entered its queue.
    query: u64,
    /// Rows chosen.
    chosen: usize,
}

impl Window {
    pub(super) fn new(spec: &LapaSpec) -> Window {
        let slots = spec.row_window as usize;
        Window {
            slots,
            open: 0,
            freed: vec![],
            entered: 0,
            read: 0,
            listed: 0,
            query: 0,
            chosen: 0,
        }
    }

    /// A head's rows, whose groups pass the predictor in the cycles `beats`, and whose columns pass
    /// in the cycles `made`, in the order in which they are made.
    pub(super) fn head(
        &mut self,
        exact: &mut exact::Timing<'_>,
        head: &HeadShape,
        beats: &[Vec<u64>],
        made: &[u64],
    ) {
        let ready = head.ready(made);
        let mut read_at = vec![0; head.rows.len()];
        // each with the first cycle in which it can be chosen
        let mut slots: Vec<(usize, u64)> = vec![];
        let (mut next, mut space) = (0, self.open);
        while next < head.rows.len() || !slots.is_empty() {
            while slots.len() < self.slots && next < head.rows.len() {
                let known = beats[next].last().map_or(0, |beat| beat + QUEUED);
                self.entered = known.max(self.entered + 1).max(space);
                slots.push((next, (self.entered + 1).max(ready[next])));
                next += 1;
            }
            let free = self.read.max(self.query);
            let now = slots.iter().map(|(_, from)| *from.max(&free)).min().unwrap_or(free);
            let place = slots.iter().position(|(_, from)| *from <= now).unwrap_or_default();
            let (row, _) = slots.remove(place);
            space = now;
            self.send(exact, &head.rows[row], now);
            read_at[row] = self.read;
        }
        let before = self.freed.last().copied().unwrap_or_default();
        self.freed.extend(read_at.iter().scan(before, |latest, cycle| {
            *latest = (*latest).max(*cycle);
            Some(*latest)
        }));
    }

    /// Reads a row that is chosen in a cycle.
    fn send(&mut self, exact: &mut exact::Timing<'_>, groups: &[u32], chosen: u64) {
        let offered = (0..groups.len() as u64).map(|group| chosen + 2 + group).collect();
        let listed = exact.row(groups, offered);
        self.read = chosen;
        for listed in listed {
            // a group is read when the one before is taken
            self.read = (self.read + 1).max(self.listed);
            self.listed = listed;
        }
        let room = self.chosen.checked_sub(QUERIES).and_then(|row| exact.begun.get(row));
        self.query = (chosen + 1).max(room.map_or(0, |cycle| cycle + 1));
        self.chosen += 1;
    }
}

impl HeadShape {
    /// The first cycle in which each row's columns are all made: `made` tells when each passes, in the order
    /// in which rows ask for them.
    fn ready(&self, made: &[u64]) -> Vec<u64> {
        let mut place: Vec<Option<usize>> = vec![None; self.made.len()];
        let mut asked = 0;
        let row = |kept: &Vec<usize>| {
            let last = kept.iter().map(|column| {
                *place[*column].get_or_insert_with(|| {
                    asked += 1;
                    asked - 1
                })
            });
            last.max().map_or(0, |place| made[place] + 1)
        };
        self.kept.iter().map(row).collect()
    }
}
