//! A tile: query rows side by side, so that a key is read once for all of them.
//!
//! ```text
//! rows --> gather --> issue --> key banks --+--> lane 0: score, limit, queue, filter --+--> merge --> out
//!                                           +--> lane 1: score, limit, queue, filter --+
//! ```
//!
//! The rows of a tile begin together and meet each key in the same cycle, in groups of `rows / tile`
//! keys; one that sees fewer keys ends earlier. A lane's survivors wait in groups of `rows` keys, and
//! leave row by row.

pub(super) mod cost;
mod gather;
mod lane;

use super::{LapaPredictorSpec, cost as of_round, round, shift_accumulate};
use crate::attention::predictor::front::place;
use crate::wiring::{delayed_flag, held, pack};
use gather::Gathered;
use hwgen_hdl::lib::fifo::fifo;
use hwgen_hdl::{
    Bundle, Fields, Module, ModuleBuilder, Signal, Stream, fields, index_bits, reduce, u,
};
use std::sync::Arc;

/// A row: what a round takes, and `last_key`, the index of the last key that it sees.
pub(super) fn row_fields(spec: &LapaPredictorSpec) -> Fields {
    let last_key = fields([("last_key", u(spec.count_bits()))]);
    round::row_fields(spec).into_iter().chain(last_key).collect()
}

/// The tile; module `lapa_tile`.
///
/// - Keys are written one at a time, as in a round, in groups of `rows / tile`.
/// - Stream `rows` in: `tile` of them make a tile, fewer when the head ends. `head_done` tells that
///   the last group of a head is read.
/// - Stream `out`: groups of `rows` keys with the survivors, row by row.
pub(super) fn module(spec: &LapaPredictorSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("lapa_tile");
    m.doc("Scores a group of keys a cycle against the rows of a tile, a lane each.");
    let of_lane = spec.lane();
    let rows = m.stream_in("rows", &row_fields(spec));
    let gathered = gather::gather(&m, &rows, spec.tile);

    // one unit for all lanes, whose rows come one by one
    let zero = m
        .instance("zero_key", &shift_accumulate::zero_module(&of_lane, 0))
        .input("valid", rows.fires())
        .input("codes", rows.get("codes"))
        .output("zero");

    let group = m.reg("group", u(index_bits(of_lane.max_groups() as usize)));
    let (issue, begins) = (m.wire("issue", u(1)), m.wire("tile_begins", u(1)));
    let first = (!group.any()).named("tile_first");
    let row = |lane: u32| {
        let row = &gathered.rows[lane as usize];
        let here = kept(format!("here_{lane}"), gathered.here(lane), *begins, first);
        let last_key = kept(format!("last_key_{lane}"), row.get("last_key"), *begins, first);
        let (last_lane, last_group) = place(of_lane.shape(), last_key);
        let ends = (*group).eq(last_group).named(format!("row_ends_{lane}"));
        let sees = |key: u32| last_lane.map_or(m.lit(u(1), 1), |last| !ends | last.ge(key));
        let sees: Vec<_> = (0..of_lane.rows).map(sees).collect();
        let runs = (here & group.le(last_group)).named(format!("runs_{lane}"));
        let ended = (!here | group.ge(last_group)).named(format!("ended_{lane}"));
        Row { runs, ended, ends, live: pack(&sees) }
    };
    let lanes: Vec<_> = (0..spec.tile).map(row).collect();
    let head_ends = kept("head_ends".to_owned(), gathered.head_ends(), *begins, first);
    let ended: Vec<_> = lanes.iter().map(|lane| lane.ended).collect();
    let tile_ends = reduce(&ended, |a, b| a & b).named("tile_ends");
    group.next(group + 1).enable(*issue).clear(*issue & tile_ends);
    gathered.taken.drive(*begins);
    m.output("head_done", *issue & tile_ends & head_ends);

    let banks = round::banks(&m, &of_lane, 0, *group, |key| {
        let reads: Vec<_> = lanes.iter().map(|lane| lane.runs & lane.live.bit(key)).collect();
        *issue & reduce(&reads, |a, b| a | b)
    });
    let keys: Vec<_> = banks.iter().map(|bank| bank.output("keys")).collect();
    let (mut fits, mut survivors) = (vec![], vec![]);
    let module = lane::module(spec);
    for (i, lane) in lanes.iter().enumerate() {
        let (row, takes) = (&gathered.rows[i], gathered.takes[i]);
        let zero_comes = format!("zero_{i}_comes");
        let zero_comes = delayed_flag(&m, &zero_comes, takes, of_round::raw_cycles(&of_lane));
        let instance = m.instance(format!("lane_{i}"), &module);
        instance
            .input("issue", *issue & lane.runs)
            .input("live", lane.live)
            .input("last", lane.ends)
            .input("keys", pack(&keys))
            .input("zero", held(&m, format!("zero_{i}"), zero, zero_comes));
        for (field, _) in lane::row_fields(spec) {
            instance.input(&field, row.get(&field));
        }
        fits.push(!lane.runs | instance.output("fits"));
        survivors.push(instance.stream_from("out"));
    }
    let there = !first | gathered.full;
    issue.drive(there & reduce(&fits, |a, b| a & b));
    begins.drive(*issue & first);

    m.stream_out("out", &merge(&m, spec, &gathered, *begins, survivors));
    m.finish()
}

/// What is at hand when the tile `begins`, with its `first` group, kept for the others.
fn kept<'m>(name: String, value: Signal<'m>, begins: Signal<'m>, first: Signal<'m>) -> Signal<'m> {
    first.mux(value, held(value.module(), name, value, begins))
}

/// A row of a tile.
struct Row<'m> {
    /// The group is one of its.
    runs: Signal<'m>,
    /// It has no group after this one.
    ended: Signal<'m>,
    /// The group is its last.
    ends: Signal<'m>,
    /// Which keys of the group it sees.
    live: Signal<'m>,
}

/// The lanes' survivors, row after row of a tile, tile after tile.
fn merge<'m>(
    m: &'m ModuleBuilder,
    spec: &LapaPredictorSpec,
    gathered: &Gathered<'m>,
    begins: Signal<'m>,
    lanes: Vec<Stream<'m>>,
) -> Stream<'m> {
    // how many rows of a tile are to leave
    let tile = Bundle::new([("last_lane", gathered.last_lane)]);
    let begun = Stream::source(m, "tile_begun", begins, tile);
    let room = *begun.ready | !begins;
    m.promise("there is room for a tile that begins", room);
    let tiles = fifo(cost::tiles_in_flight(spec) as usize, &begun.payload.shape());
    let tiles = begun.through("tiles", &tiles);

    let lane = m.reg("leaving", tiles.get("last_lane").ty());
    let valid: Vec<_> = lanes.iter().map(|stream| stream.valid).collect();
    let fields = lanes[0].payload.iter().map(|(name, _)| {
        let choices: Vec<_> = lanes.iter().map(|stream| stream.get(name)).collect();
        (name.to_string(), lane.select(&choices))
    });
    let out = Stream::source(m, "out", tiles.valid & lane.select(&valid), Bundle::new(fields));
    for (i, stream) in lanes.iter().enumerate() {
        stream.ready.drive(*out.ready & tiles.valid & lane.eq(i as u32));
    }
    let leaves = (out.fires() & out.get("last")).named("row_leaves");
    let tile_leaves = (leaves & lane.eq(tiles.get("last_lane"))).named("tile_leaves");
    lane.next(lane + 1).enable(leaves).clear(tile_leaves);
    tiles.ready.drive(tile_leaves);
    out
}
