//! Rows between the predictor and the exact stage: of those in the window, the oldest one whose
//! columns are all made goes first.

use super::LapaSpec;
use super::requests::row_fields;
use super::slots::Slots;
use crate::wiring::held;
use hwgen_hdl::lib::fifo::{Storage, fifo, fifo_with};
use hwgen_hdl::{
    Bundle, Fields, MemoryBuilder, Module, ModuleBuilder, Signal, Stream, bits_for, index_bits, u,
};
use std::sync::Arc;

/// Chosen rows whose query the exact stage has not taken.
pub(super) const QUERIES: usize = 4;
/// Chosen rows whose result has not been taken, beside the exact stage's window: waiting queries, sums,
/// the result.
const ROWS_BESIDE: u32 = 10;

/// Module `row_window`.
///
/// Streams in: `queries`, with fields `query`, and `survivors`, as `rows` of `column_requests`, both in
/// the order of the rows. Inputs: `made`, how many of the head's columns there are; `switch`, the
/// next head's rows may enter. Streams out, in the order of choice: `chosen_queries`, `query` and `last`
/// of the head; `chosen_survivors`, `live` and `last` of the row; `chosen_rows`, the `row`'s number in its
/// key head. Outputs: `waits`, rows are there and none can go on; `overtakes`, one is chosen before
/// an older one.
pub(super) fn module(spec: &LapaSpec, query: &Fields) -> Arc<Module> {
    let m = ModuleBuilder::new("row_window");
    m.doc("Rows that wait for their columns; the oldest one whose are made goes first.");
    let made = m.input("made", u(spec.count_bits()));
    let switch = m.input("switch", u(1));
    let queries = m.stream_in("queries", query);
    let survivors = m.stream_in("survivors", &row_fields(spec, &[("mark", spec.count_bits())]));

    let store = Store::new(&m, spec, &queries, &survivors);
    // rows of one head at a time
    let boundary = m.reg("boundary", u(1));
    let enters = m.wire("enters", u(1));
    let head_last = store.known.get("head_last");
    boundary.next(head_last).enable(*enters).clear(switch);
    let entry = Ring::new(&m, "entry", spec.query_places(), *enters);
    let number = m.reg("number", u(index_bits(spec.most_rows() as usize)));
    number.next(number + 1).enable(*enters).clear(*enters & head_last);
    let payload = (store.known.payload.iter()).filter(|(name, _)| *name != "head_last");
    let row = Bundle::new(payload)
        .with("entry", entry.index)
        .with("odd_lap", entry.odd_lap)
        .with("row", *number);

    let chooses = m.wire("chooses", u(1));
    let slots = Slots::new(&m, spec.row_window, &row);
    let choice = slots.choose(|row| made.ge(row.get("mark")));
    let fits = slots.step(&choice, *chooses, *enters, &row);
    let open = (fits & !boundary).named("open");
    enters.drive(store.known.valid & open);
    store.known.ready.drive(open);
    let chosen = slots.chosen(&choice);
    let last = (*boundary & slots.one()).named("chooses_last");
    let groups = store.read_groups(&m, *chooses, &chosen);
    // those behind the oldest row that has not been chosen, or is read, are free
    let (oldest, is_there) = (slots.oldest(), slots.any());
    let next = [("entry", entry.index), ("odd_lap", entry.odd_lap)];
    let [kept_entry, kept_lap] = next.map(|(field, next)| {
        let oldest = is_there.mux(oldest.get(field), next);
        m.reg(format!("kept_from_{field}"), next.ty()).next(oldest).enable(groups.free)
    });
    let full = store.stored.index.eq(kept_entry) & store.stored.odd_lap.ne(kept_lap);
    store.room.drive(!full.named("full"));
    let (query, query_free) = store.read_query(&m, *chooses, &chosen, last);
    chooses.drive(!choice.none & groups.free & query_free);
    m.output("waits", !groups.reading & choice.none & (is_there | boundary));
    m.output("overtakes", *chooses & !choice.one_hot.bit(0));

    let rows = Bundle::new([("row", chosen.get("row"))]);
    let rows = Stream::source(&m, "chosen_row", *chooses, rows);
    m.promise("a chosen row's number has room", *rows.ready | !rows.valid);
    let places = (spec.attention.exact.window + ROWS_BESIDE) as usize;
    let rows =
        rows.through("row_queue", &fifo(places, &[("row".to_owned(), number.ty())].to_vec()));
    let query = query.through("query_queue", &fifo(QUERIES, &store.query_out));
    m.stream_out("chosen_queries", &query);
    m.stream_out("chosen_survivors", &groups.out);
    m.stream_out("chosen_rows", &rows);
    m.finish()
}

/// A place that goes round `places` ones, and whether it is on an odd lap.
struct Ring<'m> {
    index: Signal<'m>,
    odd_lap: Signal<'m>,
}

impl<'m> Ring<'m> {
    fn new(m: &'m ModuleBuilder, name: &str, places: u64, advance: Signal<'m>) -> Ring<'m> {
        let index = m.reg(name, u(index_bits(places as usize)));
        index.next(after(*index, places)).enable(advance);
        let odd = m.reg(format!("{name}_odd_lap"), u(1));
        odd.next(!odd).enable(advance & index.eq(places - 1));
        Ring { index: *index, odd_lap: *odd }
    }
}

