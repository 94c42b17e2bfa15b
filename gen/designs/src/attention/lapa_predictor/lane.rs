//! What a row passes in a round: its scores, its threshold, and the queue in which they meet.

use super::statistics::{self, Needs};
use super::{
    LapaPredictorSpec, RoundFilter, cost, mass, round_filter, shift_accumulate, threshold,
};
use crate::attention::predictor::pipe::Issue;
use crate::attention::predictor::top_k;
use crate::wiring::{delayed, delayed_flag, held, numbered, pack, quiet, unpack};
use hwgen_hdl::{Bundle, ModuleBuilder, Signal, Stream, s, u};

/// A lane under construction in module `m`, of as many keys a group as `spec` has rows.
pub(super) struct Lane<'m, 's> {
    pub(super) m: &'m ModuleBuilder,
    pub(super) spec: &'s LapaPredictorSpec,
    pub(super) round: usize,
}

/// A group when it is issued.
pub(super) struct Group<'m> {
    /// A bit a key.
    pub(super) live: Signal<'m>,
    /// It is its row's last.
    pub(super) last: Signal<'m>,
    /// Scores of the round before, if there is one.
    pub(super) scores: Option<Signal<'m>>,
}

/// What a row's keys are scored with, as long as its groups pass.
pub(super) struct Query<'m> {
    /// From the cycle after its first group is issued.
    pub(super) codes: Signal<'m>,
    /// [`shift_accumulate::zero_module`]'s, [`cost::raw_cycles`] later.
    pub(super) zero: Signal<'m>,
}

/// A group with its scores.
pub(super) struct Scored<'m> {
    valid: Signal<'m>,
    live: Signal<'m>,
    last: Signal<'m>,
    scores: Signal<'m>,
}

