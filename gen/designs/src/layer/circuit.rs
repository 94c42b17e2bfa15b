//! The parts put together.

use super::job::Job;
use super::tokens::{Tokens, direct, passes, token_fields};
use super::{LayerSpec, columns, counters, feed};
use crate::accelerator::compose::stream_fields;
use crate::linear::LinearSpec;
use crate::registry::Generate;
use crate::{attend, lapa};
use hwgen_hdl::lib::fifo::{Storage, fifo, fifo_with};
use hwgen_hdl::lib::stream_fork::fork_stream;
use hwgen_hdl::{
    Bundle, Fields, InstanceBuilder, Module, ModuleBuilder, Signal, Stream, fields, index_bits, u,
};
use std::sync::Arc;

/// The circuit; top module `lapa`. Streams as `docs/layer.md` tells.
pub(super) fn module(spec: &LayerSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("lapa");
    m.doc("Attention from tokens to its output: predicted keys, keys and values on demand.");
    parameters(&m, spec);
    let jobs = m.stream_in("jobs", &fields([("heads", u(spec.head_bits()))]));
    let tokens = m.stream_in("tokens", &token_fields(spec));
    let top = Top { m: &m, spec };
    let importance = m.instance("importance", &spec.importance().build());
    let job = Job::new(&m, spec, (&jobs, &tokens), &importance);
    let memory = Tokens::new(&m, spec, &tokens, &job);
    let predictor = m.instance("predictor", &lapa::build(&spec.predictor()));
    let exact = m.instance("exact", &attend::build(&spec.attend()));

    let front = memory.read("front", &passes(&m, spec, &job));
    let [to_log, to_queries] = direct(&front);
    match spec.predict_keys {
        true => top.predict_keys(to_log, predictor),
        // nobody asks
        false => to_log.ready.drive(m.lit(u(1), 0)),
    }
    let queries = top.layer("query", &spec.query_layer(), to_queries);
    top.rows(&queries, &job, predictor, exact);
    let survivors = top.survivors(predictor);
    let columns = top.make(survivors.columns, &memory, &job, predictor, exact);
    importance.stream_into("survivors", survivors.counted);
    let survivors = survivors.exact;
    let (important, fed) = feed::feed(&m, spec, &job, importance.stream_from("out"));
    if spec.counters {
        let (survivors, front, columns) = (&survivors, &front, &columns);
        let feed = fed.as_ref();
        let counted =
            counters::Counted { survivors, exact: &exact, job: &job, front, columns, feed };
        counters::count(&m, spec, &counted);
    }
    exact.stream_into("survivors", survivors);
    m.stream_out("out", &exact.stream_from("out"));
    m.stream_out("importance", &important);
    if let Some(fed) = fed {
        m.stream_out("feed_out", &fed.out);
    }
    m.finish()
}

fn parameters(m: &ModuleBuilder, spec: &LayerSpec) {
    m.parameter("inputs", spec.inputs);
    m.parameter("head_dim", spec.head_dim);
    m.parameter("max_keys", spec.max_keys);
    m.parameter("rows", spec.rows);
    m.parameter("lanes", spec.lanes);
    m.parameter("log_lanes", spec.log_lanes);
    m.parameter("query_lanes", spec.query_lanes);
    m.parameter("key_value_lanes", spec.key_value_lanes);
    m.parameter("queries_per_key", spec.queries_per_key);
    m.parameter("max_heads", spec.max_heads);
    m.parameter("causal", spec.causal);
    m.parameter("predict_keys", spec.predict_keys);
    m.parameter("factor256", spec.factor256);
    m.parameter("buffered_heads", spec.buffered_heads);
    m.parameter("hidden", spec.hidden);
    m.parameter("first_lanes", spec.first_lanes);
    m.parameter("second_lanes", spec.second_lanes);
    m.parameter("counters", spec.counters);
}

/// The survivors, for each who takes them.
struct Survivors<'m> {
    /// Queued: `live`, `last`.
    exact: Stream<'m>,
    counted: Stream<'m>,
    /// With predicted keys.
    columns: Option<Stream<'m>>,
}

struct Top<'m, 's> {
    m: &'m ModuleBuilder,
    spec: &'s LayerSpec,
}