/// The place behind one of `places` places.
fn after(index: Signal<'_>, places: u64) -> Signal<'_> {
    index.eq(places - 1).mux(index.module().lit(index.ty(), 0), index + 1)
}

/// Queries and survivors of the rows that have not been chosen.
struct Store<'m> {
    queries: MemoryBuilder<'m>,
    groups: MemoryBuilder<'m>,
    group_places: u64,
    query: Fields,
    query_out: Fields,
    stored: Ring<'m>,
    /// To be driven: a query can be stored.
    room: hwgen_hdl::Wire<'m>,
    /// Rows whose survivors are all there: `mark`, `first` and `end`, where they lie, `head_last`.
    known: Stream<'m>,
}

impl<'m> Store<'m> {
    fn new(
        m: &'m ModuleBuilder,
        spec: &LapaSpec,
        queries: &Stream<'m>,
        survivors: &Stream<'m>,
    ) -> Store<'m> {
        let (places, group_places) = (spec.query_places(), spec.survivor_places());
        let room = m.wire("room", u(1));
        queries.ready.drive(*room);
        let stores = queries.fires().named("stores");
        let stored = Ring::new(m, "stored", places, stores);
        let word = queries.payload.pack();
        let query_memory = m.memory("query_memory", places as usize, word.ty());
        query_memory.write(stored.index, word, stores);

        let last = survivors.get("last");
        let takes = survivors.fires().named("takes");
        // as many rows as queries, so that there is always a place for their groups
        let ahead = m.reg("queries_ahead", u(bits_for(places)));
        let row_ends = (takes & last).named("row_ends");
        ahead.next(stores.mux(ahead + 1, ahead - 1)).enable(stores ^ row_ends);
        let has_query = ahead.any().named("has_query");
        let place = m.reg("place", u(index_bits(group_places as usize)));
        place.next(after(*place, group_places)).enable(takes);
        let begins = m.reg("row_begins", u(1)).reset_to(1).next(last).enable(takes);
        let begun = held(m, "row_begun", *place, takes & begins);
        let first = begins.mux(*place, begun).named("row_first");
        let groups = m.memory("survivor_memory", group_places as usize, u(spec.shape().rows));
        groups.write(*place, survivors.get("live"), takes);

        let row = Bundle::new([
            ("mark", survivors.get("mark")),
            ("first", first),
            ("end", *place),
            ("head_last", survivors.get("head_last")),
        ]);
        let row = Stream::source(m, "stored_row", survivors.valid & has_query & last, row);
        survivors.ready.drive(has_query & (*row.ready | !last));
        let queue = fifo_with(Storage::BlockRam, places as usize, &row.payload.shape());
        let known = row.through("known_rows", &queue);
        let query = queries.payload.shape();
        let mut query_out = query.clone();
        query_out.push(("last".to_owned(), u(1)));
        Store { queries: query_memory, groups, group_places, query, query_out, stored, room, known }
    }

    /// Reads the groups of a row that is chosen at the edges with `chooses`, one a cycle.
    fn read_groups(
        &self,
        m: &'m ModuleBuilder,
        chooses: Signal<'m>,
        chosen: &Bundle<'m>,
    ) -> Groups<'m> {
        let (reading, shown) = (m.reg("reading", u(1)), m.reg("groups_shown", u(1)));
        let at = m.reg("read_place", u(index_bits(self.group_places as usize))).no_reset();
        let end = held(m, "read_end", chosen.get("end"), chooses);
        let may_read = m.wire("may_read", u(1));
        let reads = (*reading & *may_read).named("reads");
        let ends = at.eq(end).named("at_end");
        let live = self.groups.read_sync(*at, reads);
        let payload = Bundle::new([("live", live), ("last", held(m, "read_last", ends, reads))]);
        let out = Stream::source(m, "chosen_group", *shown, payload);
        may_read.drive(*out.ready | !shown);
        shown.next(*reading).enable(*may_read);
        let done = (reads & ends).named("row_read");
        reading.next(chooses).enable(chooses | done);
        at.next(chooses.mux(chosen.get("first"), after(*at, self.group_places)))
            .enable(chooses | reads);
        Groups { out, reading: *reading, free: !reading | done }
    }

    /// The query of a row that is chosen at the edges with `chooses`, and whether one can be read.
    fn read_query(
        &self,
        m: &'m ModuleBuilder,
        chooses: Signal<'m>,
        chosen: &Bundle<'m>,
        last: Signal<'m>,
    ) -> (Stream<'m>, Signal<'m>) {
        let shown = m.reg("query_shown", u(1));
        let word = self.queries.read_sync(chosen.get("entry"), chooses);
        let last = held(m, "query_last", last, chooses);
        let payload = Bundle::unpack(&self.query, word).with("last", last);
        let out = Stream::source(m, "chosen_query", *shown, payload);
        let free = (*out.ready | !shown).named("query_free");
        shown.next(chooses).enable(free);
        (out, free)
    }
}

/// A chosen row's groups as they are read.
struct Groups<'m> {
    out: Stream<'m>,
    reading: Signal<'m>,
    /// The next row can be chosen.
    free: Signal<'m>,
}
