//! Performance counters: what the engine did, and what it waited for.

use crate::attention::attend::AttendSpec;
use hwgen_hdl::lib::popcount::popcount;
use hwgen_hdl::{InstanceBuilder, ModuleBuilder, Signal, Stream, u};

/// Bits of a counter; it wraps.
const COUNTER_BITS: u32 = 32;

/// Input `clear_counters`, which is returned, and for each counter an output:
///
/// | counter | counts |
/// |---|---|
/// | `cycles` | cycles since reset or clear |
/// | `rows` | rows whose survivors the exact stage has taken |
/// | `groups` | groups of keys predicted |
/// | `survivors` | keys that survived |
/// | `scoring` | cycles in which a key is issued to the score unit |
/// | `loading` | cycles in which none is, since keys are loaded or read out |
/// | `starved` | .., since no survivor is listed |
/// | `blocked` | .., since the row has no query or no room behind the score unit |
pub(crate) fn count<'m>(
    m: &'m ModuleBuilder,
    spec: &AttendSpec,
    survivors: &Stream<'m>,
    exact: &InstanceBuilder<'m>,
) -> Signal<'m> {
    let clear = m.input("clear_counters", u(1));
    let takes = survivors.fires().named("takes_survivors");
    let flags = [
        ("cycles", m.lit(u(1), 1)),
        ("rows", takes & survivors.get("last")),
        ("groups", takes),
        ("scoring", exact.output("scoring")),
        ("loading", exact.output("idle_loading")),
        ("starved", exact.output("idle_starved")),
        ("blocked", exact.output("idle_blocked")),
    ];
    for (name, event) in flags {
        counter(m, name, event, clear);
    }
    let live: Signal<'m> = match spec.rows {
        1 => survivors.get("live"),
        _ => popcount(survivors.get("live")),
    };
    let counter = m.reg("count_survivors", u(COUNTER_BITS));
    counter.next(counter + live.resize(COUNTER_BITS)).enable(takes).clear(clear);
    m.output("survivors", counter);
    clear
}

/// The output `name`: the edges with `event`.
pub(crate) fn counter<'m>(m: &'m ModuleBuilder, name: &str, event: Signal<'m>, clear: Signal<'m>) {
    let counter = m.reg(format!("count_{name}"), u(COUNTER_BITS));
    counter.next(counter + 1).enable(event).clear(clear);
    m.output(name, counter);
}
