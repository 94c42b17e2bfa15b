//! The walk: goes through a row's weights once more, for their importance and their values.

use super::SpattenAttentionSpec;
use super::scores::rests;
use super::select::limit_fields;
use crate::attention::predictor::top_k;
use crate::wiring::{delayed_flag, held, unpack};
use hwgen_hdl::{Bundle, Fields, Module, ModuleBuilder, Signal, Stream, fields, mux, u};
use std::sync::Arc;

/// Cycles of a row besides those of its keys.
pub(super) const ROW_CYCLES: u32 = 2;

/// A row whose weights are there: its place, the index of its last key, whether it ends its head, and
/// with it its layer.
pub(super) fn row_fields(spec: &SpattenAttentionSpec) -> Fields {
    let slot = u(spec.slot_bits());
    fields([("slot", slot), ("last_key", u(spec.key_bits())), ("last", u(1)), ("layer_last", u(1))])
}

/// Module `spatten_walk`, a row at a time.
///
/// Stream `rows` in, a row stays until it is through; with `threshold` and `ties` if values are chosen.
/// Out `read`, `index` of slot and group; in a cycle later `word`. Out: `begins`; `adds` with `key`,
/// `key_weight` and `single`, a key of the row that weighs anything; `reads`, its value is needed. A cycle
/// later and until the next: `uses`, `weight`, `first`, `bank`. `walked` with the row's last key, `one`: it
/// has but one value.
pub(super) fn module(spec: &SpattenAttentionSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("spatten_walk");
    m.doc("Goes through a row's weights: importance of every key, values of the chosen ones.");
    let rows = m.stream_in("rows", &row_fields(spec));
    let last_key = rows.get("last_key");
    let single = last_key.eq(0).named("single_key");
    let walked = m.wire("walked_now", u(1));
    let busy = m.reg("busy", u(1));
    let begins = (rows.valid & !*busy).named("row_begins");
    busy.next(begins).enable(begins | *walked);
    rows.ready.drive(*walked);
    m.output("begins", begins);

    // a group of weights is read with its first key
    let goes = m.wire("goes", u(1));
    let shown = m.reg("shown", u(1));
    let advance = (!*shown | *goes).named("advance");
    let issuing = m.reg("issuing", u(1));
    let key = m.reg("walked_key", last_key.ty());
    let issue = (*issuing & advance).named("issue");
    let issue_last = (issue & key.eq(last_key)).named("issue_last");
    issuing.next(begins).enable(begins | issue_last);
    key.next(key + 1).enable(issue).clear(issue_last);
    shown.next(*issuing).enable(advance);
    let shown_key = held(&m, "shown_key", *key, issue);
    let weight = weight(&m, spec, &rows, issue, *key, shown_key);

    let fires = (*shown & *goes).named("fires");
    let ends = (fires & shown_key.eq(last_key)).named("ends");
    walked.drive(ends);
    let chosen = match spec.selects() {
        true => chosen(&m, spec, weight, fires, ends) | single,
        false => m.lit(u(1), 1),
    };
    m.output("single", single);
    m.output("adds", fires & (weight.any() | single));
    m.output("key", shown_key);
    m.output("key_weight", weight);

    let visible = last_key.resize(spec.count_bits()) + 1;
    let one = match spec.selects() {
        true => top_k::keep(visible, spec.keep256).eq(1),
        false => single,
    };
    let first = m.reg("first_value", u(1)).reset_to(1);
    let reads = (fires & chosen & (*first | weight.any())).named("reads_value");
    first.next(ends).enable(ends | reads);
    goes.drive(rests(&m, "value", spec.exact().beats(), reads));
    let bank = m.reg("bank_now", u(1));
    bank.next(!bank).enable(ends);
    m.output("reads", reads);
    m.output("uses", delayed_flag(&m, "used", reads, 1));
    let counts = mux(one, m.lit(weight.ty(), 1), weight);
    m.output("weight", held(&m, "used_weight", counts, reads));
    m.output("first", held(&m, "used_first", *first, reads));
    m.output("bank", held(&m, "used_bank", *bank, reads));
    m.output("bank_of_row", bank);
    m.output("one", one);
    m.output("walked", ends);
    m.finish()
}

/// The weight of the key that shows, a cycle after it was issued.
fn weight<'m>(
    m: &'m ModuleBuilder,
    spec: &SpattenAttentionSpec,
    rows: &Stream<'m>,
    issue: Signal<'m>,
    key: Signal<'m>,
    shown_key: Signal<'m>,
) -> Signal<'m> {
    let (lane_bits, group_bits) = (spec.rows.trailing_zeros(), spec.group_bits());
    let wide = |key: Signal<'m>| key.resize(key.width().max(lane_bits + group_bits));
    let group = wide(key).slice(lane_bits + group_bits - 1, lane_bits);
    let bits = spec.probability_bits;
    let word = m.input("word", u(spec.rows * bits));
    m.output("index", rows.get("slot").cat(group));
    let weighed = issue & rows.get("last_key").any();
    if lane_bits == 0 {
        m.output("read", weighed);
        return word.named("weight_now");
    }
    let lane = |key: Signal<'m>| wide(key).slice(lane_bits - 1, 0);
    m.output("read", weighed & lane(key).eq(0));
    lane(shown_key).select(&unpack(word, u(bits), spec.rows)).named("weight_now")
}

/// Whether the key's value is among those of the largest weights.
fn chosen<'m>(
    m: &'m ModuleBuilder,
    spec: &SpattenAttentionSpec,
    weight: Signal<'m>,
    fires: Signal<'m>,
    ends: Signal<'m>,
) -> Signal<'m> {
    let limit = Bundle::new(limit_fields(spec).iter().map(|(name, ty)| (name, m.input(name, *ty))));
    let equal = weight.eq(limit.get("threshold")).named("equal");
    let ties = limit.get("ties");
    let seen = m.reg("ties_seen", ties.ty());
    let among = (equal & seen.lt(ties)).named("among_ties");
    seen.next(seen + 1).enable(fires & among).clear(ends);
    weight.gt(limit.get("threshold")) | among
}
