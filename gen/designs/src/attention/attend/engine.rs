//! The top: takes a head's keys, then walks the survivors of its rows.
//!
//! ```text
//! keys ----> key memory, value memory
//! survivors -> list --> slots --+--> key memory --> scores --> logits, maxima --+
//! queries ----------------------+                                               |
//!                               +--> keys of rows ------------> weights <-------+
//!                                                  value memory --> values --> division --> out
//! ```
//!
//! The units from slots to sums never stall: a slot is issued only if what it makes has room.

use super::spec::{LOGIT_BITS, SCALE_BITS, SHIFT_BITS};
use super::{AttendSpec, cost, division, list, memory, scores, values, weights};
use crate::wiring::{delayed_flag, held};
use hwgen_hdl::lib::fifo::{Storage, fifo, fifo_with};
use hwgen_hdl::{
    Bundle, Fields, InstanceBuilder, Module, ModuleBuilder, Reg, Signal, Stream, Wire, bits_for,
    fields, index_bits, s, u,
};
use std::sync::Arc;

/// Stream `keys`: `key` and `value`, element 0 low; `last` of the head, or which it is.
fn key_fields(spec: &AttendSpec, open: bool) -> Fields {
    let vector = u(spec.vector_bits());
    let place = if open { ("index", u(spec.key_bits())) } else { ("last", u(1)) };
    fields([("key", vector), ("value", vector), place])
}

/// Stream `queries`: `data`, element 0 low; `scale`, `shift`; `last` of the head.
pub(crate) fn query_fields(spec: &AttendSpec) -> Fields {
    fields([
        ("data", u(spec.vector_bits())),
        ("scale", u(SCALE_BITS)),
        ("shift", u(SHIFT_BITS)),
        ("last", u(1)),
    ])
}

/// The top module; see [`super::build`], and [`super::build_open`].
pub(super) fn module(spec: &AttendSpec, open: bool) -> Arc<Module> {
    let m = ModuleBuilder::new(if open { "attend_open" } else { "attend" });
    m.doc("Attention on surviving keys: exact scores, softmax, weighted values.");
    let keys = m.stream_in("keys", &key_fields(spec, open));
    let queries = m.stream_in("queries", &query_fields(spec));
    let survivors = m.stream_in("survivors", &list::survivor_fields(spec));

    let engine = Engine { m: &m, spec };
    let (head_listed, head_read) = (m.wire("head_listed", u(1)), m.wire("head_read", u(1)));
    let head = match open {
        true => engine.keep(&keys),
        false => engine.load(&keys, *head_listed, *head_read),
    };
    if open {
        m.output("head_read", *head_read);
    }
    let slots = m.instance("list", &list::module(spec));
    slots.stream_into("survivors", survivors);
    let slots = slots.stream_from("slots");

    let rows = engine.issue(&slots, &queries, &head, head_listed);
    let sums = engine.weigh(&rows, &head.values, head_read);
    m.stream_out("out", &engine.divide(&sums));
    m.finish()
}

/// The engine under construction.
struct Engine<'m, 's> {
    m: &'m ModuleBuilder,
    spec: &'s AttendSpec,
}

/// A head's memories.
struct Head<'m> {
    keys: InstanceBuilder<'m>,
    values: InstanceBuilder<'m>,
    /// They are full: slots may be issued. None: whoever sends survivors knows.
    attending: Option<Signal<'m>>,
}

/// What the score side hands to the value side.
struct Rows<'m> {
    /// A row: whether it has a `single` key, and is the `last` of its head.
    rows: Stream<'m>,
    /// Its keys: `key`, `row_end`.
    keys: Stream<'m>,
    /// Their logits, but for single ones.
    logits: Stream<'m>,
    /// The row's largest logit; whatever it is for a single key, it says that the row is scored.
    maxima: Stream<'m>,
}

