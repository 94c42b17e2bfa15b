//! One row of a tile at a time: its scores, its limit, and the queue in which its groups wait.

use super::super::lane::{Group, Lane, Query};
use super::super::{LapaPredictorSpec, cost as of_round, round, shift_accumulate};
use super::cost;
use crate::attention::predictor::pipe::{Issue, Pipe, Places};
use crate::wiring::{delayed_flag, held, pack, unpack};
use hwgen_hdl::{Bundle, Fields, Module, ModuleBuilder, Signal, Stream, index_bits, u};
use std::sync::Arc;

/// What a lane takes of a row.
pub(super) fn row_fields(spec: &LapaPredictorSpec) -> Fields {
    round::row_fields(spec).into_iter().filter(|(name, _)| name != "last").collect()
}

/// The lane; module `lapa_lane`. Never stalls once a group is issued.
///
/// - In: `issue` tells that a group of `rows / tile` keys is: `live` (a bit a key), `last` of its
///   row, the row's fields with the first one; a cycle later `keys`, the keys' slices, and
///   [`of_round::raw_cycles`] after the first one `zero`, the raw sum of a key of zeros. Out: `fits`,
///   the group may be issued.
/// - Stream `out`: the row's survivors in groups of `rows` keys.
pub(super) fn module(spec: &LapaPredictorSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("lapa_lane");
    m.doc("Scores of a group of keys for one row of a tile, and those above the row's threshold.");
    let of_lane = spec.lane();
    let lane = Lane { m: &m, spec: &of_lane, round: 0 };
    let (now, last) = (m.input("issue", u(1)), m.input("last", u(1)));
    let live = m.input("live", u(of_lane.rows));
    let fields = row_fields(spec).into_iter();
    let row = Bundle::new(fields.map(|(name, ty)| (name.clone(), m.input(&*name, ty))));
    let slices = u(of_lane.head_dim * of_lane.key_slices[0]);
    let keys = m.input("keys", u(of_lane.rows * slices.width));
    let keys = unpack(keys, slices, of_lane.rows);

    let places = Places {
        prefix: "",
        queue: "score_queue",
        groups: cost::groups_in_flight(spec),
        rows: cost::rows_in_flight(spec),
    };
    let pipe = Pipe::new(&m, places);
    let issue = Issue { now, last: (now & last).named("issue_last") };
    // a place is for as many groups as are packed into one
    let part = position(&m, "issue_part", spec.tile, now, last);
    let opens = part.eq(0).named("opens_place");
    let [group_fits, row_fits] = pipe.room(now & opens, issue.last);
    let searching = m.wire("searching", u(1));
    m.output("fits", (group_fits | !opens) & (row_fits | !last) & !*searching);

    let begins = issue.begins(&m);
    let group = Group { live, last, scores: None };
    let codes = held(&m, "row_codes", row.get("codes"), begins);
    let zero = m.input("zero", shift_accumulate::raw_type(&of_lane, 0));
    let zero_comes = delayed_flag(&m, "zero_comes", begins, of_round::raw_cycles(&of_lane));
    let zero = held(&m, "row_zero", zero, zero_comes);
    let scored = lane.score(&issue, &group, &Query { codes, zero }, |key| keys[key as usize]);
    let [waiting, limit] = lane.limit(&scored, &row, &issue, begins);
    searching.drive(lane.searching(&issue, &limit));
    let packed = packed(&m, &waiting, spec.tile);
    let out =
        pipe.wait(&packed, &limit, |groups, limits, taken| lane.survivors(groups, limits, taken));
    m.stream_out("out", &out);
    m.finish()
}

/// Which of `parts` parts a group is, of those that one place holds: the first after a row's last.
fn position<'m>(
    m: &'m ModuleBuilder,
    name: &str,
    parts: u32,
    now: Signal<'m>,
    last: Signal<'m>,
) -> Signal<'m> {
    let part = m.reg(name, u(index_bits(parts as usize)));
    part.next(part + 1).enable(now).clear(now & last);
    *part
}

/// `parts` groups as one, or those up to the row's last.
fn packed<'m>(m: &'m ModuleBuilder, groups: &Stream<'m>, parts: u32) -> Stream<'m> {
    let last = groups.get("last");
    let part = position(m, "part", parts, groups.valid, last);
    let [live, scores] = ["live", "scores"].map(|name| groups.get(name));
    let (mut lives, mut all_scores) = (vec![], vec![]);
    for at in 0..parts {
        let now = part.eq(at).named(format!("is_part_{at}"));
        let absent = m.lit(live.ty(), 0);
        if at + 1 == parts {
            lives.push(now.mux(live, absent));
            all_scores.push(scores);
            break;
        }
        let takes = groups.valid & now;
        let earlier = part.gt(at).mux(held(m, format!("part_{at}_live"), live, takes), absent);
        lives.push(now.mux(live, earlier));
        all_scores.push(now.mux(scores, held(m, format!("part_{at}_scores"), scores, takes)));
    }
    let closes = groups.valid & (last | part.eq(parts - 1));
    let packed = [("scores", pack(&all_scores)), ("live", pack(&lives)), ("last", last)];
    let packed = Stream::source(m, "packed", closes, Bundle::new(packed));
    // the queue behind has room, or the group had not been issued
    groups.ready.drive(*packed.ready);
    packed
}
