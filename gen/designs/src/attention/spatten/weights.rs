//! The weight unit: a scored row's weights and their sum, and whether it needs its low nibbles.
//!
//! ```text
//! logits ---> logit memory ---> 2^(logit - maximum) --+--> groups of weights --> weight memory
//! maximum of each job ----------^                     +--> sum --> flat? --> low jobs, or done
//! ```

use super::scores::job_fields;
use super::{SpattenAttentionSpec, memory};
use crate::attention::attend::spec::LOGIT_BITS;
use crate::attention::attend::weights;
use crate::wiring::{delayed_flag, held, pack, times_constant};
use hwgen_hdl::lib::fifo::fifo;
use hwgen_hdl::{Bundle, Module, ModuleBuilder, Signal, Stream, mux, s, u};
use std::sync::Arc;

/// Cycles from the first logit that is read of a job to that in which the next one's can be, less
/// its keys.
pub(super) const JOB_CYCLES: u32 = 4;

/// Module `spatten_weights`.
///
/// In, when they come: `logit_valid`, `logit`, `slot`, `key`, `low`; `scored`, `last_key`, `maximum`.
/// Out: `done` with `done_slot` and `sum`, a row's weights are there; stream `low`, a row that needs its
/// low nibbles, which must have room. In `select_read`, `walk_read`, each with an `index` of slot and
/// group; out, a cycle later and until the next, `select_word` and `walk_word`: a group's weights.
pub(super) fn module(spec: &SpattenAttentionSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("spatten_weights");
    m.doc("Weights of a row's keys, a row at a time; tells rows in which none stands out.");
    let job = jobs(&m, spec);

    // a job's keys, one a cycle, then a wait for its sum
    let (key_bits, last_key) = (spec.key_bits(), job.get("last_key"));
    let key = m.reg("walked_key", u(key_bits));
    let waiting = m.reg("waiting", u(1));
    let decides = m.wire("decides", u(1));
    let reads = (job.valid & !*waiting).named("reads");
    let ends = (reads & key.eq(last_key)).named("reads_last");
    waiting.next(ends).enable(ends | *decides);
    key.next(key + 1).enable(reads).clear(ends);
    decides.drive(delayed_flag(&m, "decides_after", ends, JOB_CYCLES));
    job.ready.drive(*decides);

    let logit = s(LOGIT_BITS);
    let doc = "Logits of the rows in the engine.";
    let module = memory::module("spatten_logits", doc, spec.window << key_bits, logit);
    let logits = m.instance("logit_memory", &module);
    logits.input("write", m.input("logit_valid", u(1)));
    let (slot, of_key) = (m.input("slot", u(spec.slot_bits())), m.input("key", u(key_bits)));
    logits.input("write_index", slot.cat(of_key)).input("write_word", m.input("logit", logit));
    logits.input("read", reads).input("read_index", job.get("slot").cat(*key));

    let zero = m.lit(u(1), 0);
    let power = m.instance("power", &weights::module(&spec.exact()));
    power
        .input("issue", delayed_flag(&m, "read", reads, 1))
        .input("single", zero)
        .input("first", zero)
        .input("bank", zero)
        .input("logit", logits.output("word"))
        .input("maximum", job.get("maximum"));
    let valid = delayed_flag(&m, "weighed", reads, 3);
    let none = m.lit(u(spec.probability_bits), 0);
    let weight = power.output("uses").mux(power.output("weight"), none).named("weight");

    let sum = sum(&m, spec, valid, weight, delayed_flag(&m, "summed", ends, 3));
    store(&m, spec, &job, valid, weight);
    let flat = flat(&m, spec, &job, sum);
    m.output("done", *decides & !flat);
    m.output("done_slot", job.get("slot"));
    m.output("sum", sum);
    if spec.progressive() {
        let payload = Bundle::new([("slot", job.get("slot")), ("last_key", last_key)]);
        let low = Stream::source(&m, "flat_row", *decides & flat, payload);
        let queue = m.instance("low_jobs", &fifo(spec.window as usize, &job_fields(spec)));
        m.promise("low jobs have room", *low.ready | !low.valid);
        queue.stream_into("in", low);
        m.stream_out("low", &queue.stream_from("out"));
    }
    m.finish()
}

