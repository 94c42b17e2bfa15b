//! DDF by mass: how many octaves below a row's best key hold enough of its estimated softmax mass.
//!
//! ```text
//! scores --> octaves --> maximum --> slots of a histogram --> counts, by octave below the best
//!                                                              --> mass so far --> threshold
//! ```

use super::mass_threshold::{self, Unit};
use super::{LapaPredictorSpec, cost};
use crate::wiring::{held, numbered, pack, quiet, times_constant, unpack};
use hwgen_hdl::lib::leading_one::leading_one;
use hwgen_hdl::lib::pipeline::Pipeline;
use hwgen_hdl::lib::popcount::popcount;
use hwgen_hdl::lib::saturate::saturate;
use hwgen_hdl::{Module, ModuleBuilder, Signal, Type, s, u};
use std::sync::Arc;

/// Octaves that are counted, the best key's first.
pub(super) const DEPTH: u32 = 16;
/// An octave.
pub(super) const OCTAVE: Type = s(10);
/// Type of [`Octave::exponent`].
pub(super) const EXPONENT: Type = s(7);
/// Bits of a shift.
const SHIFT: Type = u(5);

/// What makes an octave out of a final score: `(score * (half ? 3 : 2)) >> exponent`.
pub(super) struct Octave<'m> {
    pub(super) half: Signal<'m>,
    pub(super) exponent: Signal<'m>,
}

/// The octave of a row's scores, from its `scale` and `shift`; combinational.
pub(super) fn octave<'m>(scale: Signal<'m>, shift: Signal<'m>) -> Octave<'m> {
    // the leading ones of a query hold about 8/11 of it
    let product = times_constant(scale.to_signed(), 11).shr(3).called("eleven_eighths");
    let product = product.as_unsigned();
    let scale = product.truncate(scale.width() + 1).named("octave_scale");
    let leading = leading_one(scale).index;
    let below = scale.cat(scale.module().lit(u(1), 0)).called("octave_scale_doubled");
    let below: Vec<_> = (0..scale.width()).map(|bit| below.bit(bit)).collect();
    let bits = EXPONENT.width;
    let exponent = shift.to_signed().extend(bits) + 7 - leading.to_signed().extend(bits);
    Octave { half: leading.select(&below), exponent }
}

/// The mass unit of round `round`; never stalls, rows may follow each other at once.
///
/// In: `valid`, `last` (the row's last group), `live` (a bit a key), `scores`, and the row's `half`
/// and `octave`. Out: [`cost::statistics_cycles`] and [`cost::threshold_cycles`] after the last
/// group `threshold_valid` and `threshold`, a score; or an octave, if the round's keys wait as
/// octaves: then `octaves` and `octaves_live`, a cycle after a group, are what waits.
pub(super) fn module(spec: &LapaPredictorSpec, round: usize, mass256: u32) -> Arc<Module> {
    let score = s(spec.score_bits(round));
    let m = ModuleBuilder::new(format!("lapa_mass_{round}"));
    m.doc("Threshold above which a row's keys hold a part of its estimated softmax mass.");
    let (valid, last) = (m.input("valid", u(1)), m.input("last", u(1)));
    let live = m.input("live", u(spec.rows));
    let scores = unpack(m.input("scores", u(spec.rows * score.width)), score, spec.rows);
    let (half, exponent) = (m.input("half", u(1)), m.input("octave", EXPONENT));
    let exponent = exponent.extend(EXPONENT.width + 1) - i64::from(spec.slice_low(round));
    let shift = saturate(exponent, SHIFT).named("row_shift");

    let lane = |i: usize| {
        let a = scores[i].extend(score.width + 2);
        let product = (a.shl(1) + half.mux(a, 0)).named(format!("product_{i}"));
        let octave = saturate(product.shr(shift), OCTAVE);
        held(&m, format!("octave_{i}"), octave, valid & live.bit(i as u32))
    };
    let octaves: Vec<_> = (0..scores.len()).map(lane).collect();
    let (mut groups, mut ends) = (quiet(valid), quiet(valid & last));
    let live = groups.stage("live", &[live])[0];
    let octaves_wait = cost::waits_as_octaves(spec, round);
    if octaves_wait {
        m.output("octaves", pack(&octaves));
        m.output("octaves_live", live);
    }
    // what makes a score of the threshold
    let row = if octaves_wait { vec![] } else { vec![half, shift] };
    let row = ends.stage("row", &row);
    let lanes = Lanes { live: unpack(live, u(1), spec.rows), octaves };
    let counted = count(&m, spec, [groups, ends], &row, lanes);
    assert_eq!(counted.cycles, cost::statistics_cycles(spec, round));
    let unit = if octaves_wait { Unit::Octaves } else { Unit::Scores(score) };
    mass_threshold::outputs(&m, spec, counted, unit, mass256);
    m.finish()
}

/// The keys of a group.
struct Lanes<'m> {
    live: Vec<Signal<'m>>,
    octaves: Vec<Signal<'m>>,
}

/// A row's histogram.
pub(super) struct Counted<'m> {
    /// Rows, a cycle each at most.
    pub(super) pipeline: Pipeline<'m>,
    /// Cycles since the row's last scores.
    pub(super) cycles: u32,
    /// Keys in each octave, the best key's first.
    pub(super) counts: Vec<Signal<'m>>,
    /// The best key's octave.
    pub(super) top: Signal<'m>,
    /// What else is the row's.
    pub(super) row: Vec<Signal<'m>>,
}

