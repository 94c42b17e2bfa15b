//! The top: takes a head's keys, then its rows.
//!
//! ```text
//! keys ----> high and low nibbles' memories, value memory
//! queries -> slots --> high jobs --> scores --> weights --+--> select --> walk --> values --> division --> out
//!                      low jobs  <----- flat rows --------+                |                        +--> heads
//!                                                                          +--> importance
//! ```
//!
//! A row has a slot from its query on until it is walked; slots bound everything that is on its way.

use super::spec::{IMPORTANCE_BITS, NIBBLE_BITS};
use super::{SpattenSpec, heads, importance, memory, scores, select, walk, weights};
use crate::attend::spec::{ELEMENT_BITS, SCALE_BITS, SHIFT_BITS};
use crate::attend::{division, values};
use crate::wiring::{delayed_flag, held, pack, unpack};
use hwgen_hdl::lib::fifo::fifo;
use hwgen_hdl::{
    Bundle, Fields, InstanceBuilder, Module, ModuleBuilder, Reg, Signal, Stream, Wire, bits_for,
    fields, u,
};
use std::sync::Arc;

/// Stream `keys`: `key` and `value`, element 0 low; `live`, the token is not pruned; `last` of the head.
fn key_fields(spec: &SpattenSpec) -> Fields {
    let vector = u(spec.exact().vector_bits());
    fields([("key", vector), ("value", vector), ("live", u(1)), ("last", u(1))])
}

/// Stream `queries`: `data`, element 0 low; `scale`, `shift`; `visible` live keys; `last` of the head, `layer_last`:
/// and its head of the layer.
fn query_fields(spec: &SpattenSpec) -> Fields {
    fields([
        ("data", u(spec.exact().vector_bits())),
        ("scale", u(SCALE_BITS)),
        ("shift", u(SHIFT_BITS)),
        ("visible", u(spec.count_bits())),
        ("last", u(1)),
        ("layer_last", u(1)),
    ])
}

/// The top module; see [`super::build`].
pub(super) fn module(spec: &SpattenSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("spatten_attention");
    m.doc("SpAtten's attention: nibbles of the keys by need, values of the largest weights, importance.");
    m.parameter("head_dim", spec.head_dim);
    m.parameter("max_keys", spec.max_keys);
    m.parameter("rows", spec.rows);
    m.parameter("lanes", spec.lanes);
    m.parameter("probability_bits", spec.probability_bits);
    m.parameter("window", spec.window);
    m.parameter("keep256", spec.keep256);
    m.parameter("tau256", spec.tau256);
    let keys = m.stream_in("keys", &key_fields(spec));
    let queries = m.stream_in("queries", &query_fields(spec));

    let engine = Engine { m: &m, spec };
    let done = m.wire("head_done", u(1));
    let importance = m.instance("importance_unit", &importance::module(spec));
    let head = engine.load(&keys, *done, &importance);
    let taken = m.wire("head_taken", u(1));
    let walked = m.wire("walked", u(1));
    let rows = engine.accept(&queries, &head, *taken, *walked);
    let weighed = engine.weigh(&rows, &head);
    let out = engine.walk(&rows, weighed, &head, &importance, (walked, done));

    let of_head = m.instance("head_unit", &heads::module(spec));
    of_head.input("valid", out.valid).input("fires", out.fires());
    of_head.input("data", out.get("data")).input("last", out.get("last"));
    m.stream_out("out", &out);
    let of_head = of_head.stream_from("out");
    taken.drive(of_head.fires());
    m.stream_out("heads", &of_head);
    m.finish()
}

/// The engine under construction.
struct Engine<'m, 's> {
    m: &'m ModuleBuilder,
    spec: &'s SpattenSpec,
}

/// A head's memories.
struct Head<'m> {
    high: InstanceBuilder<'m>,
    low: Option<InstanceBuilder<'m>>,
    values: InstanceBuilder<'m>,
    /// Live keys.
    count: Reg<'m>,
    /// They are all there.
    keys_end: Signal<'m>,
}

/// Rows on their way.
struct Rows<'m> {
    /// Those accepted in this cycle.
    accepted: Signal<'m>,
    slot: Reg<'m>,
    query: Bundle<'m>,
    single: Signal<'m>,
    /// To be scored.
    high: Stream<'m>,
    /// To be walked, in order: see [`walk::row_fields`].
    walks: Stream<'m>,
    /// To be selected, in order; none if nothing is.
    selects: Option<Stream<'m>>,
}