/// The jobs that are scored: `slot`, `last_key`, `maximum`, and `low` if there are such.
fn jobs<'m>(m: &'m ModuleBuilder, spec: &SpattenAttentionSpec) -> Stream<'m> {
    let scored = m.input("scored", u(1));
    let mut job = Bundle::new([
        ("slot", m.input("scored_slot", u(spec.slot_bits()))),
        ("last_key", m.input("last_key", u(spec.key_bits()))),
        ("maximum", m.input("maximum", s(LOGIT_BITS))),
    ]);
    if spec.progressive() {
        job = job.with("low", m.input("low", u(1)));
    }
    let job = Stream::source(m, "scored_job", scored, job);
    let queue = m.instance("scored_jobs", &fifo(spec.window as usize, &job.payload.shape()));
    m.promise("the window bounds the scored jobs", *job.ready | !scored);
    queue.stream_into("in", job);
    queue.stream_from("out")
}

/// The sum of a job's weights, from the cycle after its last on, until the next one's first.
fn sum<'m>(
    m: &'m ModuleBuilder,
    spec: &SpattenAttentionSpec,
    valid: Signal<'m>,
    weight: Signal<'m>,
    ends: Signal<'m>,
) -> Signal<'m> {
    let fresh = m.reg("sum_fresh", u(1)).reset_to(1);
    fresh.next(ends).enable(valid);
    let sum = m.reg("weight_sum", u(spec.exact().sum_bits())).no_reset();
    let weight = weight.extend(sum.width());
    sum.next(fresh.mux(weight, sum + weight)).enable(valid);
    sum.into()
}

/// The weight memory, written a group at a time.
fn store<'m>(
    m: &'m ModuleBuilder,
    spec: &SpattenAttentionSpec,
    job: &Stream<'m>,
    valid: Signal<'m>,
    weight: Signal<'m>,
) {
    let (rows, lane_bits) = (spec.rows, spec.rows.trailing_zeros());
    let group_bits = spec.group_bits();
    let key = m.reg("weighed_key", u(spec.key_bits()));
    let ends = key.eq(job.get("last_key"));
    key.next(key + 1).enable(valid).clear(valid & ends);
    let wide = key.resize(key.width().max(lane_bits + group_bits));
    let group = wide.slice(lane_bits + group_bits - 1, lane_bits);
    let (word, full) = match lane_bits {
        0 => (weight, m.lit(u(1), 1)),
        _ => {
            let lane = wide.slice(lane_bits - 1, 0);
            let of_lane = |i: u32| {
                let here = lane.eq(i).named(format!("in_lane_{i}"));
                if i + 1 == rows {
                    return weight;
                }
                let before = held(m, format!("weight_{i}"), weight, valid & here);
                mux(here, weight, before)
            };
            let word = pack(&(0..rows).map(of_lane).collect::<Vec<_>>());
            (word, lane.eq(rows - 1))
        }
    };
    let writes = (valid & (full | ends)).named("group_ends");
    let place = job.get("slot").cat(group);
    let depth = (spec.window as usize) << group_bits;
    let memory = m.memory("weights", depth, u(rows * spec.probability_bits));
    memory.write(place, word, writes);
    let port = |name: &str| {
        let (read, index) = (
            m.input(format!("{name}_read"), u(1)),
            m.input(format!("{name}_index"), memory.address_type()),
        );
        m.output(format!("{name}_word"), memory.read_sync(index, read));
    };
    if spec.selects() {
        port("select");
    }
    port("walk");
}

/// Whether the row has to be scored once more: its largest probability is below tau.
fn flat<'m>(
    m: &'m ModuleBuilder,
    spec: &SpattenAttentionSpec,
    job: &Stream<'m>,
    sum: Signal<'m>,
) -> Signal<'m> {
    if !spec.progressive() {
        return m.lit(u(1), 0);
    }
    let scaled = times_constant(sum.to_signed(), spec.tau256 as i32).as_unsigned();
    let most = ((1u64 << spec.probability_bits) - 1) << 8;
    let scaled = scaled.resize(scaled.width().max(spec.probability_bits + 8));
    (scaled.gt(most) & !job.get("low")).named("flat")
}
