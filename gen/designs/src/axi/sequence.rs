//! Rows of attention heads, marked in hardware: what each sees and which ends the group.

use super::map::{CLEAR_COUNTERS, plain_ports};
use crate::wiring::stream_fields;
use hwgen_hdl::lib::register_slice::{Cut, slice_stream};
use hwgen_hdl::{Bundle, Module, ModuleBuilder, Signal, Type, fields, mux, u};
use std::sync::Arc;

/// Bits of a row's index.
const ROW_BITS: u32 = 24;
/// Bits of a query head's index in its group.
const HEAD_BITS: u32 = 8;
/// Bits of the counter of misplaced `last`s; it wraps.
const COUNTER_BITS: u32 = 32;

/// The sequencer's ports and what they mean.
pub const MEANINGS: &[(&str, &str)] = &[
    ("causal", "row i of a head sees keys 0 .. i, else all of the load"),
    ("rows_per_head", "rows of a query head; 0: it ends with `tlast`"),
    ("queries_per_key", "query heads that share a load of keys; 0 is 1"),
    ("misframed", "rows whose `tlast` ends no head, while `rows_per_head` is not 0"),
];

/// Puts the sequencer before an attention engine; module `name`.
///
/// `engine` has streams `keys` and `queries` (`data`, `visible`, .., `last`) in and `out` out, and
/// any plain ports, `clear_counters` among them or not. Here `queries` has `data` and `last`; the other
/// fields are plain inputs, beside those of [`MEANINGS`]. All of them are taken over with a group's
/// first row.
///
/// # Panics
/// If the engine has other streams.
pub fn sequence(name: &str, engine: &Arc<Module>) -> Arc<Module> {
    let m = ModuleBuilder::new(name);
    m.doc(format!(
        "Sequencer of rows before `{}`: what each sees, which ends a group.",
        engine.name
    ));
    let unit = m.instance("engine", engine);
    let clear = m.input(CLEAR_COUNTERS, u(1));
    unit.stream_into("keys", m.stream_in("keys", &stream_fields(engine, "keys")));

    let shape = stream_fields(engine, "queries");
    let ty_of = |field: &str| shape.iter().find(|(name, _)| name == field).map(|(_, ty)| *ty);
    let missing = |field: &str| -> Type { panic!("`{}`: no field `{field}`", engine.name) };
    let data = ty_of("data").unwrap_or_else(|| missing("data"));
    let seen = ty_of("visible").unwrap_or_else(|| missing("visible"));
    let rows = m.stream_in("queries", &fields([("data", data), ("last", u(1))]));

    // a group keeps what its first row found
    let first = m.reg("first", u(1)).reset_to(1);
    let setting = |name: &str, ty: Type| -> Signal<'_> {
        let now = m.input(name, ty);
        let held = m.reg(format!("group_{name}"), ty).no_reset();
        held.next(now).enable(rows.fires() & first);
        mux(*first, now, held).named(format!("{name}_of_row"))
    };
    let causal = setting("causal", u(1));
    let rows_per_head = setting("rows_per_head", u(ROW_BITS));
    let queries_per_key = setting("queries_per_key", u(HEAD_BITS));

    let (row, head) = (m.reg("row", u(ROW_BITS)), m.reg("head", u(HEAD_BITS)));
    let tlast = rows.get("last");
    let counted = rows_per_head.any().named("counted");
    let next_row = (row + 1).named("next_row");
    let head_ends = mux(counted, next_row.eq(rows_per_head), tlast).named("head_ends");
    let next_head = head.extend(HEAD_BITS + 1) + 1;
    let all_heads = next_head.ge(queries_per_key.extend(HEAD_BITS + 1)).named("all_heads");
    let group_ends = (head_ends & all_heads).named("group_ends");
    row.next(mux(head_ends, m.lit(row.ty(), 0), next_row)).enable(rows.fires());
    head.next(mux(group_ends, m.lit(head.ty(), 0), head + 1)).enable(rows.fires() & head_ends);
    first.next(group_ends).enable(rows.fires());

    let misframed = m.reg("count_misframed", u(COUNTER_BITS)).clear(clear);
    misframed.next(misframed + 1).enable(rows.fires() & tlast & counted & !head_ends);
    m.output("misframed", misframed);

    // the engine holds what a row sees to the load's keys
    let everything = m.lit(seen, seen.max());
    let so_far = match ROW_BITS > seen.width {
        true => next_row
            .gt(m.lit(u(ROW_BITS), seen.max()))
            .mux(everything, next_row.truncate(seen.width)),
        false => next_row.extend(seen.width),
    };
    let visible = mux(causal, so_far, everything).named("visible");
    let payload = Bundle::new(shape.iter().map(|(field, ty)| {
        let signal = match field.as_str() {
            "data" => rows.get("data"),
            "visible" => visible,
            "last" => group_ends,
            _ => setting(field, *ty),
        };
        (field.clone(), signal)
    }));
    // registered, as settings may change while a row waits for the engine
    let marked = slice_stream(Cut::Forward, "marked", &rows.with_payload(payload));
    unit.stream_into("queries", marked);

    let (inputs, outputs) = plain_ports(engine);
    for (port, ty) in inputs {
        unit.input(&port, m.input(&port, ty));
    }
    if engine.inputs.iter().any(|port| *port.name == *CLEAR_COUNTERS) {
        unit.input(CLEAR_COUNTERS, clear);
    }
    for (port, _) in outputs {
        m.output(&port, unit.output(&port));
    }
    m.stream_out("out", &unit.stream_from("out"));
    m.finish()
}
