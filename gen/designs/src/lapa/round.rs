//! One round: scores groups of keys with a slice, finds the row's threshold, filters the groups.
//!
//! ```text
//! groups --> issue --> key banks --> rows (shift, accumulate) --+--> score queue ------> filter --> out
//!    row -----^                                                 +--> statistics, threshold --^
//! ```

use super::statistics::{self, Needs};
use super::{Filter, LapaSpec, RoundFilter, cost, mass, round_filter, shift_accumulate, threshold};
use crate::predictor::pipe::{Issue, Pipe, Places};
use crate::predictor::{key_bank, top_k};
use crate::wiring::{delayed, delayed_flag, held, pack, quiet, unpack};
use hwgen_hdl::{Bundle, Fields, Module, ModuleBuilder, Signal, Stream, fields, index_bits, s, u};
use std::sync::Arc;

/// A group: `live` (a bit a key), `last` of its row, and from round `round` on `scores`, those of
/// keys not live 0. `round` is the one the group comes from, if any.
pub(super) fn group_fields(spec: &LapaSpec, round: Option<usize>) -> Fields {
    let mut group = vec![];
    if let Some(round) = round {
        group.push(("scores", u(spec.rows * spec.score_bits(round))));
    }
    group.extend([("live", u(spec.rows)), ("last", u(1))]);
    fields(group)
}

/// A row: `codes` of the query, `last` of its head, and what its filter needs.
pub(super) fn row_fields(spec: &LapaSpec) -> Fields {
    let mut row = vec![("codes", u(spec.head_dim * spec.lo_code_bits())), ("last", u(1))];
    if spec.has_radius() {
        row.push(("radius", u(spec.radius_bits())));
    }
    if spec.has_scale() {
        row.extend([("half", u(1)), ("octave", mass::EXPONENT)]);
    }
    if matches!(spec.filter, Filter::TopK { .. }) {
        row.push(("visible", u(spec.count_bits())));
    }
    fields(row)
}

/// Round `round`; module `lapa_round_{round}`.
///
/// - Keys are written one at a time: `write` (a bit a key of the group), `write_group`,
///   `write_keys` (the slices of the key's elements, element 0 low).
/// - Stream `groups` in: all groups of a row, one after the other; stream `row` in: taken with the
///   row's last group. Stream `row_out`, but for the last round: the row, for the next round; a
///   queue behind it must hold [`cost::rows_in_flight`]. The last round tells `head_done` instead,
///   when it takes the last group of a head.
/// - Stream `out`: the groups with their new scores and the survivors.
pub(super) fn module(spec: &LapaSpec, round: usize) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("lapa_round_{round}"));
    m.doc(format!(
        "Round {round}: scores a group of keys a cycle, then drops those below the row's threshold."
    ));
    let filter = round_filter(spec, round);
    let this = Round { m: &m, spec, round, filter };
    let groups = m.stream_in("groups", &group_fields(spec, round.checked_sub(1)));
    let row = m.stream_in("row", &row_fields(spec));

    let places = Places {
        prefix: "",
        queue: "score_queue",
        groups: cost::groups_in_flight(spec, round),
        rows: cost::rows_in_flight(spec, round),
    };
    let pipe = Pipe::new(&m, places);
    let searching = m.wire("searching", u(1));
    let issue = pipe.issue(&groups, Some(&row), Some(*searching));
    if round + 1 < spec.rounds() {
        let leaving = Stream::source(&m, "row_out", issue.last, row.payload.clone());
        m.promise("the next round has room for the row", *leaving.ready | !issue.last);
        m.stream_out("row_out", &leaving);
    } else {
        m.output("head_done", issue.last & row.get("last"));
    }

    let begins = issue.begins(&m);
    let scored = this.score(&groups, &row, &issue, begins);
    let limit = match filter {
        RoundFilter::TopK { keep256 } => this.search(&scored, &row, begins, keep256),
        RoundFilter::Mass { mass256 } => this.mass(&scored, &row, begins, mass256),
        _ => this.compare(&scored, &row, &issue),
    };
    searching.drive(this.searching(&issue, &limit));

    let out =
        pipe.wait(&scored, &limit, |groups, limits, taken| this.filter(groups, limits, taken));
    m.stream_out("out", &out);
    m.finish()
}

