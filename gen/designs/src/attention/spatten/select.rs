//! The selection unit: the k-th largest weight of a row, and how many of its equals are chosen.

use super::SpattenAttentionSpec;
use super::scores::job_fields;
use crate::attention::predictor::top_k::{self, Search};
use crate::wiring::{delayed_flag, held, numbered, pack, unpack};
use hwgen_hdl::{Bundle, Fields, Module, ModuleBuilder, Stream, fields, mux, s, u};
use std::sync::Arc;

/// Cycles from a row's start to its limit: a pass to fill the search, and the search.
pub(super) fn cycles(spec: &SpattenAttentionSpec, keys: u32) -> u32 {
    let groups = spec.shape().groups(keys);
    if keys == 1 {
        0
    } else {
        1 + groups + top_k::cycles(spec.shape(), spec.probability_bits + 1, groups)
    }
}

/// What is known of a row's weights: those above `threshold` are chosen, and the first `ties` equal to it.
pub(super) fn limit_fields(spec: &SpattenAttentionSpec) -> Fields {
    fields([("threshold", u(spec.probability_bits)), ("ties", u(spec.count_bits()))])
}

/// Module `spatten_select`, a row at a time.
///
/// Stream `rows` in, of rows whose weights are there; `read`, `index` out and, a cycle later, `word` in;
/// stream `limits` out, which must have room. A row of one key needs no search: whatever its limit.
pub(super) fn module(spec: &SpattenAttentionSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("spatten_select");
    m.doc("Finds the k-th largest weight of a row.");
    let rows = m.stream_in("rows", &job_fields(spec));
    let single = rows.get("last_key").eq(0).named("single");
    let feeding = m.reg("feeding", u(1));
    let searching = m.reg("searching", u(1));
    let idle = !*feeding & !*searching;
    let takes = (rows.valid & idle).named("takes");
    let starts = (takes & !single).named("starts");
    rows.ready.drive(idle);
    let slot = held(&m, "row_slot", rows.get("slot"), starts);
    let last_key = held(&m, "row_last_key", rows.get("last_key"), starts);

    let (lanes, lane_bits) = (spec.rows, spec.rows.trailing_zeros());
    let group_bits = spec.group_bits();
    let wide = last_key.resize(last_key.width().max(lane_bits + group_bits));
    let last_group = wide.slice(lane_bits + group_bits - 1, lane_bits);
    let group = m.reg("group", u(group_bits));
    let ends = (*feeding & group.eq(last_group)).named("fed");
    feeding.next(starts).enable(starts | ends);
    group.next(group + 1).enable(feeding).clear(ends);
    m.output("read", *feeding);
    m.output("index", slot.cat(*group));

    let valid = delayed_flag(&m, "valid", *feeding, 1);
    let last = delayed_flag(&m, "last", ends, 1);
    let inside: Vec<_> = match lane_bits {
        0 => vec![m.lit(u(1), 1)],
        _ => {
            let lane = wide.slice(lane_bits - 1, 0);
            numbered("inside", (0..lanes).map(|i| !last | lane.ge(i)))
        }
    };
    let bits = spec.probability_bits;
    let word = m.input("word", u(lanes * bits));
    let none = m.lit(s(bits + 1), 0);
    let weights: Vec<_> = (unpack(word, u(bits), lanes).iter().zip(&inside))
        .map(|(weight, inside)| {
            mux(*inside, weight.to_signed(), none).called_in(*weight, "inside").as_unsigned()
        })
        .collect();
    let search = Search { shape: spec.shape(), score_bits: bits + 1, keep256: spec.keep256 };
    let search = m.instance("search", &top_k::module("spatten_search", search));
    let visible = last_key.resize(spec.count_bits()) + 1;
    search
        .input("valid", valid)
        .input("last", last)
        .input("live", pack(&inside))
        .input("scores", pack(&weights))
        .input("visible", visible);
    let found = search.output("threshold_valid");
    searching.next(ends).enable(ends | found);
    let threshold = search.output("threshold").as_unsigned().truncate(bits);
    let alone = (takes & single).named("alone");
    let limit = Bundle::new([("threshold", threshold), ("ties", search.output("ties"))]);
    m.stream_out("limits", &Stream::source(&m, "limit", found | alone, limit));
    m.finish()
}