/// Counts the live keys of a row by octave, relative to the largest. One pipeline takes groups, beside
/// it one takes what is the row's alone with the last of them.
///
/// Slot `octave mod DEPTH` counts an octave: when the maximum rises, the octaves that come into reach
/// take the slots of those that fall out of it, and start afresh.
fn count<'m>(
    m: &'m ModuleBuilder,
    spec: &LapaPredictorSpec,
    [mut groups, mut ends]: [Pipeline<'m>; 2],
    row: &[Signal<'m>],
    lanes: Lanes<'m>,
) -> Counted<'m> {
    let (mut live, mut octaves, mut row) = (lanes.live, lanes.octaves, row.to_vec());
    let lane = |(live, octave): (&Signal<'m>, &Signal<'m>)| live.mux(*octave, OCTAVE.min());
    let mut level = numbered("live_octave", live.iter().zip(&octaves).map(lane));
    let mut depth = 0;
    while level.len() > 1 {
        let larger = |pair: &[Signal<'m>]| pair[0].gt(pair[1]).mux(pair[0], pair[1]);
        level = level.chunks(2).map(larger).collect();
        depth += 1;
        if depth % cost::LEVELS_PER_STAGE == 0 || level.len() == 1 {
            let all = groups.stage("max", &[&level[..], &octaves, &live].concat());
            [level, octaves, live] = split(&all, [level.len(), octaves.len()]);
            row = ends.stage("row", &row);
        }
    }

    let fresh = m.reg("fresh", u(1)).reset_to(1);
    fresh.next(ends.valid()).enable(groups.valid());
    let top = m.reg("top", OCTAVE).no_reset();
    let rises = (*fresh | level[0].gt(*top)).named("rises");
    let new_top = rises.mux(level[0], *top).named("new_top");
    top.next(new_top).enable(groups.valid() & rises);
    let wide = |octave: Signal<'m>| octave.extend(OCTAVE.width + 1);
    let below = |from: Signal<'m>, octave| (wide(from) - wide(octave)).as_unsigned();
    let rise = below(new_top, *top).named("rise");
    let all_new = (*fresh | rise.ge(DEPTH)).called("all_new");
    let slot = |octave: Signal<'m>| octave.as_unsigned().truncate(SLOT.width);
    let starts = |at| all_new | (m.lit(SLOT, 0) + slot(new_top) - at).lt(slot(rise));
    let starts = numbered("slot_starts", (0..DEPTH).map(starts));
    let counts = |(i, (live, octave)): (usize, (&Signal<'m>, &Signal<'m>))| {
        let below = below(new_top, *octave).called(format!("octaves_below_{i}"));
        *live & below.lt(DEPTH)
    };
    let counts: Vec<_> = live.iter().zip(&octaves).enumerate().map(counts).collect();
    let slots: Vec<_> = octaves.iter().map(|octave| slot(*octave)).collect();
    // which slots start afresh matters, and changes, when the maximum rises alone
    let takes = (groups.takes() & rises).called("starts_change");
    let mut starts = held(m, "starts", pack(&starts), takes);
    let all = groups.stage("slot", &[&[rises][..], &counts, &slots].concat());
    let [rose, counts, slots] = split(&all, [1, counts.len()]);
    let mut rose = rose[0];
    let mut row = ends.stage("row", &[&[new_top], &row[..]].concat());

    let hits = (0..DEPTH).map(|at| {
        let hits = counts.iter().zip(&slots).map(|(counts, slot)| *counts & slot.eq(at));
        popcount(pack(&numbered(&format!("hits_{at}_by"), hits))).called(format!("hits_{at}"))
    });
    let mut hits: Vec<_> = hits.collect();
    if cost::registers_hits(spec) {
        starts = held(m, "starts_of_hits", starts, groups.takes() & rose);
        let all = groups.stage("hits", &[&[rose], &hits[..]].concat());
        (rose, hits) = (all[0], all[1..].to_vec());
        row = ends.stage("row", &row);
    }

    let counts: Vec<_> = (hits.iter().enumerate())
        .map(|(at, hits)| {
            let starts = (rose & starts.bit(at as u32)).called(format!("count_{at}_starts"));
            let count = m.reg(format!("count_{at}"), u(spec.count_bits())).no_reset();
            let sum = starts.mux(m.lit(count.ty(), 0), *count) + hits.resize(count.width());
            count.next(sum).enable(groups.valid() & (starts | hits.any())).into()
        })
        .collect();
    let row = ends.stage("row", &row);
    let counts = from_top(&counts, slot(row[0]));
    let all = ends.stage("octaves", &[&counts[..], &row].concat());
    let (counts, row) = all.split_at(counts.len());
    let (counts, cycles) = (counts.to_vec(), ends.latency());
    Counted { pipeline: ends, cycles, counts, top: row[0], row: row[1..].to_vec() }
}

/// The slot of an octave.
const SLOT: Type = u(DEPTH.trailing_zeros());

/// The slots in the order of octaves from `top` down: a rotation, a power of two at a time.
fn from_top<'m>(slots: &[Signal<'m>], top: Signal<'m>) -> Vec<Signal<'m>> {
    let places = slots.len();
    let mut order: Vec<_> = (0..places).map(|d| slots[(places - d) % places]).collect();
    for bit in 0..top.width() {
        let step = |d: usize| (d + places - (1 << bit)) % places;
        let turned = |d: usize| top.bit(bit).mux(order[step(d)], order[d]);
        order = numbered(&format!("turned_{bit}"), (0..places).map(turned));
    }
    order
}

/// Cuts a list into parts of these lengths and the rest.
pub(super) fn split<'m>(all: &[Signal<'m>], lengths: [usize; 2]) -> [Vec<Signal<'m>>; 3] {
    let (a, rest) = all.split_at(lengths[0]);
    let (b, rest) = rest.split_at(lengths[1]);
    [a, b, rest].map(<[_]>::to_vec)
}