impl<'m> Top<'m, '_> {
    /// A stream of the top that goes straight to an instance's.
    fn pass(&self, name: &str, instance: InstanceBuilder<'m>, stream: &str) {
        let fields = stream_fields(&instance.module(), stream);
        instance.stream_into(stream, self.m.stream_in(name, &fields));
    }

    /// Predicted keys, from tokens to the predictor.
    fn predict_keys(&self, tokens: Stream<'m>, predictor: InstanceBuilder<'m>) {
        let layer = self.m.instance("key_predictor", &self.spec.log_layer().build());
        self.pass("key_codes", layer, "weights");
        layer.stream_into("tokens", tokens);
        predictor.stream_into("keys", layer.stream_from("out"));
    }

    /// An exact layer with the streams `{name}_weights` and `{name}_scales`, without activation.
    fn layer(&self, name: &str, spec: &LinearSpec, tokens: Stream<'m>) -> Stream<'m> {
        let m = self.m;
        let layer = m.instance(
            format!("{name}_layer"),
            &spec.build_without_activation(&format!("{name}_linear")),
        );
        self.pass(&format!("{name}_weights"), layer, "weights");
        self.pass(&format!("{name}_scales"), layer, "scales");
        let payload = Bundle::new([
            ("data", tokens.get("data")),
            ("precise", m.lit(u(1), 1)),
            ("last", tokens.get("last")),
        ]);
        layer.stream_into("tokens", tokens.with_payload(payload));
        layer.stream_from("out")
    }

    /// Queries as rows of the predictor and of the exact stage.
    fn rows(
        &self,
        queries: &Stream<'m>,
        job: &Job<'m>,
        predictor: InstanceBuilder<'m>,
        exact: InstanceBuilder<'m>,
    ) {
        let (m, spec) = (self.m, self.spec);
        let [ours, theirs] =
            [predictor, exact].map(|stage| stream_fields(&stage.module(), "queries"));
        // a filter may look at the scale as the exact stage does
        let more = theirs.iter().filter(|(name, _)| !ours.iter().any(|(ours, _)| ours == name));
        let of_head: Fields = (ours.iter().chain(more))
            .filter(|(name, _)| !["data", "visible", "last"].contains(&&**name))
            .cloned()
            .collect();
        let heads = m.stream_in("heads", &of_head);

        let head_ends = queries.get("last");
        let row = m.reg("row", u(index_bits(spec.max_keys as usize)));
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
        let places = spec.query_places() as usize;
        let queue = fifo_with(Storage::BlockRam, places, &waiting.payload.shape());
        exact.stream_into("queries", waiting.through("query_queue", &queue));
    }

    /// The predictor's survivors, to the exact stage's queue and to those who count them.
    fn survivors(&self, predictor: InstanceBuilder<'m>) -> Survivors<'m> {
        let predicted = predictor.stream_from("out");
        let payload = Bundle::new([
            ("live", predicted.get("survivors")),
            ("last", predicted.get("row_last")),
        ]);
        let takers = if self.spec.predict_keys { 3 } else { 2 };
        let parts = vec![payload; takers];
        let mut parts = fork_stream(self.m, "survivors_to", &predicted, parts);
        let columns = (takers == 3).then(|| parts.remove(2));
        let (counted, waiting) = (parts.remove(1), parts.remove(0));
        let places = self.spec.survivor_places() as usize;
        let queue = fifo_with(Storage::BlockRam, places, &waiting.payload.shape());
        Survivors { exact: waiting.through("survivor_queue", &queue), counted, columns }
    }

    /// Keys and values for the exact stage. Returns the columns in its order, as they pass.
    fn make(
        &self,
        survivors: Option<Stream<'m>>,
        memory: &Tokens<'m>,
        job: &Job<'m>,
        predictor: InstanceBuilder<'m>,
        exact: InstanceBuilder<'m>,
    ) -> counters::Columns<'m> {
        let (m, spec) = (self.m, self.spec);
        let Some(survivors) = survivors else {
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
            let passes = kept.fires().named("column_passes");
            exact.stream_into("keys", kept);
            return counters::Columns { passes, needed: m.lit(u(1), 1), waits };
        };
        let unit = m.instance("columns", &spec.columns().build_as("needed_columns"));
        if let Some(jobs) = job.column_jobs(m, spec) {
            unit.stream_into("jobs", jobs);
        }
        unit.stream_into("survivors", survivors);
        let groups = unit.stream_from("out");
        let payload = Bundle::new([("needed", groups.get("needed")), ("last", groups.get("last"))]);
        let places = spec.columns().max_groups() as usize;
        let groups = groups.with_payload(payload);
        let groups = groups.through("needed_queue", &fifo(places, &columns::needed_fields(spec)));
        let plan = columns::plan(m, spec, job, &groups);
        let tokens = memory.read("back", &plan.asked);
        job.columns_end.drive(tokens.fires() & tokens.get("last"));
        let waits = tokens.valid;
        let made = self.layer("key_value", &spec.key_value_layer(), tokens);
        let keys = columns::merge(m, &plan.columns, &made);
        let passes = keys.fires().named("column_passes");
        let needed: Signal<'m> = plan.columns.get("needed");
        exact.stream_into("keys", keys);
        counters::Columns { passes, needed, waits }
    }
}
