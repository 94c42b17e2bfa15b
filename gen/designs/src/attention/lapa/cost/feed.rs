//! The feed-forward block behind the importance of its tokens.

use super::parts::Layer;
use super::{FeedShape, LapaSpec};
use crate::attention::lapa::feed::JOBS;
use crate::linear::LinearSpec;

pub(super) struct Feed {
    layers: [LinearSpec; 2],
    timing: [Layer; 2],
    /// Tokens of a group, groups of precisions that wait.
    rows: usize,
    places: usize,
    /// When the last token of each group, and of each job, was taken.
    groups: Vec<u64>,
    jobs: Vec<u64>,
    pub(super) results: Vec<u64>,
}

impl Feed {
    pub(super) fn new(spec: &LapaSpec) -> Option<Feed> {
        let layers = spec.feed_forward()?.layers();
        Some(Feed {
            // a load is as long as its table says: it is added with the job
            timing: [0, 1].map(|n| Layer::new(0, 0, layers[n].latency_cycles())),
            layers,
            rows: spec.shape().rows as usize,
            places: spec.importance().max_groups() as usize,
            groups: vec![],
            jobs: vec![],
            results: vec![],
        })
    }

    /// The first cycle in which another job may start.
    pub(super) fn free(&self) -> u64 {
        self.jobs.len().checked_sub(JOBS).map_or(0, |job| self.jobs[job] + 1)
    }

    /// A job whose first group of importance shows in a cycle. Returns the one behind that in which
    /// its last group passes.
    pub(super) fn job(&mut self, shape: &FeedShape, shown: u64) -> u64 {
        let beats = [self.layers[0].load_cycles(shape.table_beats), self.layers[1].load_cycles(1)];
        for (layer, beats) in self.timing.iter_mut().zip(beats) {
            layer.free += u64::from(beats);
        }
        let (mut passes, mut taken) = (shown, 0);
        for group in shape.precise.chunks(self.rows) {
            let room = self.groups.len().checked_sub(self.places);
            passes = passes.max(room.map_or(0, |group| self.groups[group] + 1)) + 1;
            for &precise in group {
                taken = self.token(passes, precise);
            }
            self.groups.push(taken);
        }
        self.jobs.push(taken);
        self.timing.iter_mut().for_each(Layer::end);
        passes
    }

    /// A token that is offered from a cycle on: when it is taken.
    fn token(&mut self, offered: u64, precise: bool) -> u64 {
        let cycles = [0, 1].map(|n| u64::from(self.layers[n].token_cycles(precise)));
        let [first, second] = &mut self.timing;
        let (taken, hidden) = first.take_in(offered, cycles[0]);
        let (passed, result) = second.take_in(hidden, cycles[1]);
        first.pass(passed);
        self.results.push(result);
        taken
    }
}
