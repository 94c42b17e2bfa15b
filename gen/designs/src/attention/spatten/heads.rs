//! The importance of a head: the sum of the magnitudes of what comes out.

use super::SpattenAttentionSpec;
use super::spec::HEAD_BITS;
use crate::attention::attend::cost::LEVELS_PER_STAGE;
use crate::attention::attend::spec::OUT_BITS;
use crate::wiring::{delayed_flag, held, quiet, unpack};
use hwgen_hdl::lib::adder_tree::pipelined_adder_tree;
use hwgen_hdl::{Bundle, Module, ModuleBuilder, Signal, Stream, index_bits, mux, s, u};
use std::sync::Arc;

/// Cycles from a head's last result's first cycle to its importance.
pub(super) fn cycles(spec: &SpattenAttentionSpec) -> u32 {
    let exact = spec.exact();
    let stages = exact.dividers().next_power_of_two().trailing_zeros().div_ceil(LEVELS_PER_STAGE);
    exact.division_steps() + stages + 1
}

/// Module `spatten_heads`.
///
/// Watches a stream of results: `valid`, `fires`, `data` and `last` of the head. A result's data are read
/// as many elements a cycle as are divided at once, from its first cycle on, and by then may change in
/// the order in which they were read. Stream `out`: a head's `score`; it must be taken before
/// the next head's first result.
pub(super) fn module(spec: &SpattenAttentionSpec) -> Arc<Module> {
    let exact = spec.exact();
    let m = ModuleBuilder::new("spatten_heads");
    m.doc("Sums up the magnitudes of a head's results.");
    let (valid, fires) = (m.input("valid", u(1)), m.input("fires", u(1)));
    let last = m.input("last", u(1));
    let fresh = m.reg("fresh", u(1)).reset_to(1);
    fresh.next(fires).enable(valid);
    let starts = (valid & fresh).named("starts");
    let row_last = mux(starts, last, held(&m, "row_last", last, starts));

    let (steps, width) = (exact.division_steps(), exact.dividers());
    let bits = u(OUT_BITS * spec.head_dim);
    let elements = unpack(m.input("data", bits), s(OUT_BITS), spec.head_dim);
    let zero = m.lit(s(OUT_BITS), 0);
    let (active, ends, chosen): (_, _, Vec<Signal<'_>>) = if steps == 1 {
        (starts, starts, elements)
    } else {
        let step = m.reg("step", u(index_bits(steps as usize)));
        let active = (starts | step.any()).named("active");
        let ends = step.eq(steps - 1);
        step.next(mux(ends, m.lit(step.ty(), 0), step + 1)).enable(active);
        let element = |place: u32| {
            let of_steps = (0..steps).map(|step| {
                let at = (step * width + place) as usize;
                elements.get(at).copied().unwrap_or(zero)
            });
            step.select(&of_steps.collect::<Vec<_>>())
        };
        (active, ends, (0..width).map(element).collect())
    };
    let magnitudes: Vec<_> = (chosen.iter().enumerate())
        .map(|(i, x)| mux(x.msb(), -*x, *x).as_unsigned().named(format!("magnitude_{i}")))
        .collect();
    let mut pipeline = quiet(active);
    let sum = pipelined_adder_tree(&mut pipeline, &magnitudes, LEVELS_PER_STAGE);
    let done = delayed_flag(&m, "done", ends & row_last, pipeline.latency() + 1);

    let first = m.reg("first", u(1)).reset_to(1);
    first.next(done).enable(done | pipeline.valid());
    let total = m.reg("total", u(HEAD_BITS)).no_reset();
    let sum = sum.resize(HEAD_BITS);
    total.next(mux(*first, sum, total + sum)).enable(pipeline.valid());
    let offered = m.reg("offered", u(1));
    let out = Stream::source(&m, "out", *offered, Bundle::new([("score", *total)]));
    offered.next(done).enable(done | out.fires());
    m.stream_out("out", &out);
    m.finish()
}
