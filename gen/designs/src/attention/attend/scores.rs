//! The score unit: exact products of a query and the keys of its row, scaled to logits.
//!
//! ```text
//! query register --+
//! key word --------+--> products --> adder tree --> (sum of the beats) --> * scale --> >> shift --> logit
//! ```

use super::spec::{ELEMENT_BITS, LOGIT_BITS, SCALE_BITS, SHIFT_BITS};
use super::{AttendSpec, cost};
use crate::wiring::{delayed, delayed_flag, quiet, unpack};
use hwgen_hdl::lib::adder_tree::{pipelined_adder_tree, sum_type};
use hwgen_hdl::lib::fifo::fifo;
use hwgen_hdl::lib::saturate::saturate;
use hwgen_hdl::{Bundle, Module, ModuleBuilder, Signal, Stream, s, u};
use std::sync::Arc;

/// Module `attend_scores`; never stalls.
///
/// In: `start` (a key's first beat; the next may follow after [`AttendSpec::beats`] cycles) with
/// `first` and `row_end` of its row and, at the row's first key, `query`, `scale`, `shift`; a cycle
/// later and until the next start's `key`. Out: `logit_valid`, `logit`, [`cost::score_latency`] after
/// the key's last beat.
pub(crate) fn module(spec: &AttendSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("attend_scores");
    m.doc("Exact scores of a row's surviving keys, as logits in 64ths of a power of two.");
    let (start, first) = (m.input("start", u(1)), m.input("first", u(1)));
    let end = m.input("row_end", u(1));
    let begins = (start & first).named("row_begins");
    let query = m.reg("row_query", u(spec.vector_bits())).no_reset();
    query.next(m.input("query", query.ty())).enable(begins);
    let scales = scales(&m, spec, begins);

    let beats = Beats::new(&m, spec.beats(), start);
    let chunk = beats.index.map(|index| delayed(&m, "chunk", index, 1));
    let key = chunks(spec, m.input("key", query.ty()), chunk);
    let query = chunks(spec, query.into(), chunk);
    let products: Vec<_> = (key.iter().zip(query).enumerate())
        .map(|(i, (key, query))| key.mul(query).named(format!("product_{i}")))
        .collect();
    let mut pipeline = quiet(delayed_flag(&m, "reads", beats.active, 1));
    let products = pipeline.stage("product", &products);
    let mut score = pipelined_adder_tree(&mut pipeline, &products, cost::LEVELS_PER_STAGE);
    let mut cycles = 1 + pipeline.latency();
    if let Some(index) = beats.index {
        let (first, last) = (index.eq(0), index.eq(spec.beats() - 1));
        let first = delayed(&m, "first_beat", first, cycles);
        let last = delayed(&m, "last_beat", last, cycles);
        let total = m.reg("total", sum_type(score.ty(), spec.beats() as usize)).no_reset();
        let wide = score.extend(total.width());
        total.next(first.mux(wide, total + wide)).enable(pipeline.valid());
        let whole = delayed_flag(&m, "total_valid", pipeline.valid() & last, 1);
        (score, pipeline) = (total.into(), quiet(whole));
        cycles += spec.beats();
    }
    // a row's scale is at the queue's head until the row's last key has been scaled
    let ends = delayed(&m, "ends", end, cycles);
    scales.ready.drive(pipeline.valid() & ends);
    m.promise("a scale waits for each row", scales.valid | !pipeline.valid());
    let scaled = score.mul(scales.get("scale").to_signed());
    let stage = pipeline.stage("scaled", &[scaled, scales.get("shift")]);
    let logit = saturate(stage[0].shr(stage[1]), s(LOGIT_BITS));
    let logit = pipeline.stage("logit", &[logit])[0];
    m.output("logit_valid", pipeline.valid());
    m.output("logit", logit);
    m.finish()
}

/// The scales of the rows that are in the pipe.
fn scales<'m>(m: &'m ModuleBuilder, spec: &AttendSpec, begins: Signal<'m>) -> Stream<'m> {
    let scale = Bundle::new([
        ("scale", m.input("scale", u(SCALE_BITS))),
        ("shift", m.input("shift", u(SHIFT_BITS))),
    ]);
    let queue = m.instance("scales", &fifo(spec.window as usize, &scale.shape()));
    let entry = Stream::source(m, "scale", begins, scale);
    m.promise("the window bounds the scales", *entry.ready | !begins);
    queue.stream_into("in", entry);
    queue.stream_from("out")
}

/// The beats of a key: the first at its start, the others in the cycles after.
pub(crate) struct Beats<'m> {
    /// In a beat.
    pub(crate) active: Signal<'m>,
    /// Which; none if there is but one.
    pub(crate) index: Option<Signal<'m>>,
}

impl<'m> Beats<'m> {
    pub(crate) fn new(m: &'m ModuleBuilder, beats: u32, start: Signal<'m>) -> Beats<'m> {
        if beats == 1 {
            return Beats { active: start, index: None };
        }
        let next = m.reg("next_beat", u(hwgen_hdl::index_bits(beats as usize)));
        let index = start.mux(m.lit(next.ty(), 0), *next).named("beat");
        let active = (start | next.any()).named("active");
        let last = index.eq(beats - 1).called("last_beat_now");
        next.next(last.mux(m.lit(next.ty(), 0), index + 1)).enable(active);
        Beats { active, index: Some(index) }
    }
}

/// The elements of a vector that a beat takes; 0 beyond the last.
pub(crate) fn chunks<'m>(
    spec: &AttendSpec,
    vector: Signal<'m>,
    beat: Option<Signal<'m>>,
) -> Vec<Signal<'m>> {
    chunks_of(spec, unpack(vector, s(ELEMENT_BITS), spec.head_dim), beat)
}

/// [`chunks`] of elements of any type.
pub(crate) fn chunks_of<'m>(
    spec: &AttendSpec,
    elements: Vec<Signal<'m>>,
    beat: Option<Signal<'m>>,
) -> Vec<Signal<'m>> {
    let Some(beat) = beat else {
        return elements;
    };
    let zero = elements[0].module().lit(elements[0].ty(), 0);
    let lane = |lane: u32| {
        let of_beats = (0..spec.beats()).map(|beat| {
            let at = (beat * spec.lanes + lane) as usize;
            elements.get(at).copied().unwrap_or(zero)
        });
        beat.select(&of_beats.collect::<Vec<_>>())
    };
    (0..spec.lanes).map(lane).collect()
}
