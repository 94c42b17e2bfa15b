//! Which columns are made: from groups of needed columns to tokens for the layer that makes keys and
//! values, and back into the exact stage's order.

use super::LayerSpec;
use super::job::Job;
use hwgen_hdl::lib::fifo::{Storage, fifo, fifo_with};
use hwgen_hdl::{Bundle, Fields, ModuleBuilder, Signal, Stream, fields, index_bits, u};

/// Needed columns, `rows` a group: `needed`, a bit a column; `last` of the key head.
pub(super) fn needed_fields(spec: &LayerSpec) -> Fields {
    fields([("needed", u(spec.rows)), ("last", u(1))])
}

/// What is to be made.
pub(super) struct Plan<'m> {
    /// The tokens whose columns are needed: `index`, `last` of the key head.
    pub(super) asked: Stream<'m>,
    /// A beat a column: `needed`, `last`.
    pub(super) columns: Stream<'m>,
}

/// Walks the columns of groups, one a cycle. A needed one is held until the next one, or the end,
/// is found: only then is it known whether it is the last.
pub(super) fn plan<'m>(
    m: &'m ModuleBuilder,
    spec: &LayerSpec,
    job: &Job<'m>,
    groups: &Stream<'m>,
) -> Plan<'m> {
    let index = m.reg("column", u(index_bits(spec.max_keys as usize)));
    let (needed, group_ends) = in_group(spec, groups.get("needed"), *index);
    let needed = needed.named("column_needed");
    let last = job.is_last(*index);
    let (holds, ending) = (m.reg("holds_column", u(1)), m.reg("columns_ending", u(1)));
    let held = m.reg("held_column", index.ty()).no_reset();

    let walks = (groups.valid & !*ending).named("walks_columns");
    // both queues are full only until they are emptied: an offer never goes away
    let (columns_fit, asked_fits) = (m.wire("columns_fit", u(1)), m.wire("asked_fits", u(1)));
    let hands_on = (needed & *holds).named("hands_on");
    let steps = (walks & *columns_fit & (!hands_on | *asked_fits)).named("steps_column");
    let columns = Bundle::new([("needed", needed), ("last", last)]);
    let columns = Stream::source(m, "columns", walks & (!hands_on | *asked_fits), columns);
    columns_fit.drive(*columns.ready);
    let asked = Bundle::new([("index", *held), ("last", *ending)]);
    let offers = *ending | (walks & hands_on & *columns_fit);
    let asked = Stream::source(m, "held_asks", offers, asked);
    asked_fits.drive(*asked.ready);

    index.next(index + 1).enable(steps).clear(steps & last);
    held.next(*index).enable(steps & needed);
    let ended = (*ending & *asked_fits).named("columns_ended");
    holds.next(steps & needed).enable((steps & needed) | ended);
    ending.next(steps & last).enable((steps & last) | ended);
    groups.ready.drive(steps & (group_ends | last));

    let places = spec.max_keys as usize;
    let queue = fifo_with(Storage::BlockRam, places, &columns.payload.shape());
    let columns = columns.through("column_queue", &queue);
    let queue = fifo(2, &asked.payload.shape());
    let asked = asked.through("asked_queue", &queue);
    Plan { asked, columns }
}

/// The bit of a token in its group, and whether it is the group's last.
pub(super) fn in_group<'m>(
    spec: &LayerSpec,
    bits: Signal<'m>,
    index: Signal<'m>,
) -> (Signal<'m>, Signal<'m>) {
    let lane_bits = spec.rows.trailing_zeros();
    if lane_bits == 0 {
        return (bits, bits.module().lit(u(1), 1));
    }
    let lane = index.resize(index.width().max(lane_bits)).truncate(lane_bits);
    let lanes: Vec<_> = (0..spec.rows).map(|lane| bits.bit(lane)).collect();
    (lane.select(&lanes), lane.all())
}

/// All columns of each key head: `index`, `last`.
pub(super) fn all<'m>(m: &'m ModuleBuilder, spec: &LayerSpec, job: &Job<'m>) -> Stream<'m> {
    let index = m.reg("column", u(index_bits(spec.max_keys as usize)));
    let (last, ends) = (job.is_last(*index), m.wire("columns_end_asked", u(1)));
    let payload = Bundle::new([("index", *index), ("last", last)]);
    let asked = Stream::source(m, "column_asks", job.make_all(m, *ends), payload);
    ends.drive(asked.fires() & last);
    index.next(index + 1).enable(asked.fires()).clear(*ends);
    asked
}

/// Keys and values as they were made (`data`), as the exact stage takes them: `key`, `value`,
/// `last`. A column that was not made is zero.
pub(super) fn merge<'m>(m: &'m ModuleBuilder, plan: &Stream<'m>, made: &Stream<'m>) -> Stream<'m> {
    let needed = plan.get("needed");
    let [key, value] = halves(made);
    let zero = m.lit(key.ty(), 0);
    let payload = Bundle::new([
        ("key", needed.mux(key, zero)),
        ("value", needed.mux(value, zero)),
        ("last", plan.get("last")),
    ]);
    let columns = Stream::source(m, "key_or_zero", plan.valid & (!needed | made.valid), payload);
    plan.ready.drive(columns.fires());
    made.ready.drive(columns.fires() & needed);
    columns
}

/// The key and the value in a result of the layer that makes them.
pub(super) fn halves<'m>(made: &Stream<'m>) -> [Signal<'m>; 2] {
    let data = made.get("data");
    let bits = data.width() / 2;
    [data.truncate(bits), data.high(bits)]
}
