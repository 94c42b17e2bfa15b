//! The list unit: groups of survivor bits become keys, one a cycle.
//!
//! Empty groups pass without a cycle for a key. The last group that has a key is held back until
//! its row's end is seen, so that the row's last key is known as such, and a row's only key too.

use super::AttendSpec;
use hwgen_hdl::lib::fifo::fifo;
use hwgen_hdl::lib::priority_encoder::priority_encoder;
use hwgen_hdl::{Bundle, Fields, Module, ModuleBuilder, Stream, fields, index_bits, u};
use std::sync::Arc;

/// Groups that wait for the list.
pub(super) const GROUPS: u32 = 4;

/// Stream `survivors`: `live`, a bit a key of the group; `last` of the row.
pub(super) fn survivor_fields(spec: &AttendSpec) -> Fields {
    fields([("live", u(spec.rows)), ("last", u(1))])
}

/// Module `attend_list`: stream `survivors` in, stream `slots` out: `key`, and whether it is the
/// `first` and the `row_end`.
pub(super) fn module(spec: &AttendSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("attend_list");
    m.doc("Survivor bits as a list of keys, one a cycle.");
    let survivors = m.stream_in("survivors", &survivor_fields(spec));
    let queue = m.instance("groups", &fifo(GROUPS as usize, &group_fields(spec)));
    queue.stream_into("in", hold_back(&m, spec, &survivors));
    let group = queue.stream_from("out");

    let listed = m.reg("listed", u(spec.rows));
    let pending = (group.get("live") & !listed).named("pending");
    let pick = priority_encoder(pending);
    let more = (pending & !pick.one_hot).any().named("more");
    let key = match spec.rows {
        1 => group.get("group"),
        _ => group.get("group").cat(pick.index),
    };
    let first = m.reg("first", u(1)).reset_to(1);
    let end = group.get("ends") & !more;
    let slot =
        Bundle::new([("key", key.resize(spec.key_bits())), ("first", *first), ("row_end", end)]);
    let slots = Stream::source(&m, "slots", group.valid, slot);
    let lists = slots.fires().named("lists");
    listed.next(more.mux(listed | pick.one_hot, 0)).enable(lists);
    first.next(end).enable(lists);
    group.ready.drive(lists & !more);
    m.stream_out("slots", &slots);
    m.finish()
}

fn group_fields(spec: &AttendSpec) -> Fields {
    let index = u(index_bits(spec.max_groups() as usize));
    fields([("live", u(spec.rows)), ("group", index), ("ends", u(1))])
}

/// The groups that have a key, with `ends` on the last of a row.
fn hold_back<'m>(m: &'m ModuleBuilder, spec: &AttendSpec, survivors: &Stream<'m>) -> Stream<'m> {
    let held = m.reg("held", u(1));
    let live = m.reg("held_live", u(spec.rows)).no_reset();
    let index = m.reg("held_group", u(index_bits(spec.max_groups() as usize))).no_reset();
    let ends = m.reg("held_ends", u(1)).no_reset();

    let (some, last) = (survivors.get("live").any().named("some"), survivors.get("last"));
    let decided = (ends | (survivors.valid & (some | last))).named("decided");
    let group = Bundle::new([("live", *live), ("group", *index), ("ends", ends | !some)]);
    let out = Stream::source(m, "decided_group", held & decided, group);
    survivors.ready.drive(!held | *out.ready);

    let takes = survivors.fires().named("takes");
    let keeps = (takes & some).named("keeps");
    held.next(keeps | (held & !out.fires()));
    live.next(survivors.get("live")).enable(keeps);
    ends.next(last).enable(keeps);
    let group = m.reg("group", index.ty());
    group.next(group + 1).enable(takes).clear(takes & last);
    index.next(*group).enable(keeps);
    m.promise("a row has a surviving key", !takes | !last | some | (held & !ends));
    out
}
