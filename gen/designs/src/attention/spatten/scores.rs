//! The score unit: a row's query times the high nibbles of its keys, or the low ones on top.
//!
//! ```text
//! high, low jobs -> keys of a job --> key memories
//! query memory ----+
//! nibbles ---------+--> products --> adder tree --> (sum of the beats) --+--> * scale --> >> shift --> logit
//!                                              sums of high nibbles <----+
//! ```

use super::{SpattenAttentionSpec, memory};
use crate::attention::attend::cost::LEVELS_PER_STAGE;
use crate::attention::attend::scores::{Beats, chunks, chunks_of};
use crate::attention::attend::spec::{LOGIT_BITS, SCALE_BITS, SHIFT_BITS};
use crate::attention::spatten::spec::NIBBLE_BITS;
use crate::wiring::{delayed, delayed_flag, held, quiet, unpack};
use hwgen_hdl::lib::adder_tree::{pipelined_adder_tree, sum_type};
use hwgen_hdl::lib::fifo::fifo;
use hwgen_hdl::lib::pipeline::Pipeline;
use hwgen_hdl::lib::saturate::saturate;
use hwgen_hdl::{Bundle, Fields, Module, ModuleBuilder, Reg, Signal, Stream, fields, s, u};
use std::sync::Arc;

/// A row to be scored: its place in the engine and the index of its last key.
pub(super) fn job_fields(spec: &SpattenAttentionSpec) -> Fields {
    fields([("slot", u(spec.slot_bits())), ("last_key", u(spec.key_bits()))])
}

/// Module `spatten_scores`; never stalls.
///
/// In: `store` with `store_slot`, `query`, `scale`, `shift`; streams `high` and, of rows that need
/// them, `low` of jobs: a job is taken when the one before has been issued, low ones first. Out:
/// `read_high`, `read_low` with `read_key`; in, a cycle later and until the next: `high_word`,
/// `low_word`. Out: `logit_valid`, `logit` with `slot`, `key`, `low`; with a job's last one `scored`,
/// `last_key` and `maximum`, the job's largest.
pub(super) fn module(spec: &SpattenAttentionSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("spatten_scores");
    m.doc("Scores of a row's keys, first by their high nibbles, as logits in 64ths of a power of two.");
    let exact = spec.exact();
    let high = m.stream_in("high", &job_fields(spec));
    let low = spec.progressive().then(|| m.stream_in("low", &job_fields(spec)));
    let job = Jobs::new(&m, spec, &high, low.as_ref());
    let queries = queries(&m, spec, &job);

    m.output("read_key", job.key);
    let half = u(spec.half_bits());
    let beats = Beats::new(&m, exact.beats(), job.issue);
    let chunk = beats.index.map(|index| delayed(&m, "chunk", index, 1));
    let query = chunks(&exact, queries.get("query"), chunk);
    let words = unpack(m.input("high_word", half), s(NIBBLE_BITS), spec.head_dim);
    let mut nibbles: Vec<_> = words.iter().map(|x| x.extend(NIBBLE_BITS + 1)).collect();
    let adds = job.low.map(|low| held(&m, "adds_low", low, job.issue));
    if let Some(adds) = adds {
        let words = unpack(m.input("low_word", half), u(NIBBLE_BITS), spec.head_dim);
        m.output("read_low", job.issue & job.low.unwrap_or(adds));
        m.output("read_high", job.issue & !job.low.unwrap_or(adds));
        for (nibble, low) in nibbles.iter_mut().zip(words) {
            *nibble = adds.mux(low.to_signed(), *nibble).called_in(low, "or_high");
        }
    } else {
        m.output("read_high", job.issue);
    }
    let nibbles = chunks_of(&exact, nibbles, chunk);
    let products: Vec<_> = (query.iter().zip(nibbles).enumerate())
        .map(|(i, (query, nibble))| query.mul(nibble).named(format!("product_{i}")))
        .collect();
    let mut pipeline = quiet(delayed_flag(&m, "reads", beats.active, 1));
    let products = pipeline.stage("product", &products);
    let mut sum = pipelined_adder_tree(&mut pipeline, &products, LEVELS_PER_STAGE);
    if let Some(index) = beats.index {
        let cycles = 1 + pipeline.latency();
        let (first, last) = (index.eq(0), index.eq(exact.beats() - 1));
        let first = delayed(&m, "first_beat", first, cycles);
        let last = delayed(&m, "last_beat", last, cycles);
        let total = m.reg("total", sum_type(sum.ty(), exact.beats() as usize)).no_reset();
        let wide = sum.extend(total.width());
        total.next(first.mux(wide, total + wide)).enable(pipeline.valid());
        let whole = delayed_flag(&m, "total_valid", pipeline.valid() & last, 1);
        (sum, pipeline) = (total.into(), quiet(whole));
    }
    let sum = sum.resize(spec.partial_bits().max(sum.width()));
    Tail { m: &m, spec, in_pipe: &queries, low: low.is_some() }.finish(pipeline, sum);
    m.finish()
}