/// A round under construction.
struct Round<'m, 's> {
    m: &'m ModuleBuilder,
    spec: &'s LapaSpec,
    round: usize,
    filter: RoundFilter,
}

impl<'m> Round<'m, '_> {
    /// Banks and rows: the issued groups with their new scores, [`cost::score_cycles`] later.
    fn score(
        &self,
        groups: &Stream<'m>,
        row: &Stream<'m>,
        issue: &Issue<'m>,
        begins: Signal<'m>,
    ) -> Stream<'m> {
        let (m, spec, round) = (self.m, self.spec, self.round);
        let slices = u(spec.head_dim * spec.key_slices[round]);
        let address = u(index_bits(spec.max_groups() as usize));
        let write = m.input("write", u(spec.rows));
        let write_group = m.input("write_group", address);
        let write_keys = m.input("write_keys", slices);
        let group = m.reg("group", address);
        group.next(group + 1).enable(issue.now).clear(issue.last);

        let codes = held(m, "codes", row.get("codes"), begins);
        let zero = m
            .instance("zero_key", &shift_accumulate::zero_module(spec, round))
            .input("valid", delayed_flag(m, "row_began", begins, 1))
            .input("codes", codes)
            .output("zero");
        let live = m.reg("live", u(spec.rows));
        live.next(issue.now.mux(groups.get("live"), 0));
        let previous = round.checked_sub(1).map(|before| {
            let scores = groups.get("scores");
            let scores = unpack(scores, s(spec.score_bits(before)), spec.rows);
            // a dead key's lane keeps the operands of an earlier one
            let hold = |(key, score): (usize, &Signal<'m>)| {
                let takes = issue.now & groups.get("live").bit(key as u32);
                held(m, format!("previous_{key}"), *score, takes)
            };
            scores.iter().enumerate().map(hold).collect::<Vec<_>>()
        });

        let bank_module = key_bank::module(
            &format!("lapa_key_bank_{round}"),
            &format!("Slice {round} of every key of one row."),
            "slices",
            slices,
            spec.max_groups(),
        );
        let row_module = shift_accumulate::module(spec, round);
        let (mut lives, mut scores) = (vec![], vec![]);
        for key in 0..spec.rows {
            let bank = m.instance(format!("bank_{key}"), &bank_module);
            bank.input("write", write.bit(key))
                .input("write_group", write_group)
                .input("write_keys", write_keys)
                .input("read", issue.now & groups.get("live").bit(key))
                .input("read_group", *group);
            let row = m.instance(format!("row_{key}"), &row_module);
            row.input("live", live.bit(key))
                .input("keys", bank.output("keys"))
                .input("codes", codes)
                .input("zero", zero);
            if let Some(previous) = &previous {
                row.input("previous", previous[key as usize]);
            }
            lives.push(row.output("live_out"));
            scores.push(row.output("score"));
        }
        let cycles = cost::score_cycles(spec);
        let valid = delayed_flag(m, "issued", issue.now, cycles);
        let last = delayed(m, "last", groups.get("last"), cycles);
        let scored =
            Bundle::new([("scores", pack(&scores)), ("live", pack(&lives)), ("last", last)]);
        Stream::source(m, "scored", valid, scored)
    }

    /// The rows' thresholds, from their statistics.
    fn compare(&self, scored: &Stream<'m>, row: &Stream<'m>, issue: &Issue<'m>) -> Stream<'m> {
        let (m, spec, round) = (self.m, self.spec, self.round);
        let needs = Needs::of(self.filter);
        let statistics = m.instance("statistics_unit", &statistics::module(spec, round, needs));
        statistics
            .input("valid", scored.valid)
            .input("last", scored.get("last"))
            .input("live", scored.get("live"))
            .input("scores", scored.get("scores"));
        let unit = m.instance("threshold_unit", &threshold::module(spec, round, self.filter));
        for output in &statistics.module().outputs {
            unit.input(&output.name, statistics.output(&output.name));
        }
        if spec.has_radius() {
            let cycles = cost::score_cycles(spec) + cost::statistics_cycles(spec, round);
            let mut beside = quiet(issue.last);
            let radius = (0..cycles)
                .fold(row.get("radius"), |radius, _| beside.stage("radius", &[radius])[0]);
            unit.input("radius", radius);
        }
        let limit = Bundle::new([("threshold", unit.output("threshold"))]);
        Stream::source(m, "limit", unit.output("threshold_valid"), limit)
    }

    /// The rows' thresholds for a part of their estimated softmax mass.
    fn mass(
        &self,
        scored: &Stream<'m>,
        row: &Stream<'m>,
        begins: Signal<'m>,
        mass256: u32,
    ) -> Stream<'m> {
        let (m, spec, round) = (self.m, self.spec, self.round);
        let unit = m.instance("mass_unit", &mass::module(spec, round, mass256));
        unit.input("valid", scored.valid)
            .input("last", scored.get("last"))
            .input("live", scored.get("live"))
            .input("scores", scored.get("scores"));
        // they are the row's, and go with its first group
        let mut beside = quiet(begins);
        let mut scale = ["half", "octave"].map(|name| row.get(name)).to_vec();
        for _ in 0..cost::score_cycles(spec) {
            scale = beside.stage("scale", &scale);
        }
        unit.input("half", scale[0]).input("octave", scale[1]);
        let limit = Bundle::new([("threshold", unit.output("threshold"))]);
        Stream::source(m, "limit", unit.output("threshold_valid"), limit)
    }

    /// The rows' thresholds for a fixed number of survivors.
    fn search(
        &self,
        scored: &Stream<'m>,
        row: &Stream<'m>,
        begins: Signal<'m>,
        keep256: u32,
    ) -> Stream<'m> {
        let visible = held(self.m, "visible", row.get("visible"), begins);
        let (shape, score_bits) = (self.spec.shape(), self.spec.score_bits(self.round));
        let search = top_k::Search { shape, score_bits, keep256 };
        let unit = top_k::module(&format!("lapa_top_k_{}", self.round), search);
        let unit = self.m.instance("search", &unit);
        unit.input("valid", scored.valid)
            .input("last", scored.get("last"))
            .input("live", scored.get("live"))
            .input("scores", scored.get("scores"))
            .input("visible", visible);
        let limit = ["threshold", "ties"].map(|name| (name, unit.output(name)));
        Stream::source(self.m, "limit", unit.output("threshold_valid"), Bundle::new(limit))
    }

    /// 1 while the pipe must not take the next row: the search unit holds one row at a time.
    fn searching(&self, issue: &Issue<'m>, limit: &Stream<'m>) -> Signal<'m> {
        match self.filter {
            RoundFilter::TopK { .. } => {
                let row_in_search = self.m.reg("row_in_search", u(1));
                row_in_search.next(issue.last).enable(issue.last | limit.valid).into()
            }
            _ => self.m.lit(u(1), 0),
        }
    }

    /// Drops keys: the groups with the survivors and their scores.
    fn filter(&self, groups: &Stream<'m>, limits: &Stream<'m>, taken: Signal<'m>) -> Bundle<'m> {
        let spec = self.spec;
        let live = unpack(groups.get("live"), u(1), spec.rows);
        let score = s(spec.score_bits(self.round));
        let scores = unpack(groups.get("scores"), score, spec.rows);
        let (threshold, last) = (limits.get("threshold"), groups.get("last"));
        let survivors: Vec<_> = match self.filter {
            RoundFilter::TopK { .. } => {
                let group = top_k::Group { live: &live, scores: &scores, taken, row_ends: last };
                top_k::survivors(spec.shape(), group, threshold, limits.get("ties"))
            }
            _ => (live.iter().zip(&scores))
                .map(|(live, score)| *live & score.ge(threshold))
                .collect(),
        };
        let kept: Vec<_> = (survivors.iter().zip(&scores))
            .map(|(survives, score)| survives.mux(*score, 0))
            .collect();
        Bundle::new([("scores", pack(&kept)), ("live", pack(&survivors)), ("last", last)])
    }
}
