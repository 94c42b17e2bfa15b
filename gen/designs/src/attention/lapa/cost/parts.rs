//! The parts before the exact stage: layers, and the predictor.

use crate::attention::lapa::LapaSpec;
use crate::attention::lapa_predictor::cost as predictor;
use crate::attention::predictor::Predictor;

/// A layer: a load, then tokens, then the next load.
pub(super) struct Layer {
    load_beats: u64,
    token_cycles: u64,
    latency: u64,
    /// The first cycle in which the next token can be taken.
    pub(super) free: u64,
    pub(super) result: u64,
}

impl Layer {
    pub(super) fn new(load_beats: u32, token_cycles: u32, latency: u32) -> Layer {
        let (load_beats, token_cycles) = (load_beats.into(), token_cycles.into());
        Layer { load_beats, token_cycles, latency: latency.into(), free: load_beats, result: 0 }
    }

    /// Takes a token that is offered from a cycle on: when it is taken, and when its result shows.
    pub(super) fn take(&mut self, offered: u64) -> (u64, u64) {
        self.take_in(offered, self.token_cycles)
    }

    /// The same for a token of so many cycles.
    pub(super) fn take_in(&mut self, offered: u64, token_cycles: u64) -> (u64, u64) {
        let taken = self.free.max(offered);
        self.free = taken + token_cycles;
        self.result = self.free + self.latency;
        (taken, self.result)
    }

    /// The result passes at the end of that cycle; until then the whole layer stood still.
    pub(super) fn pass(&mut self, cycle: u64) {
        self.free += cycle - self.result;
        self.result = cycle;
    }

    /// The batch ends: the next load begins behind its last result.
    pub(super) fn end(&mut self) {
        self.free = self.result + 1 + self.load_beats;
    }
}

/// The predictor's rows.
#[derive(Default)]
pub(super) struct Prediction {
    /// The first cycle in which it issues, in which it can take a key, in which a beat can leave it.
    pub(super) issue: u64,
    pub(super) load_from: u64,
    pub(super) out: u64,
}

impl Prediction {
    /// Takes a row that is offered from a cycle on: when, and when each beat of its result passes.
    pub(super) fn row(
        &mut self,
        spec: &LapaSpec,
        offered: u64,
        groups: u64,
        visible: u32,
    ) -> (u64, Vec<u64>) {
        let spec = &spec.predictor();
        let taken = offered.max(self.issue.saturating_sub(1));
        let issue = self.issue.max(taken + 1);
        let between = u64::from(spec.cycles_per_row(visible));
        self.issue = issue + groups;
        let first = self.out.max(issue - 1 + spec.latency_cycles(visible));
        self.out = first + groups.max(between);
        let last = first + groups - 1;
        let round = predictor::round_cycles(spec, spec.rounds() - 1, groups as u32);
        // its last group was issued so long before the first one is through
        self.load_from = first.saturating_sub(u64::from(round));
        (taken, (first..=last).collect())
    }
}
