//! The top: loads a head's keys, encodes queries, chains the rounds.
//!
//! ```text
//! keys ----> slices ----> round 0's banks, round 1's banks, ..
//! queries -> encode --+-> groups --> round 0 --> groups --> round 1 --> .. --> out
//!                     +-> row -------^   +-----> row queue ----^
//! ```

use super::{Filter, LapaSpec, cost, leading_one, round};
use crate::wiring::{pack, unpack};
use hwgen_hdl::lib::fifo::{Storage, fifo_with};
use hwgen_hdl::lib::register_slice::{Cut, slice_stream};
use hwgen_hdl::{
    Bundle, Fields, Module, ModuleBuilder, Signal, Stream, fields, index_bits, mux, u,
};
use std::sync::Arc;

/// Stream `keys`: `data`, a key of `head_dim` elements, element 0 low; `last` of the head.
pub(super) fn key_fields(spec: &LapaSpec) -> Fields {
    fields([("data", u(spec.head_dim * spec.key_bits())), ("last", u(1))])
}

/// Stream `queries`: `data`, a query of `head_dim` elements, element 0 low; `visible` keys;
/// `radius` in mode `radius`; `last` of the head.
pub(super) fn query_fields(spec: &LapaSpec) -> Fields {
    let mut query =
        vec![("data", u(spec.head_dim * spec.query_bits)), ("visible", u(spec.count_bits()))];
    if spec.has_radius() {
        query.push(("radius", u(spec.radius_bits())));
    }
    query.push(("last", u(1)));
    fields(query)
}

/// The top module; see [`super::build`].
pub(super) fn module(spec: &LapaSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("lapa_predictor");
    m.doc("LAPA attention predictor: which keys a query will attend to, and their scores.");
    parameters(&m, spec);
    let keys = m.stream_in("keys", &key_fields(spec));
    let queries = m.stream_in("queries", &query_fields(spec));

    let head_done = m.wire("head_done", u(1));
    let loading = m.reg("loading", u(1)).reset_to(1);
    let querying = m.reg("querying", u(1));
    let keys_end = (keys.fires() & keys.get("last")).named("keys_end");
    let queries_end = (queries.fires() & queries.get("last")).named("queries_end");
    loading.next(*head_done).enable(*head_done | keys_end);
    querying.next(keys_end).enable(keys_end | queries_end);
    keys.ready.drive(*loading);

    let key_count = m.reg("key_count", u(spec.count_bits()));
    let store = (keys.fires() & key_count.lt(spec.max_keys)).named("store");
    key_count.next(key_count + 1).enable(store).clear(*head_done);
    let (write, write_group) = key_place(&m, spec, *key_count, store);

    let encoded = encode(&m, spec, &queries, *querying, *key_count);
    let (mut groups, mut row) = split(&m, spec, &encoded);
    for r in 0..spec.rounds() {
        let round = m.instance(format!("round_{r}"), &round::module(spec, r));
        round
            .input("write", write)
            .input("write_group", write_group)
            .input("write_keys", slices(spec, keys.get("data"), r));
        round.stream_into("groups", groups);
        round.stream_into("row", row);
        groups = round.stream_from("out");
        if r + 1 == spec.rounds() {
            head_done.drive(round.output("head_done"));
            break;
        }
        let depth = cost::rows_in_flight(spec, r) as usize;
        let queue = fifo_with(Storage::BlockRam, depth, &round::row_fields(spec));
        let queue = m.instance(format!("row_queue_{}", r + 1), &queue);
        queue.stream_into("in", round.stream_from("row_out"));
        row = queue.stream_from("out");
    }
    let out = groups.with_payload(Bundle::new([
        ("survivors", groups.get("live")),
        ("scores", groups.get("scores")),
        ("row_last", groups.get("last")),
    ]));
    m.stream_out("out", &slice_stream(Cut::Forward, "result", &out));
    m.finish()
}

fn parameters(m: &ModuleBuilder, spec: &LapaSpec) {
    let filter = match &spec.filter {
        Filter::MeanMax { alpha16 } => format!("mean_max, alpha16 {alpha16:?}"),
        Filter::Sigma { c16 } => format!("sigma, c16 {c16:?}"),
        Filter::Radius { alpha16 } => format!("radius, alpha16 {alpha16:?}"),
        Filter::TopK { keep256 } => format!("top_k, keep256 {keep256:?}"),
    };
    m.parameter("head_dim", spec.head_dim);
    m.parameter("max_keys", spec.max_keys);
    m.parameter("rows", spec.rows);
    m.parameter("query_bits", spec.query_bits);
    m.parameter("key_slices", format!("{:?}", spec.key_slices));
    m.parameter("round_leading_one", spec.round_leading_one);
    m.parameter("approx_mean", spec.approx_mean);
    m.parameter("filter", filter);
}