impl<'m> Lane<'m, '_> {
    fn filter(&self) -> RoundFilter {
        round_filter(self.spec, self.round)
    }

    /// The datapaths of a group's keys, whose slices `key` gives a cycle after `issue`: the issued
    /// groups with their new scores, [`cost::score_cycles`] later.
    pub(super) fn score(
        &self,
        issue: &Issue<'m>,
        group: &Group<'m>,
        query: &Query<'m>,
        key: impl Fn(u32) -> Signal<'m>,
    ) -> Scored<'m> {
        let (m, spec, round) = (self.m, self.spec, self.round);
        let live = m.reg("issued_live", u(spec.rows));
        live.next(issue.now.mux(group.live, 0));
        let previous = group.scores.map(|scores| {
            let scores = unpack(scores, s(spec.score_bits(round - 1)), spec.rows);
            // a dead key's lane keeps the operands of an earlier one
            let hold = |(key, score): (usize, &Signal<'m>)| {
                let takes = issue.now & group.live.bit(key as u32);
                held(m, format!("previous_{key}"), *score, takes)
            };
            scores.iter().enumerate().map(hold).collect::<Vec<_>>()
        });

        let row_module = shift_accumulate::module(spec, round);
        let (mut lives, mut scores) = (vec![], vec![]);
        for i in 0..spec.rows {
            let keys = key(i);
            let row = m.instance(format!("row_{i}"), &row_module);
            row.input("live", live.bit(i))
                .input("keys", keys)
                .input("codes", query.codes)
                .input("zero", query.zero);
            if let Some(previous) = &previous {
                row.input("previous", previous[i as usize]);
            }
            lives.push(row.output("live_out"));
            scores.push(row.output("score"));
        }
        let cycles = cost::score_cycles(spec);
        let valid = delayed_flag(m, "issued", issue.now, cycles);
        let last = delayed(m, "issued_last", group.last, cycles);
        let (live, scores) =
            (pack(&lives).called("scored_live"), pack(&scores).called("scored_scores"));
        Scored { valid, live, last, scores }
    }

    /// The groups that wait for their row's limit, fields `scores` (where no score leaves the round,
    /// octaves may do), `live`, `last`; and the limit.
    pub(super) fn limit(
        &self,
        scored: &Scored<'m>,
        row: &Bundle<'m>,
        issue: &Issue<'m>,
        begins: Signal<'m>,
    ) -> [Stream<'m>; 2] {
        let limit = match self.filter() {
            RoundFilter::TopK { keep256 } => self.search(scored, row, begins, keep256),
            RoundFilter::Mass { mass256 } => return self.mass(scored, row, begins, mass256),
            _ => self.compare(scored, row, issue, begins),
        };
        [self.waiting(scored), limit]
    }

    fn waiting(&self, scored: &Scored<'m>) -> Stream<'m> {
        let Scored { live, last, scores, .. } = *scored;
        let group = Bundle::new([("scores", scores), ("live", live), ("last", last)]);
        Stream::source(self.m, "scored", scored.valid, group)
    }

    /// The rows' thresholds, from their statistics.
    fn compare(
        &self,
        scored: &Scored<'m>,
        row: &Bundle<'m>,
        issue: &Issue<'m>,
        begins: Signal<'m>,
    ) -> Stream<'m> {
        let (m, spec, round, filter) = (self.m, self.spec, self.round, self.filter());
        let needs = Needs::of(filter);
        let statistics = m.instance("statistics_unit", &statistics::module(spec, round, needs));
        statistics
            .input("valid", scored.valid)
            .input("last", scored.last)
            .input("live", scored.live)
            .input("scores", scored.scores);
        let unit = m.instance("threshold_unit", &threshold::module(spec, round, filter));
        for output in &statistics.module().outputs {
            unit.input(&output.name, statistics.output(&output.name));
        }
        if spec.has_radius() {
            let cycles = cost::score_cycles(spec) + cost::statistics_cycles(spec, round);
            let mut beside = quiet(delayed_flag(m, "row_issued", issue.last, 1));
            let radius = held(m, "radius", row.get("radius"), begins);
            let radius =
                (1..cycles).fold(radius, |radius, _| beside.stage("row_radius", &[radius])[0]);
            unit.input("radius", radius);
        }
        let limit = Bundle::new([("threshold", unit.output("threshold"))]);
        Stream::source(m, "limit", unit.output("threshold_valid"), limit)
    }

    /// The rows' thresholds for a part of their estimated softmax mass.
    fn mass(
        &self,
        scored: &Scored<'m>,
        row: &Bundle<'m>,
        begins: Signal<'m>,
        mass256: u32,
    ) -> [Stream<'m>; 2] {
        let (m, spec, round) = (self.m, self.spec, self.round);
        let unit = m.instance("mass_unit", &mass::module(spec, round, mass256));
        unit.input("valid", scored.valid)
            .input("last", scored.last)
            .input("live", scored.live)
            .input("scores", scored.scores);
        // they are the row's, and go with its first group
        let mut beside = quiet(begins);
        let mut scale = ["half", "octave"].map(|name| row.get(name)).to_vec();
        for _ in 0..cost::score_cycles(spec) {
            scale = beside.stage("scale", &scale);
        }
        unit.input("half", scale[0]).input("octave", scale[1]);
        let limit = Bundle::new([("threshold", unit.output("threshold"))]);
        let limit = Stream::source(m, "limit", unit.output("threshold_valid"), limit);
        if !cost::waits_as_octaves(spec, round) {
            return [self.waiting(scored), limit];
        }
        let octaves = Scored {
            valid: delayed_flag(m, "octaves_there", scored.valid, 1),
            live: unit.output("octaves_live"),
            last: delayed(m, "octaves_last", scored.last, 1),
            scores: unit.output("octaves"),
        };
        [self.waiting(&octaves), limit]
    }

    /// The rows' thresholds for a fixed number of survivors.
    fn search(
        &self,
        scored: &Scored<'m>,
        row: &Bundle<'m>,
        begins: Signal<'m>,
        keep256: u32,
    ) -> Stream<'m> {
        let visible = held(self.m, "visible", row.get("visible"), begins);
        let (shape, score_bits) = (self.spec.shape(), self.spec.score_bits(self.round));
        let search = top_k::Search { shape, score_bits, keep256 };
        let unit = top_k::module(&format!("lapa_top_k_{}", self.round), search);
        let unit = self.m.instance("search", &unit);
        unit.input("valid", scored.valid)
            .input("last", scored.last)
            .input("live", scored.live)
            .input("scores", scored.scores)
            .input("visible", visible);
        let limit = ["threshold", "ties"].map(|name| (name, unit.output(name)));
        Stream::source(self.m, "limit", unit.output("threshold_valid"), Bundle::new(limit))
    }

    /// 1 while the pipe must not take the next row: the search unit holds one row at a time.
    pub(super) fn searching(&self, issue: &Issue<'m>, limit: &Stream<'m>) -> Signal<'m> {
        match self.filter() {
            RoundFilter::TopK { .. } => {
                let row_in_search = self.m.reg("row_in_search", u(1));
                row_in_search.next(issue.last).enable(issue.last | limit.valid).into()
            }
            _ => self.m.lit(u(1), 0),
        }
    }

    /// Drops keys of a group of any number of them: the survivors, and their scores where those
    /// leave the round.
    pub(super) fn survivors(
        &self,
        groups: &Stream<'m>,
        limits: &Stream<'m>,
        taken: Signal<'m>,
    ) -> Bundle<'m> {
        let (spec, keys) = (self.spec, groups.get("live").width());
        let live = unpack(groups.get("live"), u(1), keys);
        let score = s(cost::waiting_bits(spec, self.round));
        let scores = unpack(groups.get("scores"), score, keys);
        let (threshold, last) = (limits.get("threshold"), groups.get("last"));
        let survivors: Vec<_> = match self.filter() {
            RoundFilter::TopK { .. } => {
                let group = top_k::Group { live: &live, scores: &scores, taken, row_ends: last };
                let shape = crate::attention::Shape { rows: keys, ..spec.shape() };
                top_k::survivors(shape, group, threshold, limits.get("ties"))
            }
            _ => {
                let keys = live.iter().zip(&scores);
                numbered("survives", keys.map(|(live, score)| *live & score.ge(threshold)))
            }
        };
        let mut out = Bundle::default();
        if cost::scores_leave(spec, self.round) {
            let kept = survivors.iter().zip(&scores);
            let kept =
                numbered("kept_score", kept.map(|(survives, score)| survives.mux(*score, 0)));
            out = out.with("scores", pack(&kept));
        }
        out.with("live", pack(&survivors)).with("last", last)
    }
}
