//! Cycles of attention whole, closely: each part follows its own model, and waits for those before
//! and behind it; queues are taken to be full only of rows.

mod feed;
mod on_demand;
mod parts;

use super::LapaSpec;
use crate::attention::attend::cost as exact;
use crate::cost::Cost;
use crate::linear::importance::RESULT_CYCLES;
use feed::Feed;
use on_demand::{Columns, Window};
use parts::{Layer, Prediction};

/// A key head as the timing sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadShape {
    /// Of each column: whether its key and value are made.
    pub made: Vec<bool>,
    /// For each row the surviving keys of each group of visible ones.
    pub rows: Vec<Vec<u32>>,
    /// For each row which they are, rising.
    pub kept: Vec<Vec<usize>>,
}

/// A job as the timing sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobShape {
    /// Its key heads.
    pub heads: Vec<HeadShape>,
    /// For the feed-forward block, where there is one.
    pub feed: Option<FeedShape>,
}

/// What the feed-forward block is given, as the timing sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedShape {
    /// Beats of the activation's table.
    pub table_beats: u32,
    /// Whether each token is precise.
    pub precise: Vec<bool>,
}

/// The cycles at whose ends results pass when no stream stalls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycles {
    /// A row's output each.
    pub rows: Vec<u64>,
    /// A feed-forward result each.
    pub feed: Vec<u64>,
}

/// When results pass; cycle 0 takes the first token, and the first beat of each load. Tokens of the
/// feed-forward block are always there.
pub fn cycles(spec: &LapaSpec, jobs: &[JobShape]) -> Cycles {
    let attend = spec.attend();
    let mut timing = Timing::new(spec, &attend);
    jobs.iter().for_each(|job| timing.job(job));
    let feed = timing.feed.map(|feed| feed.results).unwrap_or_default();
    Cycles { rows: timing.exact.taken, feed }
}

struct Timing<'s> {
    spec: &'s LapaSpec,
    log: Layer,
    query: Layer,
    key_value: Layer,
    prediction: Prediction,
    exact: exact::Timing<'s>,
    feed: Option<Feed>,
    /// The first cycle in which tokens can be taken, a job be counted.
    fill: u64,
    count: u64,
    /// The first in which the front, or the back, can ask for a token.
    front: u64,
    back: u64,
    /// Rows that were stored for the exact stage, so far.
    rows: usize,
    /// With predicted keys: rows that wait for their columns, the columns.
    window: Window,
    columns: Columns,
}

impl<'s> Timing<'s> {
    fn new(spec: &'s LapaSpec, attend: &'s crate::attention::attend::AttendSpec) -> Timing<'s> {
        let log = spec.log_layer();
        let linear = |layer: &crate::linear::LinearSpec| {
            Layer::new(layer.load_cycles(1), layer.token_cycles(true), layer.latency_cycles())
        };
        Timing {
            spec,
            log: Layer::new(log.layer().weight_beats(), log.token_cycles(), log.latency_cycles()),
            query: linear(&spec.query_layer()),
            key_value: linear(&spec.key_value_layer()),
            prediction: Prediction::default(),
            exact: exact::Timing::new(attend),
            feed: Feed::new(spec),
            fill: 0,
            count: spec.importance().max_groups().into(),
            front: 0,
            back: 0,
            rows: 0,
            window: Window::new(spec),
            columns: Columns::new(spec),
        }
    }

    fn job(&mut self, job: &JobShape) {
        let tokens = job.heads[0].made.len() as u64;
        let free = self.feed.as_ref().map_or(0, Feed::free);
        let start = self.count.max(self.fill + tokens).max(free);
        (self.front, self.back) = (start + 2, start + 1);
        let mut last_beat = start;
        for head in &job.heads {
            last_beat = match self.spec.predict_keys {
                true => self.predicted(head),
                false => self.made_first(head),
            };
        }
        self.fill = self.query_end().max(self.back) + 2;
        let groups = u64::from(self.spec.importance().groups(tokens as u32));
        let shown = last_beat + u64::from(RESULT_CYCLES);
        self.count = match (&mut self.feed, &job.feed) {
            (Some(feed), Some(shape)) => feed.job(shape, shown),
            _ => shown + groups,
        };
    }

    /// When the last query passed.
    fn query_end(&self) -> u64 {
        self.query.result
    }

    /// A key head whose keys are predicted. Returns when the last survivors pass.
    fn predicted(&mut self, head: &HeadShape) -> u64 {
        let mut keys_end = 0;
        for _ in &head.made {
            let (taken, result) = self.log.take(self.front + 1);
            self.front = taken;
            keys_end = result.max(self.prediction.load_from).max(keys_end);
            self.log.pass(keys_end);
        }
        self.log.end();
        let beats = self.queries(head, keys_end, |_, _, _| {});
        let last = beats.last().and_then(|row| row.last()).copied().unwrap_or_default();

        let made = self.columns.head(&mut self.key_value, &mut self.back, head, &beats);
        self.exact.begin(0);
        self.window.head(&mut self.exact, head, &beats, &made.passed);
        self.exact.end();
        // the exact stage's last read sets one flag, the columns' end the other
        let read = self.exact.load_from - 1;
        self.columns.open = made.end.max(read) + 2;
        self.window.open = self.columns.open;
        last
    }

    /// A key head whose keys and values are made first. Returns when the last survivors pass.
    fn made_first(&mut self, head: &HeadShape) -> u64 {
        let mut passed = self.prediction.load_from.max(self.exact.load_from).max(1) - 1;
        for _ in &head.made {
            let (taken, result) = self.key_value.take(self.back + 1);
            self.back = taken;
            passed = result.max(passed + 1);
            self.key_value.pass(passed);
        }
        self.key_value.end();
        self.exact.begin(passed + 1);
        let beats = self.queries(head, passed, |exact, groups, beats| {
            exact.row(groups, beats.iter().map(|cycle| cycle + 2).collect());
        });
        self.exact.end();
        beats.last().and_then(|row| row.last()).copied().unwrap_or_default()
    }

    /// The rows of a key head whose predictor has its keys at the end of cycle `keys_end`. Returns
    /// when their survivors pass, row by row.
    fn queries(
        &mut self,
        head: &HeadShape,
        keys_end: u64,
        mut predicted: impl FnMut(&mut exact::Timing<'s>, &[u32], &[u64]),
    ) -> Vec<Vec<u64>> {
        let (tokens, places) = (head.made.len(), self.spec.query_places() as usize);
        let mut all = vec![];
        for (row, groups) in head.rows.iter().enumerate() {
            let visible = if self.spec.causal { row % tokens + 1 } else { tokens } as u32;
            let (taken, result) = self.query.take(self.front + 1);
            self.front = taken;
            let count = groups.len() as u64;
            let offered = result.max(keys_end + 1);
            let (taken, beats) = self.prediction.row(self.spec, offered, count, visible);
            let freed = match self.spec.predict_keys {
                true => &self.window.freed,
                false => &self.exact.begun,
            };
            let freed = self.rows.checked_sub(places).and_then(|row| freed.get(row));
            self.rows += 1;
            self.query.pass(taken.max(freed.map_or(0, |cycle| cycle + 1)));
            if (row + 1) % tokens == 0 {
                self.query.end();
            }
            predicted(&mut self.exact, groups, &beats);
            all.push(beats);
        }
        all
    }
}

impl Cost for LapaSpec {
    type Workload = [JobShape];

    /// The cycles of the rows alone.
    fn result_cycles(&self, jobs: &[JobShape]) -> Vec<u64> {
        cycles(self, jobs).rows
    }
}
