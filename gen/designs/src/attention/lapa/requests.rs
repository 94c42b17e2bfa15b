//! Which columns are made, and in which order: each when the first row that keeps it is known.

use super::LapaSpec;
use crate::wiring::{held, pack, unpack};
use hwgen_hdl::lib::extrema::maximum;
use hwgen_hdl::lib::fifo::{Storage, fifo_with};
use hwgen_hdl::lib::priority_encoder::priority_encoder;
use hwgen_hdl::lib::stream_fork::fork_stream;
use hwgen_hdl::{Bundle, Module, ModuleBuilder, Signal, Stream, bits_for, fields, index_bits, u};
use std::sync::Arc;

/// Module `column_requests`.
///
/// Stream `survivors` in: `live`, a bit a column of the group; `last` of the row; `head_last`, the row
/// is its key head's last. Streams out: `rows`, the same and `mark`, which counts with the row's `last`:
/// how many of the head's columns have to be made before the row can be attended to; `columns`, one
/// a beat in the order in which they are made: `index`, or `ends` behind the head's last.
///
/// A memory holds each column's place in that order, from 1 on, 0 if nobody has asked for it. A row's
/// mark is the largest place of its columns. A head's first look at a group finds it empty, so that
/// nothing is ever cleared.
pub(super) fn module(spec: &LapaSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("column_requests");
    m.doc("Columns in the order in which rows ask for them, and how many each row waits for.");
    let (rows, order) = (spec.shape().rows, u(spec.count_bits()));
    let groups = spec.importance().max_groups();
    let survivors = m.stream_in("survivors", &row_fields(spec, &[]));

    let memory = m.memory("places", groups as usize, u(rows * order.width));
    let (takes, row_ends) = (survivors.fires().named("takes"), survivors.get("last"));
    let group = m.reg("group", memory.address_type());
    group.next(group + 1).enable(takes).clear(takes & row_ends);
    let seen = m.reg("seen", u(bits_for(groups.into())));
    let unseen = seen.eq(group.resize(seen.width())).named("unseen");
    let head_ends = takes & row_ends & survivors.get("head_last");
    seen.next(seen + 1).enable(takes & unseen).clear(head_ends);
    let word = memory.read_sync(*group, takes);

    let live = held(&m, "live", survivors.get("live"), takes);
    let last = held(&m, "last", row_ends, takes);
    let head_last = held(&m, "head_last", survivors.get("head_last"), takes);
    let (group_now, fresh) =
        (held(&m, "group_now", *group, takes), held(&m, "fresh", unseen, takes));
    let shown = m.reg("shown", u(1));
    let marks = m.wire("marks", u(1));
    // the memory shows what stood there before a write at the same edge
    let again = held(&m, "again", *marks & group.eq(group_now), takes);
    let written = m.reg("written", u(rows * order.width)).no_reset();
    let before = again.mux(*written, word);
    let before = fresh.mux(m.lit(before.ty(), 0), before).named("places_before");
    let places = unpack(before, order, rows);

    let asks: Vec<Signal<'_>> = (places.iter().zip(0..))
        .map(|(place, lane)| (live.bit(lane) & !place.any()).named(format!("asks_{lane}")))
        .collect();
    let asked = m.reg("asked", order);
    let counts = running_counts(&asks, order.width);
    let after = (asked + counts[counts.len() - 1]).named("asked_after");
    let new: Vec<Signal<'_>> = (places.iter().zip(&asks).zip(&counts))
        .map(|((place, asks), count)| asks.mux(asked + *count, *place))
        .collect();
    let new = pack(&new).named("places_after");
    written.next(new).enable(*marks);
    memory.write(group_now, new, *marks);
    let asks = pack(&asks).named("asks");
    let some = asks.any().named("some_ask");
    let ends = (last & head_last).named("head_ends");
    asked.next(after).enable(*marks).clear(*marks & ends);
    let old: Vec<Signal<'_>> =
        (places.iter().zip(0..)).map(|(place, lane)| live.bit(lane).mux(*place, 0)).collect();
    // who asks now stands behind all who have asked
    let of_group = some.mux(after, maximum(&old).value);
    let so_far = m.reg("mark_so_far", order);
    let mark = of_group.gt(so_far).mux(of_group, *so_far).named("mark");
    so_far.next(mark).enable(*marks).clear(*marks & last);

    let row =
        Bundle::new([("live", live), ("mark", mark), ("last", last), ("head_last", head_last)]);
    let wanted = Bundle::new([("asks", asks), ("group", group_now), ("ends", ends)]);
    let marked = Stream::source(&m, "marked", *shown, Bundle::new([("some", some | ends)]));
    let parts = vec![row, wanted.with("some", marked.get("some"))];
    let mut parts = fork_stream(&m, "marked_to", &marked, parts);
    marks.drive(marked.fires());
    let may_take = *marked.ready | !shown;
    shown.next(survivors.valid).enable(may_take);
    survivors.ready.drive(may_take);
    let (wanted, row) = (parts.remove(1), parts.remove(0));
    m.stream_out("rows", &row);
    m.stream_out("columns", &walk(&m, spec, &wanted));
    m.finish()
}

/// Fields of a group of a row: `live`, then more, `last` of the row, `head_last`.
pub(super) fn row_fields(spec: &LapaSpec, more: &[(&str, u32)]) -> hwgen_hdl::Fields {
    let more = more.iter().map(|(name, bits)| (*name, u(*bits)));
    let last = [("last", u(1)), ("head_last", u(1))];
    fields([("live", u(spec.shape().rows))].into_iter().chain(more).chain(last))
}

/// How many of the bits up to each one are 1, in numbers of so many bits.
fn running_counts<'m>(bits: &[Signal<'m>], width: u32) -> Vec<Signal<'m>> {
    let mut counts: Vec<_> = bits.iter().map(|bit| bit.extend(width)).collect();
    let mut reach = 1;
    while reach < counts.len() {
        let shorter = counts.clone();
        for (lane, count) in counts.iter_mut().enumerate().skip(reach) {
            *count = *count + shorter[lane - reach];
        }
        reach *= 2;
    }
    counts
}

/// The columns of the groups in which some are asked for, and the ends of heads, through a queue.
fn walk<'m>(m: &'m ModuleBuilder, spec: &LapaSpec, wanted: &Stream<'m>) -> Stream<'m> {
    let some = wanted.get("some");
    let payload = Bundle::new(wanted.payload.iter().filter(|(name, _)| *name != "some"));
    let asked = Stream::source(m, "wanted", wanted.valid & some, payload);
    wanted.ready.drive(*asked.ready | !some);
    let queue =
        fifo_with(Storage::BlockRam, spec.shape().max_keys as usize, &asked.payload.shape());
    let group = asked.through("wanted_queue", &queue);

    let walked = m.reg("walked", u(spec.shape().rows));
    let pending = (group.get("asks") & !walked).named("pending");
    let pick = priority_encoder(pending);
    let more = (pending & !pick.one_hot).any().named("more");
    let index = match spec.shape().rows {
        1 => group.get("group"),
        _ => group.get("group").cat(pick.index),
    };
    let index = index.resize(index_bits(spec.shape().max_keys as usize));
    let columns = Bundle::new([("index", index), ("ends", pick.none)]);
    let columns = Stream::source(m, "columns", group.valid, columns);
    let done = pick.none | (!more & !group.get("ends"));
    let (steps, done) = (columns.fires().named("walks"), done.named("group_done"));
    walked.next(walked | pick.one_hot).enable(steps).clear(steps & done);
    group.ready.drive(steps & done);
    columns
}