/// The keys of jobs, one after the other.
struct Jobs<'m> {
    /// A key's first beat begins, and it is its job's first.
    issue: Signal<'m>,
    begins: Signal<'m>,
    /// Its index.
    key: Signal<'m>,
    slot: Signal<'m>,
    last_key: Signal<'m>,
    /// The job adds low nibbles; none if no job does.
    low: Option<Signal<'m>>,
}

impl<'m> Jobs<'m> {
    fn new(
        m: &'m ModuleBuilder,
        spec: &SpattenAttentionSpec,
        high: &Stream<'m>,
        low: Option<&Stream<'m>>,
    ) -> Jobs<'m> {
        let busy = m.reg("busy", u(1));
        let next_key = m.reg("next_key", u(spec.key_bits()));
        let some = low.map_or(high.valid, |low| low.valid | high.valid).named("job_waits");
        let issue = m.wire("issue", u(1));
        issue.drive((busy | some) & rests(m, "key", spec.exact().beats(), *issue));
        let begins = (*issue & !busy).named("job_begins");
        high.ready.drive(low.map_or(begins, |low| begins & !low.valid));
        if let Some(low) = low {
            low.ready.drive(begins);
        }
        let of = |field: &str| {
            let waiting =
                low.map_or(high.get(field), |low| low.valid.mux(low.get(field), high.get(field)));
            let waiting = waiting.called(format!("waiting_{field}"));
            let now = held(m, format!("job_{field}"), waiting, begins);
            busy.mux(now, waiting).called(format!("current_{field}"))
        };
        let (slot, last_key) = (of("slot"), of("last_key"));
        let key = busy.mux(*next_key, m.lit(next_key.ty(), 0)).named("key");
        next_key.next(key + 1).enable(*issue);
        busy.next(key.ne(last_key)).enable(*issue);
        let low = low.map(|low| {
            let now = held(m, "job_low", low.valid, begins);
            busy.mux(now, low.valid).called("current_low")
        });
        Jobs { issue: *issue, begins, key, slot, last_key, low }
    }
}

/// 1 but in the beats of a key after its first.
pub(super) fn rests<'m>(
    m: &'m ModuleBuilder,
    name: &str,
    beats: u32,
    issue: Signal<'m>,
) -> Signal<'m> {
    if beats == 1 {
        return m.lit(u(1), 1);
    }
    let left: Reg<'m> =
        m.reg(format!("{name}_beats_left"), u(hwgen_hdl::index_bits(beats as usize)));
    left.next(issue.mux(m.lit(left.ty(), beats - 1), left - 1)).enable(issue | left.any());
    !left.any()
}

/// The memory of queries; a job's `query` from the cycle after its begin to that of the next, and a
/// stream of what is in the pipe: `slot`, `last_key`, `low`, `scale`, `shift`.
fn queries<'m>(m: &'m ModuleBuilder, spec: &SpattenAttentionSpec, job: &Jobs<'m>) -> Stream<'m> {
    let vector = spec.exact().vector_bits();
    let row = Bundle::new([
        ("query", m.input("query", u(vector))),
        ("scale", m.input("scale", u(SCALE_BITS))),
        ("shift", m.input("shift", u(SHIFT_BITS))),
    ]);
    let packed = row.pack();
    let doc = "Queries of the rows in the engine, their scales and shifts.";
    let module = memory::module("spatten_queries", doc, spec.window, packed.ty());
    let queries = m.instance("query_memory", &module);
    let (store, slot) = (m.input("store", u(1)), m.input("store_slot", u(spec.slot_bits())));
    queries.input("write", store).input("write_index", slot).input("write_word", packed);
    queries.input("read", job.begins).input("read_index", job.slot);
    let row = Bundle::unpack(&row.shape(), queries.output("word"));

    let mut entry = Bundle::new([
        ("slot", held(m, "begun_slot", job.slot, job.begins)),
        ("last_key", held(m, "begun_last_key", job.last_key, job.begins)),
        ("scale", row.get("scale")),
        ("shift", row.get("shift")),
    ]);
    if let Some(low) = job.low {
        entry = entry.with("low", held(m, "begun_low", low, job.begins));
    }
    let begun = delayed_flag(m, "begun", job.begins, 1);
    let entry = Stream::source(m, "in_pipe", begun, entry);
    let queue = m.instance("jobs_in_pipe", &fifo(spec.window as usize, &entry.payload.shape()));
    m.promise("the window bounds the jobs", *entry.ready | !begun);
    queue.stream_into("in", entry);
    let out = queue.stream_from("out");
    let payload = out.payload.clone().with("query", row.get("query"));
    out.with_payload(payload)
}

