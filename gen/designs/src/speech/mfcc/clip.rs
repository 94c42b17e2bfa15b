//! A clip's samples: zeros before and behind them, the last `window` of them in a ring.

use super::MfccSpec;
use super::spec::{LEVEL_BITS, SAMPLE_BITS};
use crate::wiring::{after, held};
use hwgen_hdl::{MemoryBuilder, ModuleBuilder, Signal, Stream, Wire, bits_for, index_bits, s, u};

/// The clip that is worked on.
pub(super) struct Clip<'m> {
    /// Its level.
    pub(super) level: Signal<'m>,
    /// A frame begins: the ring is full, and nothing is at work.
    pub(super) starts: Signal<'m>,
    /// The frame that is worked on is the clip's last.
    pub(super) last_frame: Signal<'m>,
    /// The samples of a frame.
    pub(super) ring: MemoryBuilder<'m>,
    /// Where the oldest is.
    pub(super) oldest: Signal<'m>,
}

/// What the clip must be told.
pub(super) struct Told<'m> {
    /// A sample is read for the last time.
    pub(super) frees: Wire<'m>,
    /// The frame's last feature passes.
    pub(super) done: Wire<'m>,
}

impl<'m> Clip<'m> {
    /// Takes levels and samples.
    pub(super) fn new(
        m: &'m ModuleBuilder,
        spec: &MfccSpec,
        (levels, samples): (&Stream<'m>, &Stream<'m>),
        told: &Told<'m>,
    ) -> Clip<'m> {
        let (frees, done) = (*told.frees, *told.done);
        let over = m.wire("clip_over", u(1));
        let flag = |name: &str, sets: Signal<'m>| {
            m.reg(name, u(1)).next(m.lit(u(1), 1)).enable(sets).clear(*over)
        };
        let active = flag("active", levels.valid);
        levels.ready.drive(!active);
        debug_assert_eq!(levels.get("value").width(), LEVEL_BITS);
        let level = held(m, "level", levels.get("value"), levels.fires());

        // all frames are worked on one after the other, the last one leaves nothing to do
        let frame = m.reg("frame", u(index_bits(spec.frames as usize)));
        let last_frame = frame.eq(spec.frames - 1).named("last_frame");
        frame.next(frame + 1).enable(done).clear(*over);
        let filled = m.reg("filled", u(bits_for(spec.window.into()))).clear(*over);
        let full = filled.eq(spec.window).named("full");
        let busy = m.reg("busy", u(1));
        let starts = (full & !*busy).named("frame_starts");
        busy.next(starts).enable(starts | done);
        // what comes when the last frame has begun is of no use
        let all_taken = flag("all_taken", starts & last_frame);
        let served = flag("served", done & last_frame);
        let ended = flag("ended", samples.fires() & samples.get("last"));
        over.drive(*served & *ended);

        let open = (*active & !full & !*all_taken).named("open");
        let led = match spec.lead {
            0 => m.lit(u(1), 1),
            lead => {
                let zeros = m.reg("lead_zeros", u(bits_for(lead.into()))).clear(*over);
                let led = zeros.eq(lead).named("led");
                zeros.next(zeros + 1).enable(open & !led);
                led
            }
        };
        samples.ready.drive(*active & !*ended & (*all_taken | (led & !full)));
        let sampled = (led & !*ended).named("sampled");
        let push = (open & (!sampled | samples.valid)).named("push");
        let word = sampled.mux(samples.get("data"), m.lit(s(SAMPLE_BITS), 0)).named("pushed");

        let ring = m.memory("ring", spec.window as usize, s(SAMPLE_BITS));
        let place = m.reg("ring_place", ring.address_type());
        place.next(after(*place, spec.window)).enable(push).clear(*over);
        ring.write(*place, word, push);
        // the oldest samples are read first, so that new ones may follow on their heels
        filled.next(push.mux(*filled + 1, *filled - 1)).enable(push ^ frees);
        m.promise("no more samples are freed than there are", filled.any() | !frees);
        Clip { level, starts, last_frame, ring, oldest: *place }
    }
}
