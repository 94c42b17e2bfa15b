//! The parts put together.

use super::job::{Job, head_last};
use super::tokens::{Tokens, direct, passes, token_fields};
use super::{LapaSpec, columns, counters, feed, on_demand};
use crate::attention::{attend, lapa_predictor};
use crate::generate::Generate;
use crate::linear::LinearSpec;
use crate::wiring::stream_fields;
use hwgen_hdl::lib::fifo::{Storage, fifo_with};
use hwgen_hdl::lib::stream_fork::fork_stream;
use hwgen_hdl::{
    Bundle, Fields, InstanceBuilder, Module, ModuleBuilder, Signal, Stream, fields, index_bits, u,
};
use std::sync::Arc;

/// The circuit; top module `lapa`. Streams as `docs/lapa.md` tells.
pub(super) fn module(spec: &LapaSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("lapa");
    m.doc("Attention from tokens to its output: predicted keys, keys and values on demand.");
    let jobs = m.stream_in("jobs", &fields([("heads", u(spec.head_bits()))]));
    let tokens = m.stream_in("tokens", &token_fields(spec));
    let top = Top { m: &m, spec };
    let importance = m.instance("importance", &spec.importance().build());
    let job = Job::new(&m, spec, (&jobs, &tokens), &importance);
    let memory = Tokens::new(&m, spec, &tokens, &job);
    let predictor = m.instance("predictor", &lapa_predictor::build(&spec.predictor()));

    let front = memory.read("front", &passes(&m, spec, &job));
    let [to_log, to_queries] = direct(&front);
    let predicted = match spec.predict_keys {
        true => Some(top.predict_keys(to_log, predictor)),
        false => {
            // nobody asks
            to_log.ready.drive(m.lit(u(1), 0));
            None
        }
    };
    let queries = top.layer("query", &spec.query_layer(), to_queries);
    let queries = top.rows(&queries, &job, predictor);
    let (survivors, counted) = top.survivors(&job, predictor);
    importance.stream_into("survivors", counted);
    let attended = match spec.predict_keys {
        true => on_demand::attend(&top, &memory, &job, (queries, survivors)),
        false => top.attend(&memory, &job, predictor, (queries, survivors)),
    };
    let (important, fed) = feed::feed(&m, spec, &job, importance.stream_from("out"));
    if spec.attention.buffers.counters {
        let (front, feed) = (&front, fed.as_ref());
        let counted = counters::Counted { attended: &attended, job: &job, front, predicted, feed };
        counters::count(&m, spec, &counted);
    }
    attended.exact.stream_into("survivors", attended.survivors);
    m.stream_out("out", &attended.out);
    m.stream_out("importance", &important);
    if let Some(fed) = fed {
        m.stream_out("feed_out", &fed.out);
    }
    m.finish()
}

/// The exact stage at work.
pub(super) struct Attended<'m> {
    pub(super) exact: InstanceBuilder<'m>,
    /// What it takes: `live`, `last` of the row.
    pub(super) survivors: Stream<'m>,
    /// What it makes: `data`, `row`, `last` of the key head.
    pub(super) out: Stream<'m>,
    pub(super) columns: counters::Columns<'m>,
}

pub(super) struct Top<'m, 's> {
    pub(super) m: &'m ModuleBuilder,
    pub(super) spec: &'s LapaSpec,
}