/// From sums of products to logits.
struct Tail<'m, 's> {
    m: &'m ModuleBuilder,
    spec: &'s SpattenAttentionSpec,
    /// The job whose sums come.
    in_pipe: &'s Stream<'m>,
    low: bool,
}

impl<'m> Tail<'m, '_> {
    fn finish(&self, mut pipeline: Pipeline<'m>, sum: Signal<'m>) {
        let (m, spec, job) = (self.m, self.spec, self.in_pipe);
        m.promise("a job waits for its sums", job.valid | !pipeline.valid());
        let key = m.reg("tail_key", u(spec.key_bits()));
        let ends = key.eq(job.get("last_key")).named("tail_ends");
        let valid = pipeline.valid();
        let job_ends = (valid & ends).called("tail_job_ends");
        key.next(key + 1).enable(valid).clear(job_ends);
        job.ready.drive(job_ends);

        let fields = ["slot", "last_key", "scale", "shift"].map(|field| job.get(field));
        let low = if self.low { job.get("low") } else { m.lit(u(1), 0) };
        let place = job.get("slot").cat(*key);
        let [slot, last_key, scale, shift] = fields;
        let of_key = [sum, slot, *key, low, ends, last_key, scale, shift];
        let stage = pipeline.stage("summed", &of_key);
        let wide = spec.partial_bits() + NIBBLE_BITS + 1;
        let mut whole = stage[0].resize(wide).shl(NIBBLE_BITS);
        if self.low {
            let bits = u(spec.partial_bits());
            let doc = "Sums of products with high nibbles.";
            let partial =
                memory::module("spatten_partial", doc, spec.window << spec.key_bits(), bits);
            let partial = m.instance("partial_memory", &partial);
            partial.input("read", valid & low).input("read_index", place);
            let (writes, low) = (pipeline.valid() & !stage[3], stage[3]);
            let now = stage[0].truncate(spec.partial_bits()).as_unsigned();
            partial.input("write", writes).input("write_index", stage[1].cat(stage[2]));
            partial.input("write_word", now);
            let before = partial.output("word").as_signed().extend(wide).shl(NIBBLE_BITS);
            whole = low.mux(before + stage[0].resize(wide), whole);
        }
        let stage = pipeline.stage("whole", &[&[whole], &stage[1..]].concat());
        let scaled = stage[0].mul(stage[6].to_signed());
        let stage = pipeline.stage("scaled", &[&[scaled], &stage[1..6], &stage[7..]].concat());
        let logit = saturate(stage[0].shr(stage[6]), s(LOGIT_BITS));
        let stage = pipeline.stage("logit", &[&[logit], &stage[1..6]].concat());
        let [logit, slot, key, low, ends, last_key] = stage[..] else {
            unreachable!("a stage returns as many signals as it is given")
        };
        let valid = pipeline.valid();
        let outputs = [("logit_valid", valid), ("logit", logit), ("slot", slot), ("key", key)];
        for (name, signal) in outputs {
            m.output(name, signal);
        }
        if self.low {
            m.output("low", low);
        }
        m.output("last_key", last_key);
        m.output("scored", valid & ends);
        let fresh = m.reg("fresh", u(1)).reset_to(1);
        fresh.next(ends).enable(valid);
        let so_far = m.reg("largest", s(LOGIT_BITS)).no_reset();
        let larger = (fresh | logit.gt(so_far)).named("larger");
        so_far.next(logit).enable(valid & larger);
        m.output("maximum", larger.mux(logit, so_far));
    }
}
