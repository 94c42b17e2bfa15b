//! The front of a predictor: keys, then rows, cut into groups of keys.

use crate::attention::Shape;
use crate::wiring::pack;
use hwgen_hdl::lib::register_slice::{Cut, slice_stream};
use hwgen_hdl::{Bundle, Fields, ModuleBuilder, Reg, Signal, Stream, Wire, index_bits, mux, u};

/// A head on its way in: its keys are taken until `last`, then its rows until `last`, and keys
/// again after `done`.
pub(crate) struct Front<'m> {
    m: &'m ModuleBuilder,
    shape: Shape,
    /// To be driven: the banks are not read any more.
    pub(crate) done: Wire<'m>,
    querying: Reg<'m>,
    key_count: Reg<'m>,
    /// This cycle's key is to be written: a bit a key of the group.
    pub(crate) write: Signal<'m>,
    /// To this group.
    pub(crate) write_group: Signal<'m>,
}

impl<'m> Front<'m> {
    /// Takes keys; of the streams' fields it looks at `last` alone.
    pub(crate) fn new(
        m: &'m ModuleBuilder,
        shape: Shape,
        keys: &Stream<'m>,
        queries: &Stream<'m>,
    ) -> Front<'m> {
        let done = m.wire("head_done", u(1));
        let loading = m.reg("loading", u(1)).reset_to(1);
        let querying = m.reg("querying", u(1));
        let keys_end = (keys.fires() & keys.get("last")).named("keys_end");
        let queries_end = (queries.fires() & queries.get("last")).named("queries_end");
        loading.next(*done).enable(*done | keys_end);
        querying.next(keys_end).enable(keys_end | queries_end);
        keys.ready.drive(*loading);

        let key_count = m.reg("key_count", u(shape.count_bits()));
        let store = (keys.fires() & key_count.lt(shape.max_keys)).named("store");
        key_count.next(key_count + 1).enable(store).clear(*done);
        let (bank, write_group) = place(shape, *key_count);
        let write = match bank {
            None => store,
            Some(bank) => store.mux(m.lit(u(shape.rows), 1), 0).shl(bank).named("write"),
        };
        Front { m, shape, done, querying, key_count, write, write_group }
    }

    /// The number of keys that a row of `queries` sees, held to the range 1..=keys of the head.
    pub(crate) fn visible(&self, queries: &Stream<'m>) -> Signal<'m> {
        let visible = queries.get("visible");
        let most = visible.gt(*self.key_count).mux(*self.key_count, visible).called("most_visible");
        most.any().mux(most, 1).named("visible")
    }

    /// The rows of `queries` with another payload, once the head's keys are there; registered.
    pub(crate) fn rows(&self, queries: &Stream<'m>, payload: Bundle<'m>) -> Stream<'m> {
        let ready = self.m.wire("encoder_ready", u(1));
        let valid = (queries.valid & self.querying).called("query_offered");
        let gated = Stream { valid, payload, ready };
        queries.ready.drive(*self.querying & *gated.ready);
        slice_stream(Cut::Forward, "encoded", &gated)
    }

    /// The groups of a row (fields `live`, `last`), and beside them the row itself, of the fields
    /// `row`. Field `last_key` of `rows` is the index of the last visible key.
    pub(crate) fn split(&self, rows: &Stream<'m>, row: &Fields) -> (Stream<'m>, Stream<'m>) {
        let (m, shape) = (self.m, self.shape);
        let (last_lane, last_group) = place(shape, rows.get("last_key"));
        let group = m.reg("group", last_group.ty());
        let ends = group.eq(last_group).named("row_ends");
        let live = match last_lane {
            None => m.lit(u(1), 1),
            Some(last_lane) => {
                let sees = |lane| (!ends | last_lane.ge(lane)).named(format!("sees_{lane}"));
                pack(&(0..shape.rows).map(sees).collect::<Vec<_>>())
            }
        };
        let payload = Bundle::new([("live", live), ("last", ends)]);
        let groups = Stream::source(m, "groups", rows.valid, payload);
        group.next(mux(ends, m.lit(group.ty(), 0), group + 1)).enable(groups.fires());

        let row = Bundle::new(row.iter().map(|(name, _)| (name, rows.get(name))));
        let row = Stream::source(m, "row", rows.valid, row);
        rows.ready.drive(groups.fires() & ends);
        (groups, row)
    }
}

/// A key's position in its group (none if groups are single keys) and its group.
pub(crate) fn place<'m>(shape: Shape, index: Signal<'m>) -> (Option<Signal<'m>>, Signal<'m>) {
    let group_bits = index_bits(shape.max_groups() as usize);
    let lane_bits = shape.rows.trailing_zeros();
    let index = index.resize(index.width().max(lane_bits + group_bits));
    let group = index.slice(lane_bits + group_bits - 1, lane_bits);
    let lane = (lane_bits > 0).then(|| index.slice(lane_bits - 1, 0));
    (lane, group)
}
