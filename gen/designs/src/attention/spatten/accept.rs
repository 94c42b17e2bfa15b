//! Rows on their way in: a slot each, and a place in the queue of all that is to be done.

use super::SpattenAttentionSpec;
use super::load::Head;
use crate::attention::attend::spec::{SCALE_BITS, SHIFT_BITS};
use hwgen_hdl::lib::fifo::fifo;
use hwgen_hdl::{Bundle, Fields, ModuleBuilder, Reg, Signal, Stream, bits_for, fields, u};

/// Stream `queries`: `data`, element 0 low; `scale`, `shift`; `visible` live keys; `last` of the head, `layer_last`:
/// and its head of the layer.
pub(super) fn query_fields(spec: &SpattenAttentionSpec) -> Fields {
    fields([
        ("data", u(spec.exact().vector_bits())),
        ("scale", u(SCALE_BITS)),
        ("shift", u(SHIFT_BITS)),
        ("visible", u(spec.count_bits())),
        ("last", u(1)),
        ("layer_last", u(1)),
    ])
}

/// Rows on their way.
pub(super) struct Rows<'m> {
    /// Those accepted in this cycle.
    pub(super) accepted: Signal<'m>,
    pub(super) slot: Reg<'m>,
    pub(super) query: Bundle<'m>,
    pub(super) single: Signal<'m>,
    /// To be scored.
    pub(super) high: Stream<'m>,
    /// To be walked, in order: see [`walk::row_fields`].
    pub(super) walks: Stream<'m>,
    /// To be selected, in order; none if nothing is.
    pub(super) selects: Option<Stream<'m>>,
}

/// Gives rows a slot and queues them for all that is to be done.
pub(super) fn accept<'m>(
    m: &'m ModuleBuilder,
    spec: &SpattenAttentionSpec,
    queries: &Stream<'m>,
    head: &Head<'m>,
    head_taken: Signal<'m>,
    walked: Signal<'m>,
) -> Rows<'m> {
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
        queue(m, spec, "rows_to_select", &row)
    });
    Rows {
        accepted,
        slot,
        query: queries.payload.clone(),
        single,
        high: queue(m, spec, "high_jobs", &high),
        walks: queue(m, spec, "rows_to_walk", &walks),
        selects,
    }
}

/// Sends `from` through a queue that has a place for it, as the slots see to.
pub(super) fn queue<'m>(
    m: &'m ModuleBuilder,
    spec: &SpattenAttentionSpec,
    name: &str,
    from: &Stream<'m>,
) -> Stream<'m> {
    let queue = fifo(spec.window as usize, &from.payload.shape());
    let instance = m.instance(name, &queue);
    m.promise(format!("{name} has room"), *from.ready | !from.valid);
    instance.stream_into("in", from.clone());
    instance.stream_from("out")
}