impl<'m> Top<'m, '_> {
    /// A stream of the top that goes straight to an instance's.
    fn pass(&self, name: &str, instance: InstanceBuilder<'m>, stream: &str) {
        let fields = stream_fields(&instance.module(), stream);
        instance.stream_into(stream, self.m.stream_in(name, &fields));
    }

    /// Predicted keys, from tokens to the predictor. Returns the edges at which it takes one.
    fn predict_keys(&self, tokens: Stream<'m>, predictor: InstanceBuilder<'m>) -> Signal<'m> {
        let layer = self.m.instance("key_predictor", &self.spec.log_layer().build());
        self.pass("key_codes", layer, "weights");
        layer.stream_into("tokens", tokens);
        let keys = layer.stream_from("out");
        let takes = keys.fires().named("key_predicted");
        predictor.stream_into("keys", keys);
        takes
    }

    /// An exact layer with the streams `{name}_weights` and `{name}_scales`, without activation.
    fn layer(&self, name: &str, spec: &LinearSpec, tokens: Stream<'m>) -> Stream<'m> {
        self.layer_of(name, &spec.build_without_activation(&format!("{name}_linear")), tokens)
    }

    /// The same of a module, whose `tokens` may be `empty`.
    pub(super) fn layer_of(
        &self,
        name: &str,
        module: &Arc<Module>,
        tokens: Stream<'m>,
    ) -> Stream<'m> {
        let m = self.m;
        let layer = m.instance(format!("{name}_layer"), module);
        self.pass(&format!("{name}_weights"), layer, "weights");
        self.pass(&format!("{name}_scales"), layer, "scales");
        let payload = tokens.payload.clone().with("precise", m.lit(u(1), 1));
        layer.stream_into("tokens", tokens.with_payload(payload));
        layer.stream_from("out")
    }

    /// Queries as rows of the predictor and, returned, of the exact stage.
    fn rows(
        &self,
        queries: &Stream<'m>,
        job: &Job<'m>,
        predictor: InstanceBuilder<'m>,
    ) -> Stream<'m> {
        let (m, spec) = (self.m, self.spec);
        let ours = stream_fields(&predictor.module(), "queries");
        let theirs = attend::query_fields(&spec.attend());
        // a filter may look at the scale as the exact stage does
        let more = theirs.iter().filter(|(name, _)| !ours.iter().any(|(ours, _)| ours == name));
        let of_head: Fields = (ours.iter().chain(more))
            .filter(|(name, _)| !["data", "visible", "last"].contains(&&**name))
            .cloned()
            .collect();
        let heads = m.stream_in("heads", &of_head);

        let head_ends = queries.get("last");
        let row = m.reg("row", u(index_bits(spec.shape().max_keys as usize)));
        let query_head = m.reg("query_head", u(index_bits(spec.queries_per_key as usize)));
        let last = (head_ends & query_head.eq(spec.queries_per_key - 1)).named("last_row");
        let visible = match spec.causal {
            true => row.extend(spec.count_bits()) + 1,
            false => job.keys,
        };
        let payload =
            Bundle::new([("data", queries.get("data")), ("visible", visible), ("last", last)]);
        let payload =
            heads.payload.iter().fold(payload, |row, (name, value)| row.with(name, value));
        let rows = Stream::source(m, "rows", queries.valid & heads.valid, payload);
        queries.ready.drive(rows.fires());
        heads.ready.drive(rows.fires() & head_ends);
        row.next(row + 1).enable(rows.fires()).clear(rows.fires() & head_ends);
        query_head.next(query_head + 1).enable(rows.fires() & head_ends).clear(rows.fires() & last);
        job.rows_end.drive(rows.fires() & last);

        let pick = |fields: &Fields| {
            Bundle::new(fields.iter().map(|(name, _)| (name.clone(), rows.get(name))))
        };
        let mut parts = fork_stream(m, "rows_to", &rows, vec![pick(&ours), pick(&theirs)]);
        let (waiting, query) = (parts.remove(1), parts.remove(0));
        predictor.stream_into("queries", query);
        waiting
    }

    /// The predictor's survivors: `live`, `last` of the row, `head_last`; and the same for whoever
    /// counts them.
    fn survivors(&self, job: &Job<'m>, predictor: InstanceBuilder<'m>) -> (Stream<'m>, Stream<'m>) {
        let predicted = predictor.stream_from("out");
        let last = predicted.get("row_last");
        let counted = Bundle::new([("live", predicted.get("survivors")), ("last", last)]);
        let head_last = head_last(self.m, self.spec, job, predicted.fires() & last);
        let parts = vec![counted.clone().with("head_last", head_last), counted];
        let mut parts = fork_stream(self.m, "survivors_to", &predicted, parts);
        let counted = parts.remove(1);
        (parts.remove(0), counted)
    }

    /// The exact stage behind keys and values that are all made first, rows in their order.
    fn attend(
        &self,
        memory: &Tokens<'m>,
        job: &Job<'m>,
        predictor: InstanceBuilder<'m>,
        (queries, survivors): (Stream<'m>, Stream<'m>),
    ) -> Attended<'m> {
        let (m, spec) = (self.m, self.spec);
        let exact = m.instance("exact", &attend::build(&spec.attend()));
        let queue = |places: u64, of: &Stream<'m>| {
            fifo_with(Storage::BlockRam, places as usize, &of.payload.shape())
        };
        let places = queue(spec.query_places(), &queries);
        exact.stream_into("queries", queries.through("query_queue", &places));
        let payload =
            Bundle::new([("live", survivors.get("live")), ("last", survivors.get("last"))]);
        let survivors = survivors.with_payload(payload);
        let places = queue(spec.survivor_places(), &survivors);
        let survivors = survivors.through("survivor_queue", &places);

        let tokens = memory.read("back", &columns::all(m, spec, job));
        job.columns_end.drive(tokens.fires() & tokens.get("last"));
        let waits = tokens.valid;
        let made = self.layer("key_value", &spec.key_value_layer(), tokens);
        let [key, value] = columns::halves(&made);
        let predicted = Bundle::new([("data", key), ("last", made.get("last"))]);
        let kept = Bundle::new([("key", key), ("value", value), ("last", made.get("last"))]);
        let mut parts = fork_stream(m, "made_to", &made, vec![predicted, kept]);
        let (kept, predicted) = (parts.remove(1), parts.remove(0));
        predictor.stream_into("keys", predicted);
        let made = kept.fires().named("column_passes");
        exact.stream_into("keys", kept);

        let out = exact.stream_from("out");
        let row = m.reg("out_row", u(index_bits(spec.most_rows() as usize)));
        row.next(row + 1).enable(out.fires()).clear(out.fires() & out.get("last"));
        let out = out.with_payload(with_row(&out, *row));
        let columns = counters::Columns { made, waits, overtakes: None };
        Attended { exact, survivors, out, columns }
    }
}

/// An output of the exact stage with its row's number.
pub(super) fn with_row<'m>(out: &Stream<'m>, row: Signal<'m>) -> Bundle<'m> {
    Bundle::new([("data", out.get("data")), ("row", row), ("last", out.get("last"))])
}