/// Key `index`'s group, and its bank's bit if `store`.
fn key_place<'m>(
    m: &'m ModuleBuilder,
    spec: &LapaSpec,
    index: Signal<'m>,
    store: Signal<'m>,
) -> (Signal<'m>, Signal<'m>) {
    let (bank, group) = place(spec, index);
    let write = match bank {
        None => store,
        Some(bank) => store.mux(m.lit(u(spec.rows), 1), 0).shl(bank).named("write"),
    };
    (write, group)
}

/// A key's position in its group (none if groups are single keys) and its group.
fn place<'m>(spec: &LapaSpec, index: Signal<'m>) -> (Option<Signal<'m>>, Signal<'m>) {
    let group_bits = index_bits(spec.max_groups() as usize);
    let lane_bits = spec.rows.trailing_zeros();
    let index = index.resize(index.width().max(lane_bits + group_bits));
    let group = index.slice(lane_bits + group_bits - 1, lane_bits);
    let lane = (lane_bits > 0).then(|| index.slice(lane_bits - 1, 0));
    (lane, group)
}

/// Slice `round` of every element of a key.
fn slices<'m>(spec: &LapaSpec, key: Signal<'m>, round: usize) -> Signal<'m> {
    let (low, width) = (spec.slice_low(round), spec.key_slices[round]);
    let elements = unpack(key, u(spec.key_bits()), spec.head_dim);
    let slices = elements.iter().map(|x| x.slice(low + width - 1, low));
    pack(&slices.collect::<Vec<_>>())
}

/// Queries as rows of leading-one codes, with `last_key`, the index of the last visible key.
fn encode<'m>(
    m: &'m ModuleBuilder,
    spec: &LapaSpec,
    queries: &Stream<'m>,
    querying: Signal<'m>,
    key_count: Signal<'m>,
) -> Stream<'m> {
    let encoder = leading_one::module(spec);
    let elements = unpack(queries.get("data"), hwgen_hdl::s(spec.query_bits), spec.head_dim);
    let codes: Vec<_> = (elements.into_iter().enumerate())
        .map(|(i, x)| {
            let encoder = m.instance(format!("encode_{i}"), &encoder);
            encoder.input("x", x).output("code")
        })
        .collect();
    let visible = queries.get("visible");
    let most = visible.gt(key_count).mux(key_count, visible);
    let visible = most.any().mux(most, 1).named("visible");

    let mut row = Bundle::new([("codes", pack(&codes)), ("last", queries.get("last"))]);
    if spec.has_radius() {
        row = row.with("radius", queries.get("radius"));
    }
    row = row.with("visible", visible).with("last_key", visible - 1);
    let gated = Stream {
        valid: queries.valid & querying,
        payload: row,
        ready: m.wire("encoder_ready", u(1)),
    };
    queries.ready.drive(querying & *gated.ready);
    slice_stream(Cut::Forward, "encoded", &gated)
}

/// An encoded row's groups, and beside them the row itself.
fn split<'m>(
    m: &'m ModuleBuilder,
    spec: &LapaSpec,
    encoded: &Stream<'m>,
) -> (Stream<'m>, Stream<'m>) {
    let (last_lane, last_group) = place(spec, encoded.get("last_key"));
    let group = m.reg("group", last_group.ty());
    let ends = group.eq(last_group).named("row_ends");
    let live = match last_lane {
        None => m.lit(u(1), 1),
        Some(last_lane) => {
            let sees = |lane| (!ends | last_lane.ge(lane)).named(format!("sees_{lane}"));
            pack(&(0..spec.rows).map(sees).collect::<Vec<_>>())
        }
    };
    let payload = Bundle::new([("live", live), ("last", ends)]);
    let groups = Stream::source(m, "groups", encoded.valid, payload);
    group.next(mux(ends, m.lit(group.ty(), 0), group + 1)).enable(groups.fires());

    let fields = round::row_fields(spec);
    let row = Bundle::new(fields.iter().map(|(name, _)| (name, encoded.get(name))));
    let row = Stream::source(m, "row", encoded.valid, row);
    encoded.ready.drive(groups.fires() & ends);
    (groups, row)
}
