//! What the board shows.

use super::channels::Core;
use super::state::{Link, State};
use super::{Payload, TopSpec};
use hwgen_hdl::{ModuleBuilder, Signal, bits_for, s, u};

/// Bits of the result shown.
const RESULT_BITS: u32 = 4;

pub(super) fn leds<'m>(
    m: &'m ModuleBuilder,
    link: &Link<'m>,
    spec: &TopSpec,
    payload: &Payload,
    core: &Core<'m>,
) {
    // about once a second
    let beat = m.reg("heart_beat", u(bits_for(u64::from(spec.clock_hz)).max(2)));
    beat.next(*beat + 1);
    m.output("led_alive", beat.msb());
    let idle = core.waits.unwrap_or_else(|| link.is(State::Listen));
    m.output("led_busy", m.reg("busy", u(1)).next(!idle));
    // an empty frame is no damage, but stands between two frames: it leaves the light as it is
    let empty = link.to.eq(0xfa);
    let damaged = (*link.misheard & !empty) | *link.mismeasured;
    let error = m.reg("error", u(1)).enable(damaged | *link.heard).next(damaged);
    m.output("led_error", *error);
    let result = m.reg("result", u(RESULT_BITS));
    match payload.classes {
        None => result.next(core.byte.high(RESULT_BITS)).enable(*link.takes),
        Some(classes) => {
            let (class, ends) = largest(m, link, core, classes);
            result.next(class.resize(RESULT_BITS)).enable(ends)
        }
    };
    m.output("led_result", *result);
    m.output("link_listens", link.is(State::Listen));
}

/// The place of the largest byte of the first channel, the first of equals, up to `last`; and when it is
/// known.
fn largest<'m>(
    m: &'m ModuleBuilder,
    link: &Link<'m>,
    core: &Core<'m>,
    classes: u32,
) -> (Signal<'m>, Signal<'m>) {
    let ends = (core.first & *link.beat_ends & core.last).named("scores_end");
    let at = m.reg("score_at", u(8)).enable(core.first).clear(ends);
    let counts = at.lt(classes.min(255)).named("score_counts");
    at.next(counts.mux(*at + 1, *at));
    let score = core.byte.as_signed();
    let best = m.reg("best_score", s(8)).no_reset();
    let better = (counts & (at.eq(0) | score.gt(*best))).named("score_better");
    best.next(score).enable(core.first & better);
    let class = m.reg("best_class", u(8)).no_reset();
    let known = better.mux(*at, *class);
    class.next(known).enable(core.first);
    (known, ends)
}