/// Rows whose weights are there.
struct Weighed<'m> {
    unit: InstanceBuilder<'m>,
    /// A bit a slot.
    ready: Vec<Reg<'m>>,
    /// What sets it.
    sets: Vec<Signal<'m>>,
    /// Sum of the weights of the slot whose turn it is to be walked.
    sum: Signal<'m>,
}

impl<'m> Engine<'m, '_> {
    /// Takes the keys of a head when the head before is done; at a layer's first head, their counters
    /// are cleared on the way.
    fn load(
        &self,
        keys: &Stream<'m>,
        done: Signal<'m>,
        importance: &InstanceBuilder<'m>,
    ) -> Head<'m> {
        let (m, spec) = (self.m, self.spec);
        let loading = m.reg("loading", u(1)).reset_to(1);
        let keys_end = (keys.fires() & keys.get("last")).named("keys_end");
        loading.next(done).enable(done | keys_end);
        keys.ready.drive(loading);
        let count = m.reg("key_count", u(bits_for(spec.max_keys.into())));
        let fits = count.lt(spec.max_keys);
        let store = (keys.fires() & keys.get("live") & fits).named("store");
        count.next(count + 1).enable(store).clear(done);
        let index = count.resize(spec.key_bits());
        let layer_first = m.reg("layer_first", u(1)).reset_to(1);
        layer_first.next(importance.output("read")).enable(keys_end | importance.output("read"));
        importance.input("clears", store & layer_first).input("clear_key", index);
        importance.input("last_key", (*count - 1).resize(spec.key_bits()));

        let elements = unpack(keys.get("key"), u(ELEMENT_BITS), spec.head_dim);
        let half = |high: bool| {
            let nibble = |x: &Signal<'m>| match high {
                true => x.high(NIBBLE_BITS),
                false => x.truncate(NIBBLE_BITS),
            };
            pack(&elements.iter().map(nibble).collect::<Vec<_>>())
        };
        let memory = |name: &str, word: Signal<'m>| {
            let doc = "Vectors of a head, one a word.";
            let module = memory::module(&format!("spatten_{name}s"), doc, spec.max_keys, word.ty());
            let memory = m.instance(format!("{name}_memory"), &module);
            memory.input("write", store).input("write_index", index).input("write_word", word)
        };
        Head {
            high: memory("key_high", half(true)),
            low: spec.progressive().then(|| memory("key_low", half(false))),
            values: memory("value", keys.get("value")),
            count,
            keys_end,
        }
    }

    /// Gives rows a slot and queues them for all that is to be done.
    fn accept(
        &self,
        queries: &Stream<'m>,
        head: &Head<'m>,
        head_taken: Signal<'m>,
        walked: Signal<'m>,
    ) -> Rows<'m> {
        let (m, spec) = (self.m, self.spec);
        let free = m.reg("free_slots", u(bits_for(spec.window.into()))).reset_to(spec.window);
        let attending = m.reg("attending", u(1));
        // the head before has rows in division whose sum is not told yet
        let pending = m.reg("head_pending", u(1));
        let accepts = (*attending & !*pending & free.any()).named("accepts");
        queries.ready.drive(accepts);
        let accepted = queries.fires().named("accepted");
        free.next(accepted.mux(free - 1, free + 1)).enable(accepted ^ walked);
        let ends = (accepted & queries.get("last")).named("rows_end");
        attending.next(head.keys_end).enable(head.keys_end | ends);
        pending.next(ends).enable(ends | head_taken);
        let slot = m.reg("next_slot", u(spec.slot_bits()));
        slot.next(slot + 1).enable(accepted);

        let visible = queries.get("visible");
        let count = head.count.resize(visible.width());
        let most = visible.gt(count).mux(count, visible);
        let last_key = most.any().mux(most - 1, 0).resize(spec.key_bits()).named("row_last_key");
        m.promise("a head has a live key", !accepted | head.count.any());
        let single = last_key.eq(0).named("single");
        let job = || Bundle::new([("slot", *slot), ("last_key", last_key)]);
        let high = Stream::source(m, "high", accepted & !single, job());
        let walks = job().with("last", queries.get("last"));
        let walks = walks.with("layer_last", queries.get("layer_last"));
        let walks = Stream::source(m, "row", accepted, walks);
        let selects = spec.selects().then(|| {
            let row = Stream::source(m, "chosen_row", accepted, job());
            self.queue("rows_to_select", &row)
        });
        Rows {
            accepted,
            slot,
            query: queries.payload.clone(),
            single,
            high: self.queue("high_jobs", &high),
            walks: self.queue("rows_to_walk", &walks),
            selects,
        }
    }

    /// Scores rows and weighs their keys, some of them twice.
    fn weigh(&self, rows: &Rows<'m>, head: &Head<'m>) -> Weighed<'m> {
        let (m, spec) = (self.m, self.spec);
        let scores = m.instance("score_unit", &scores::module(spec));
        scores.input("store", rows.accepted).input("store_slot", rows.slot);
        for (port, field) in [("query", "data"), ("scale", "scale"), ("shift", "shift")] {
            scores.input(port, rows.query.get(field));
        }
        scores.stream_into("high", rows.high.clone());
        head.high.input("read", scores.output("read_high"));
        head.high.input("read_index", scores.output("read_key"));
        scores.input("high_word", head.high.output("word"));
        let unit = m.instance("weight_unit", &weights::module(spec));
        for port in ["logit_valid", "logit", "slot", "key", "scored", "last_key", "maximum"] {
            unit.input(port, scores.output(port));
        }
        unit.input("scored_slot", scores.output("slot"));
        if let Some(low) = &head.low {
            unit.input("low", scores.output("low"));
            scores.stream_into("low", unit.stream_from("low"));
            low.input("read", scores.output("read_low"));
            low.input("read_index", scores.output("read_key"));
            scores.input("low_word", low.output("word"));
        }
        let (done, slot) = (unit.output("done"), unit.output("done_slot"));
        let ready = |slot: u32| m.reg(format!("slot_{slot}_ready"), u(1));
        let sets = |slot_of: u32| {
            let alone = rows.accepted & rows.single & rows.slot.eq(slot_of);
            (alone | (done & slot.eq(slot_of))).named(format!("slot_{slot_of}_weighed"))
        };
        let sums = m.memory("row_sums", spec.window as usize, u(spec.exact().sum_bits()));
        sums.write(slot, unit.output("sum"), done);
        Weighed {
            unit,
            ready: (0..spec.window).map(ready).collect(),
            sets: (0..spec.window).map(sets).collect(),
            sum: sums.read(rows.walks.get("slot")),
        }
    }

    /// Selects values of rows, in order, adds up their importance and values, and divides.
    fn walk(
        &self,
        rows: &Rows<'m>,
        weighed: Weighed<'m>,
        head: &Head<'m>,
        importance: &InstanceBuilder<'m>,
        (walked, head_done): (Wire<'m>, Wire<'m>),
    ) -> Stream<'m> {
        let (m, spec) = (self.m, self.spec);
        let walk = m.instance("walk", &walk::module(spec));
        let ready: Vec<Signal<'m>> = weighed.ready.iter().map(|ready| **ready).collect();
        let (ready_now, uses_slot, clears) = match &rows.selects {
            None => (rows.walks.get("slot").select(&ready), rows.walks.get("slot"), *walked),
            Some(to_select) => {
                let limits = self.select(&weighed, to_select, &ready);
                walk.input("threshold", limits.get("threshold"));
                walk.input("ties", limits.get("ties"));
                limits.ready.drive(*walked);
                (limits.valid, to_select.get("slot"), to_select.fires())
            }
        };
        for (slot, (ready, sets)) in weighed.ready.iter().zip(&weighed.sets).enumerate() {
            let clears = clears & uses_slot.eq(slot as u32);
            ready.next(*sets).enable(*sets | clears);
        }

        let free = [0, 1].map(|bank| m.reg(format!("bank_{bank}_free"), u(1)).reset_to(1));
        let bank = walk.output("bank_of_row");
        let may = (ready_now & bank.select(&free.map(Signal::from))).named("row_may_begin");
        let row = rows.walks.payload.clone();
        let last = row.get("last");
        let begin = m.wire("row_ready", u(1));
        rows.walks.ready.drive(*begin);
        walk.stream_into(
            "rows",
            Stream { valid: rows.walks.valid & may, payload: row.clone(), ready: begin },
        );
        walked.drive(walk.output("walked"));
        for port in ["read", "index"] {
            weighed.unit.input(&format!("walk_{port}"), walk.output(port));
        }
        walk.input("word", weighed.unit.output("walk_word"));

        for port in ["begins", "single", "adds", "key"] {
            importance.input(port, walk.output(port));
        }
        importance.input("weight", walk.output("key_weight")).input("sum", weighed.sum);
        let ends = (*walked & last).named("head_walked");
        let layer_ends = (ends & row.get("layer_last")).named("layer_walked");
        importance.input("reads", delayed_flag(m, "layer_ends", layer_ends, 1));
        head_done.drive((ends & !row.get("layer_last")) | importance.output("read"));
        let shares = importance.stream_from("out");
        debug_assert_eq!(shares.get("score").width(), IMPORTANCE_BITS);
        m.stream_out("importance", &shares);

        head.values.input("read", walk.output("reads")).input("read_index", walk.output("key"));
        let sums = m.instance("value_unit", &values::module(&spec.exact()));
        for port in ["uses", "weight", "first", "bank"] {
            sums.input(port, walk.output(port));
        }
        sums.input("value", head.values.output("word"));
        let of_row = [walk.output("one"), last];
        self.divide(&sums, *walked, (bank, free), of_row)
    }

    /// What is known of the rows' weights, in order.
    fn select(&self, weighed: &Weighed<'m>, rows: &Stream<'m>, ready: &[Signal<'m>]) -> Stream<'m> {
        let select = self.m.instance("select_unit", &select::module(self.spec));
        let takes = self.m.wire("selects", u(1));
        rows.ready.drive(*takes & rows.get("slot").select(ready));
        let valid = rows.valid & rows.get("slot").select(ready);
        select.stream_into("rows", Stream { valid, payload: rows.payload.clone(), ready: takes });
        for port in ["read", "index"] {
            weighed.unit.input(&format!("select_{port}"), select.output(port));
        }
        select.input("word", weighed.unit.output("select_word"));
        self.queue("limits", &select.stream_from("limits"))
    }

    /// Divides the banks' rows in turn.
    fn divide(
        &self,
        sums: &InstanceBuilder<'m>,
        walked: Signal<'m>,
        (bank, free): (Signal<'m>, [Reg<'m>; 2]),
        of_row: [Signal<'m>; 2],
    ) -> Stream<'m> {
        let (m, exact) = (self.m, self.spec.exact());
        let drained = m.reg("drained_bank", u(1));
        let fills = [0u32, 1].map(|b| (walked & bank.eq(b)).named(format!("bank_{b}_fills")));
        let of_bank = |name: &str, signal: Signal<'m>| {
            let banks = [0, 1].map(|b| held(m, format!("bank_{b}_{name}"), signal, fills[b]));
            drained.select(&banks)
        };
        sums.input("drain_bank", drained);
        let unit = m.instance("division_unit", &division::module(&exact));
        unit.input("summed", delayed_flag(m, "summed", walked, exact.beats() + 1))
            .input("single", of_bank("one", of_row[0]))
            .input("last", of_bank("last", of_row[1]))
            .input("sum", sums.output("sum"))
            .input("totals", sums.output("totals"));
        if exact.division_steps() > 1 {
            sums.input("drain_step", unit.output("step"));
        }
        let released = unit.output("released");
        drained.next(!drained).enable(released);
        for (bank, free) in free.iter().enumerate() {
            let frees = released & drained.eq(bank as u32);
            free.next(frees).enable(frees | fills[bank]);
        }
        unit.stream_from("out")
    }

    /// Sends `from` through a queue that has a place for it, as the slots see to.
    fn queue(&self, name: &str, from: &Stream<'m>) -> Stream<'m> {
        let queue = fifo(self.spec.window as usize, &from.payload.shape());
        let instance = self.m.instance(name, &queue);
        self.m.promise(format!("{name} has room"), *from.ready | !from.valid);
        instance.stream_into("in", from.clone());
        instance.stream_from("out")
    }
}