/// The value side's sums.
struct Sums<'m> {
    unit: InstanceBuilder<'m>,
    /// A row's sums show from the next cycle on.
    summed: Signal<'m>,
    /// Of each bank's row.
    single: [Signal<'m>; 2],
    last: [Signal<'m>; 2],
    /// Whether the bank can be summed into.
    free: [Reg<'m>; 2],
    /// The bank is full at this edge.
    fills: [Signal<'m>; 2],
}

impl<'m> Engine<'m, '_> {
    /// Takes the keys of a head when the head before has been read.
    fn load(&self, keys: &Stream<'m>, listed: Signal<'m>, read: Signal<'m>) -> Head<'m> {
        let (m, spec) = (self.m, self.spec);
        let loading = m.reg("loading", u(1)).reset_to(1);
        let attending = m.reg("attending", u(1));
        let keys_end = (keys.fires() & keys.get("last")).named("keys_end");
        loading.next(read).enable(read | keys_end);
        attending.next(keys_end).enable(keys_end | listed);
        keys.ready.drive(loading);
        let count = m.reg("key_count", u(bits_for(spec.max_keys.into())));
        let store = (keys.fires() & count.lt(spec.max_keys)).named("store");
        count.next(count + 1).enable(store).clear(read);
        let index = count.resize(spec.key_bits());
        let [keys, values] = self.memories(keys, store, index);
        Head { keys, values, attending: Some(attending.into()) }
    }

    /// Takes keys at any time, each to its place.
    fn keep(&self, keys: &Stream<'m>) -> Head<'m> {
        keys.ready.drive(self.m.lit(u(1), 1));
        let [keys, values] = self.memories(keys, keys.fires(), keys.get("index"));
        Head { keys, values, attending: None }
    }

    /// The memories, with their ports for writing.
    fn memories(
        &self,
        keys: &Stream<'m>,
        store: Signal<'m>,
        index: Signal<'m>,
    ) -> [InstanceBuilder<'m>; 2] {
        let module = memory::module(self.spec);
        ["key", "value"].map(|field| {
            let memory = self.m.instance(format!("{field}_memory"), &module);
            memory.input("write", store).input("write_index", index);
            memory.input("write_vector", keys.get(field))
        })
    }

    /// Issues slots to the score unit and keeps the lists that the value side walks.
    fn issue(
        &self,
        slots: &Stream<'m>,
        queries: &Stream<'m>,
        head: &Head<'m>,
        head_listed: Wire<'m>,
    ) -> Rows<'m> {
        let (m, spec) = (self.m, self.spec);
        let (first, end) = (slots.get("first"), slots.get("row_end"));
        let issue = m.wire("issue", u(1));
        let begins = (*issue & first).named("row_issued");
        let single = (first & end).named("single");

        let row = Bundle::new([("single", single), ("last", queries.get("last"))]);
        let row = Stream::source(m, "row", begins, row);
        let (window, depth) = (spec.window as usize, cost::keys_in_flight(spec) as usize);
        let rows = self.queue("rows", &fifo(window, &row.payload.shape()), &row);
        let key = Bundle::new([("key", slots.get("key")), ("row_end", end)]);
        let key = Stream::source(m, "listed", *issue, key);
        let key_queue = fifo_with(Storage::BlockRam, depth, &key.payload.shape());
        let keys = self.queue("keys_of_rows", &key_queue, &key);

        let row_fits = !first | (queries.valid & *row.ready);
        let fits = (*key.ready & row_fits & self.rests("slot", *issue)).called("slot_fits");
        let fits =
            head.attending.map_or(fits, |attending| (attending & fits).called("slot_passes"));
        issue.drive(slots.valid & fits);
        m.output("scoring", *issue);
        let loading = match head.attending {
            Some(attending) => !attending,
            None => m.input("waits", u(1)) & !slots.valid,
        };
        m.output("idle_loading", loading);
        m.output("idle_starved", !loading & (!slots.valid).called("no_slot"));
        m.output("idle_blocked", !loading & slots.valid & !*issue);
        slots.ready.drive(fits);
        queries.ready.drive(begins);
        let row_last = held(m, "row_last", queries.get("last"), begins);
        head_listed
            .drive((*issue & end).called("row_listed") & first.mux(queries.get("last"), row_last));

        let start = (*issue & !single).named("start");
        head.keys.input("read", start).input("read_index", slots.get("key"));
        let unit = m.instance("score_unit", &scores::module(spec));
        unit.input("start", start)
            .input("first", first)
            .input("row_end", end)
            .input("query", queries.get("data"))
            .input("scale", queries.get("scale"))
            .input("shift", queries.get("shift"))
            .input("key", head.keys.output("vector"));
        let cycles = spec.beats() - 1 + cost::score_latency(spec);
        let scored = delayed_flag(m, "row_scored", *issue & end, cycles);
        let (valid, logit) = (unit.output("logit_valid"), unit.output("logit"));
        let logits = Stream::source(m, "logit", valid, Bundle::new([("logit", logit)]));
        let maximum = self.maximum(valid, logit, scored);
        let maxima = Stream::source(m, "maximum", scored, Bundle::new([("logit", maximum)]));
        let logit_queue = fifo_with(Storage::BlockRam, depth, &logits.payload.shape());
        Rows {
            rows,
            keys,
            maxima: self.queue("maxima", &fifo(window, &maxima.payload.shape()), &maxima),
            logits: self.queue("logits", &logit_queue, &logits),
        }
    }

    /// The largest logit of a row, with its last one.
    fn maximum(&self, valid: Signal<'m>, logit: Signal<'m>, ends: Signal<'m>) -> Signal<'m> {
        let fresh = self.m.reg("row_fresh", u(1)).reset_to(1);
        fresh.next(ends).enable(valid);
        let so_far = self.m.reg("largest", s(LOGIT_BITS)).no_reset();
        let larger = (fresh | logit.gt(so_far)).named("larger");
        so_far.next(logit).enable(valid & larger);
        larger.mux(logit, so_far)
    }

    /// Walks a scored row's keys once more, with its values.
    fn weigh(
        &self,
        from: &Rows<'m>,
        memory: &InstanceBuilder<'m>,
        head_read: Wire<'m>,
    ) -> Sums<'m> {
        let (m, spec) = (self.m, self.spec);
        let single = from.rows.get("single");
        let bank = m.reg("bank", u(1));
        let free = [0, 1].map(|bank| m.reg(format!("bank_{bank}_free"), u(1)).reset_to(1));
        let weigh = m.wire("weigh", u(1));
        let ready = from.rows.valid & from.maxima.valid & from.keys.valid;
        let bank_free = bank.select(&free.map(Signal::from));
        weigh.drive(ready & bank_free & self.rests("weight", *weigh));
        let ends = (*weigh & from.keys.get("row_end")).named("row_weighed");
        let scored = (*weigh & !single).named("weigh_scored");
        m.promise("every key of a scored row has a logit", from.logits.valid | !scored);
        from.keys.ready.drive(*weigh);
        from.logits.ready.drive(scored);
        from.rows.ready.drive(ends);
        from.maxima.ready.drive(ends);
        bank.next(!bank).enable(ends);
        let first = m.reg("first_weighed", u(1)).reset_to(1);
        first.next(ends).enable(*weigh);

        let unit = m.instance("weight_unit", &weights::module(spec));
        unit.input("issue", *weigh)
            .input("single", single)
            .input("first", first)
            .input("bank", bank)
            .input("logit", from.logits.get("logit"))
            .input("maximum", from.maxima.get("logit"));
        let key = held(m, "weighed_key", from.keys.get("key"), *weigh);
        memory.input("read", unit.output("reads")).input("read_index", key);
        let sums = m.instance("value_unit", &values::module(spec));
        sums.input("uses", unit.output("uses"))
            .input("weight", unit.output("weight"))
            .input("first", unit.output("first_out"))
            .input("bank", unit.output("bank_out"))
            .input("value", memory.output("vector"));

        let last = from.rows.get("last");
        let read = delayed_flag(m, "head_weighed", ends & last, spec.beats());
        head_read.drive(read);
        let fills = [0u32, 1].map(|b| (ends & bank.eq(b)).named(format!("bank_{b}_fills")));
        let of_bank = |name: &str, signal: Signal<'m>| {
            [0, 1].map(|b| held(m, format!("bank_{b}_{name}"), signal, fills[b]))
        };
        Sums {
            unit: sums,
            summed: delayed_flag(m, "summed", ends, spec.beats() - 1 + cost::SUM_LATENCY - 1),
            single: of_bank("single", single),
            last: of_bank("last", last),
            free,
            fills,
        }
    }

    /// Divides the banks' rows in turn.
    fn divide(&self, sums: &Sums<'m>) -> Stream<'m> {
        let m = self.m;
        let drained = m.reg("drained_bank", u(1));
        sums.unit.input("drain_bank", drained);
        let unit = m.instance("division_unit", &division::module(self.spec));
        unit.input("summed", sums.summed)
            .input("single", drained.select(&sums.single))
            .input("last", drained.select(&sums.last))
            .input("sum", sums.unit.output("sum"))
            .input("totals", sums.unit.output("totals"));
        if self.spec.division_steps() > 1 {
            sums.unit.input("drain_step", unit.output("step"));
        }
        let released = unit.output("released");
        drained.next(!drained).enable(released);
        for (bank, free) in sums.free.iter().enumerate() {
            let frees = (released & drained.eq(bank as u32)).called(format!("frees_bank_{bank}"));
            free.next(frees).enable(frees | sums.fills[bank]);
        }
        unit.stream_from("out")
    }

    /// 1 but in the beats of a key after its first.
    fn rests(&self, name: &str, issue: Signal<'m>) -> Signal<'m> {
        let beats = self.spec.beats();
        if beats == 1 {
            return self.m.lit(u(1), 1);
        }
        let left = self.m.reg(format!("{name}_beats_left"), u(index_bits(beats as usize)));
        left.next(issue.mux(self.m.lit(left.ty(), beats - 1), left - 1)).enable(issue | left.any());
        !left.any()
    }

    /// Sends `from` through a queue that has a place for it.
    fn queue(&self, name: &str, queue: &Arc<Module>, from: &Stream<'m>) -> Stream<'m> {
        let instance = self.m.instance(name, queue);
        self.m.promise(format!("{name} has room"), *from.ready | !from.valid);
        instance.stream_into("in", from.clone());
        instance.stream_from("out")
    }
}
