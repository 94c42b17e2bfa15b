//! The top: loads a head's keys, encodes queries, chains the rounds.
//!
//! ```text
//! keys ----> slices ----> round 0's banks, round 1's banks, ..
//! queries -> encode --+-> groups --> round 0 --> groups --> round 1 --> .. --> out
//!                     +-> row -------^   +-----> row queue ----^
//! ```
//!
//! or, with tiles, sends rows to a tile in place of groups to rounds.

use super::{LapaPredictorSpec, cost, mass, round, tile};
use crate::attention::attend::spec::{SCALE_BITS, SHIFT_BITS};
use crate::attention::predictor::front::Front;
use crate::attention::predictor::leading_one;
use crate::wiring::{pack, unpack};
use hwgen_hdl::lib::fifo::{Storage, fifo_with};
use hwgen_hdl::lib::register_slice::{Cut, slice_stream};
use hwgen_hdl::{Bundle, Fields, Module, ModuleBuilder, Signal, Stream, fields, u};
use std::sync::Arc;

/// Stream `keys`: `data`, a key of `head_dim` elements, element 0 low; `last` of the head.
pub(super) fn key_fields(spec: &LapaPredictorSpec) -> Fields {
    fields([("data", u(spec.head_dim * spec.key_bits())), ("last", u(1))])
}

/// Stream `queries`: `data`, a query of `head_dim` elements, element 0 low; `visible` keys;
/// `radius` in mode `radius`, `scale` and `shift` in mode `mass`; `last` of the head.
pub(super) fn query_fields(spec: &LapaPredictorSpec) -> Fields {
    let mut query =
        vec![("data", u(spec.head_dim * spec.query_bits)), ("visible", u(spec.count_bits()))];
    if spec.has_radius() {
        query.push(("radius", u(spec.radius_bits())));
    }
    if spec.has_scale() {
        query.extend([("scale", u(SCALE_BITS)), ("shift", u(SHIFT_BITS))]);
    }
    query.push(("last", u(1)));
    fields(query)
}

/// The top module; see [`super::build`].
pub(super) fn module(spec: &LapaPredictorSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("lapa_predictor");
    m.doc("LAPA attention predictor: which keys a query will attend to, and their scores.");
    let keys = m.stream_in("keys", &key_fields(spec));
    let queries = m.stream_in("queries", &query_fields(spec));

    let front = Front::new(&m, spec.lane().shape(), &keys, &queries);
    let encoded = encode(&m, spec, &front, &queries);
    let groups = match spec.tile {
        1 => rounds(&m, spec, &front, &encoded, &keys),
        _ => tiles(&m, spec, &front, encoded, &keys),
    };
    let mut out = Bundle::new([("survivors", groups.get("live"))]);
    if spec.scores {
        out = out.with("scores", groups.get("scores"));
    }
    let out = groups.with_payload(out.with("row_last", groups.get("last")));
    m.stream_out("out", &slice_stream(Cut::Forward, "result", &out));
    m.finish()
}

/// The chain of rounds: a row's groups, one after the other, then the next row's.
fn rounds<'m>(
    m: &'m ModuleBuilder,
    spec: &LapaPredictorSpec,
    front: &Front<'m>,
    encoded: &Stream<'m>,
    keys: &Stream<'m>,
) -> Stream<'m> {
    let (mut groups, mut row) = front.split(encoded, &round::row_fields(spec));
    for r in 0..spec.rounds() {
        let round = m.instance(format!("round_{r}"), &round::module(spec, r));
        round
            .input("write", front.write)
            .input("write_group", front.write_group)
            .input("write_keys", slices(spec, keys.get("data"), r));
        round.stream_into("groups", groups);
        round.stream_into("row", row);
        groups = round.stream_from("out");
        if r + 1 == spec.rounds() {
            front.done.drive(round.output("head_done"));
            break;
        }
        let depth = cost::rows_in_flight(spec, r) as usize;
        let queue = fifo_with(Storage::BlockRam, depth, &round::row_fields(spec));
        let queue = m.instance(format!("row_queue_{}", r + 1), &queue);
        queue.stream_into("in", round.stream_from("row_out"));
        row = queue.stream_from("out");
    }
    groups
}

/// The tile: groups of several rows side by side.
fn tiles<'m>(
    m: &'m ModuleBuilder,
    spec: &LapaPredictorSpec,
    front: &Front<'m>,
    encoded: Stream<'m>,
    keys: &Stream<'m>,
) -> Stream<'m> {
    let tile = m.instance("tile", &tile::module(spec));
    tile.input("write", front.write)
        .input("write_group", front.write_group)
        .input("write_keys", slices(spec, keys.get("data"), 0));
    let row = tile::row_fields(spec);
    let row = Bundle::new(row.iter().map(|(name, _)| (name.to_string(), encoded.get(name))));
    tile.stream_into("rows", encoded.with_payload(row));
    front.done.drive(tile.output("head_done"));
    tile.stream_from("out")
}

/// Slice `round` of every element of a key.
fn slices<'m>(spec: &LapaPredictorSpec, key: Signal<'m>, round: usize) -> Signal<'m> {
    let (low, width) = (spec.slice_low(round), spec.key_slices[round]);
    let elements = unpack(key, u(spec.key_bits()), spec.head_dim);
    let slices = elements.iter().map(|x| x.slice(low + width - 1, low));
    pack(&slices.collect::<Vec<_>>())
}

/// Queries as rows of leading-one codes, with `last_key`, the index of the last visible key.
fn encode<'m>(
    m: &'m ModuleBuilder,
    spec: &LapaPredictorSpec,
    front: &Front<'m>,
    queries: &Stream<'m>,
) -> Stream<'m> {
    let encoder = leading_one::module("lapa_leading_one", spec.code());
    let elements = unpack(queries.get("data"), hwgen_hdl::s(spec.query_bits), spec.head_dim);
    let codes: Vec<_> = (elements.into_iter().enumerate())
        .map(|(i, x)| {
            let encoder = m.instance(format!("encode_{i}"), &encoder);
            encoder.input("x", x).output("code")
        })
        .collect();
    let visible = front.visible(queries);

    let mut row = Bundle::new([("codes", pack(&codes)), ("last", queries.get("last"))]);
    if spec.has_radius() {
        row = row.with("radius", queries.get("radius"));
    }
    if spec.has_scale() {
        let octave = mass::octave(queries.get("scale"), queries.get("shift"));
        row = row.with("half", octave.half).with("octave", octave.exponent);
    }
    row = row.with("visible", visible).with("last_key", visible - 1);
    front.rows(queries, row)
}
