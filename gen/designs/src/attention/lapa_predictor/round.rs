//! One round: scores groups of keys with a slice, finds the row's threshold, filters the groups.
//!
//! ```text
//! groups --> issue --> key banks --> rows (shift, accumulate) --+--> score queue ------> filter --> out
//!    row -----^                                                 +--> statistics, threshold --^
//! ```

use super::lane::{Group, Lane, Query};
use super::{Filter, LapaPredictorSpec, cost, mass, shift_accumulate};
use crate::attention::predictor::key_bank;
use crate::attention::predictor::pipe::{Pipe, Places};
use crate::wiring::{delayed_flag, held};
use hwgen_hdl::{
    Fields, InstanceBuilder, Module, ModuleBuilder, Signal, Stream, fields, index_bits, u,
};
use std::sync::Arc;

/// A group: `live` (a bit a key), `last` of its row, and from round `round` on `scores`, those of
/// keys not live 0, if they leave it. `round` is the one the group comes from, if any.
pub(super) fn group_fields(spec: &LapaPredictorSpec, round: Option<usize>) -> Fields {
    let mut group = vec![];
    if let Some(round) = round.filter(|round| cost::scores_leave(spec, *round)) {
        group.push(("scores", u(spec.rows * spec.score_bits(round))));
    }
    group.extend([("live", u(spec.rows)), ("last", u(1))]);
    fields(group)
}

/// A row: `codes` of the query, `last` of its head, and what its filter needs.
pub(super) fn row_fields(spec: &LapaPredictorSpec) -> Fields {
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
pub(super) fn module(spec: &LapaPredictorSpec, round: usize) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("lapa_round_{round}"));
    m.doc(format!(
        "Round {round}: scores a group of keys a cycle, then drops those below the row's threshold."
    ));
    let lane = Lane { m: &m, spec, round };
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
    let group = m.reg("group", u(index_bits(spec.max_groups() as usize)));
    group.next(group + 1).enable(issue.now).clear(issue.last);
    let live = groups.get("live");
    let banks = banks(&m, spec, round, *group, |key| {
        (issue.now & live.bit(key)).called(format!("reads_key_{key}"))
    });

    let scores = round.checked_sub(1).map(|_| groups.get("scores"));
    let group = Group { live, last: groups.get("last"), scores };
    let keys = |key: u32| banks[key as usize].output("keys");
    let codes = held(&m, "codes", row.get("codes"), begins);
    let zero = m
        .instance("zero_key", &shift_accumulate::zero_module(spec, round))
        .input("valid", delayed_flag(&m, "row_began", begins, 1))
        .input("codes", codes)
        .output("zero");
    let scored = lane.score(&issue, &group, &Query { codes, zero }, keys);
    let [waiting, limit] = lane.limit(&scored, &row.payload, &issue, begins);
    searching.drive(lane.searching(&issue, &limit));

    let out =
        pipe.wait(&waiting, &limit, |groups, limits, taken| lane.survivors(groups, limits, taken));
    m.stream_out("out", &out);
    m.finish()
}

/// The banks of round `round` with their inputs `write`, `write_group`, `write_keys`: those of the
/// keys that `reads` tells are read at `group`.
pub(super) fn banks<'m>(
    m: &'m ModuleBuilder,
    spec: &LapaPredictorSpec,
    round: usize,
    group: Signal<'m>,
    reads: impl Fn(u32) -> Signal<'m>,
) -> Vec<InstanceBuilder<'m>> {
    let slices = u(spec.head_dim * spec.key_slices[round]);
    let write = m.input("write", u(spec.rows));
    let write_group = m.input("write_group", group.ty());
    let write_keys = m.input("write_keys", slices);
    let module = key_bank::module(
        &format!("lapa_key_bank_{round}"),
        &format!("Slice {round} of every key of one row."),
        "slices",
        slices,
        spec.max_groups(),
    );
    let bank = |key: u32| {
        m.instance(format!("bank_{key}"), &module)
            .input("write", write.bit(key))
            .input("write_group", write_group)
            .input("write_keys", write_keys)
            .input("read", reads(key))
            .input("read_group", group)
    };
    (0..spec.rows).map(bank).collect()
}
