//! Keys and values on demand: a column is made when the first row that keeps it is known, and a row is
//! attended to when its columns are made, before older ones whose are not.

use super::circuit::{Attended, Top, with_row};
use super::columns::halves;
use super::counters::Columns;
use super::job::Job;
use super::tokens::Tokens;
use super::{requests, window};
use crate::attention::attend;
use hwgen_hdl::lib::fifo::fifo;
use hwgen_hdl::lib::stream_fork::fork_stream;
use hwgen_hdl::{Bundle, InstanceBuilder, Signal, Stream, u};

/// Columns in the layer that makes them, at most: it holds a token while those before are in its
/// pipeline.
const IN_FLIGHT: usize = 16;

/// The exact stage behind keys and values of those columns that rows keep.
pub(super) fn attend<'m>(
    top: &Top<'m, '_>,
    memory: &Tokens<'m>,
    job: &Job<'m>,
    (queries, survivors): (Stream<'m>, Stream<'m>),
) -> Attended<'m> {
    let (m, spec) = (top.m, top.spec);
    let exact = m.instance("exact", &attend::build_open(&spec.attend()));
    let requests = m.instance("requests", &requests::module(spec));
    requests.stream_into("survivors", survivors);

    // the window knows itself which row is the last one chosen
    let payload = Bundle::new(queries.payload.iter().filter(|(name, _)| *name != "last"));
    let queries = queries.with_payload(payload);
    let rows = m.instance("rows", &window::module(spec, &queries.payload.shape()));
    rows.stream_into("queries", queries);
    rows.stream_into("survivors", requests.stream_from("rows"));
    exact.stream_into("queries", rows.stream_from("chosen_queries"));
    exact.input("waits", rows.output("waits"));

    let (columns, switch) = make(top, memory, job, requests.stream_from("columns"), exact);
    let count = m.reg("columns_made", u(spec.count_bits()));
    count.next(count + 1).enable(columns.made).clear(switch);
    rows.input("made", count).input("switch", switch);
    let columns = Columns { overtakes: Some(rows.output("overtakes")), ..columns };

    let (out, number) = (exact.stream_from("out"), rows.stream_from("chosen_rows"));
    m.promise("a row that comes out has its number", number.valid | !out.valid);
    number.ready.drive(out.fires());
    let out = out.with_payload(with_row(&out, number.get("row")));
    Attended { exact, survivors: rows.stream_from("chosen_survivors"), out, columns }
}

/// Makes the columns that are asked for and gives them to the exact stage. Returns with what is made
/// the edges at which it goes on to the next key head.
fn make<'m>(
    top: &Top<'m, '_>,
    memory: &Tokens<'m>,
    job: &Job<'m>,
    asked: Stream<'m>,
    exact: InstanceBuilder<'m>,
) -> (Columns<'m>, Signal<'m>) {
    let (m, spec) = (top.m, top.spec);
    let (index, ends) = (asked.get("index"), asked.get("ends"));
    let payload = Bundle::new([("index", index), ("column", index), ("ends", ends)]);
    let tokens = memory.read("back", &asked.with_payload(payload));
    let ends = tokens.get("ends");
    job.columns_end.drive(tokens.fires() & ends);
    let waits = tokens.valid;
    let token = Bundle::new([("data", tokens.get("data")), ("empty", ends), ("last", ends)]);
    let column = Bundle::new([("column", tokens.get("column")), ("ends", ends)]);
    let mut parts = fork_stream(m, "column_to", &tokens, vec![token, column]);
    let (columns, tokens) = (parts.remove(1), parts.remove(0));
    let queue = fifo(IN_FLIGHT, &columns.payload.shape());
    let columns = columns.through("column_queue", &queue);
    let layer = spec.key_value_layer().build_with_empty_tokens("key_value_linear");
    let made = top.layer_of("key_value", &layer, tokens);

    // a head's columns are all made, its rows all read: only then come the next head's
    let (ended, read) = (m.reg("columns_ended", u(1)), m.reg("rows_read", u(1)));
    let switch = (*ended & *read).named("switches_head");
    let ends = columns.get("ends");
    let comes = (made.valid & columns.valid & !*ended).named("column_comes");
    let [key, value] = halves(&made);
    let kept = Bundle::new([("key", key), ("value", value), ("index", columns.get("column"))]);
    let kept = Stream::source(m, "made_column", comes & !ends, kept);
    let keeps = kept.fires().named("column_passes");
    let head_ends = (comes & ends).named("columns_end_passes");
    made.ready.drive(keeps | head_ends);
    columns.ready.drive(keeps | head_ends);
    ended.next(head_ends).enable(head_ends | switch);
    let head_read = exact.output("head_read");
    read.next(head_read).enable(head_read | switch);
    exact.stream_into("keys", kept);
    (Columns { made: keeps, waits, overtakes: None }, switch)
}
