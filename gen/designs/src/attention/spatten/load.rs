//! The memories of a head, and the keys on their way there.

use super::spec::NIBBLE_BITS;
use super::{SpattenAttentionSpec, memory};
use crate::attention::attend::spec::ELEMENT_BITS;
use crate::wiring::{pack, unpack};
use hwgen_hdl::{Fields, InstanceBuilder, ModuleBuilder, Reg, Signal, Stream, bits_for, fields, u};

/// Stream `keys`: `key` and `value`, element 0 low; `live`, the token is not pruned; `last` of the head.
pub(super) fn key_fields(spec: &SpattenAttentionSpec) -> Fields {
    let vector = u(spec.exact().vector_bits());
    fields([("key", vector), ("value", vector), ("live", u(1)), ("last", u(1))])
}

/// A head's memories.
pub(super) struct Head<'m> {
    pub(super) high: InstanceBuilder<'m>,
    pub(super) low: Option<InstanceBuilder<'m>>,
    pub(super) values: InstanceBuilder<'m>,
    /// Live keys.
    pub(super) count: Reg<'m>,
    /// They are all there.
    pub(super) keys_end: Signal<'m>,
}

/// Takes the keys of a head when the head before is done; at a layer's first head, their counters
/// are cleared on the way.
pub(super) fn load<'m>(
    m: &'m ModuleBuilder,
    spec: &SpattenAttentionSpec,
    keys: &Stream<'m>,
    done: Signal<'m>,
    importance: &InstanceBuilder<'m>,
) -> Head<'m> {
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
