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

use super::accept::{Rows, accept, query_fields, queue};
use super::load::{Head, key_fields, load};
use super::{SpattenAttentionSpec, heads, importance, scores, select, walk, weights};
use crate::attention::attend::{division, values};
use crate::wiring::{delayed_flag, held};
use hwgen_hdl::{InstanceBuilder, Module, ModuleBuilder, Reg, Signal, Stream, Wire, u};
use std::sync::Arc;

/// The top module; see [`super::build`].
pub(super) fn module(spec: &SpattenAttentionSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("spatten_attention");
    m.doc("SpAtten's attention: nibbles of the keys by need, values of the largest weights, importance.");
    let keys = m.stream_in("keys", &key_fields(spec));
    let queries = m.stream_in("queries", &query_fields(spec));

    let engine = Engine { m: &m, spec };
    let done = m.wire("head_done", u(1));
    let importance = m.instance("importance_unit", &importance::module(spec));
    let head = load(&m, spec, &keys, *done, &importance);
    let taken = m.wire("head_taken", u(1));
    let walked = m.wire("walked", u(1));
    let rows = accept(&m, spec, &queries, &head, *taken, *walked);
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
    spec: &'s SpattenAttentionSpec,
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
        queue(self.m, self.spec, "limits", &select.stream_from("limits"))
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
}
