//! `listen`: a ring of samples, and one who reads it.

use super::ListenSpec;
use crate::generate::Generate;
use crate::wiring::after;
use hwgen_hdl::{Bundle, Module, ModuleBuilder, Stream, bits_for, fields, s, u};
use std::sync::Arc;

/// The circuit; streams as `docs/listen.md` tells.
pub(super) fn module(name: &str, spec: &ListenSpec) -> Arc<Module> {
    let m = ModuleBuilder::new(name);
    m.doc("Features of the last samples, whenever enough new ones have come.");
    let samples = m.stream_in("samples", &fields([("data", s(16))]));

    let depth = spec.ring();
    let ring = m.memory("samples_ring", depth as usize, s(16));
    let place = ring.address_type();
    let held = m.reg("samples_held", u(bits_for(depth.into())));
    samples.ready.drive(held.ne(depth));
    let comes = samples.fires();
    let newest = m.reg("next_place", place);
    newest.next(after(*newest, depth)).enable(comes);
    ring.write(*newest, samples.get("data"), comes);

    // a clip is read for its largest sample, then, a sample after the other, for its features
    let (scanning, sending) = (m.reg("scanning", u(1)), m.reg("sending", u(1)));
    let level_waits = m.reg("level_waits", u(1));
    let idle = !*scanning & !*sending & !*level_waits;
    let starts = (idle & held.ge(spec.clip)).named("clip_starts");
    let left = m.reg("samples_left", u(bits_for(spec.clip.into()))).no_reset();
    let oldest = m.reg("oldest_place", place);
    let at = m.reg("read_place", place).no_reset();

    let beat_holds = m.reg("beat_holds", u(1));
    let fetched = m.reg("fetched", u(1));
    let beat_goes = m.wire("beat_goes", u(1));
    let fetches = (*sending & left.any() & !*beat_holds & !*fetched).named("fetches");
    let scans = (*scanning & left.any().called("some_left")).named("scans");
    let reads = (scans | fetches).called("reads");
    let level_taken = m.wire("level_taken", u(1));
    let restarts = (starts | *level_taken).called("restarts");
    let moves = (restarts | reads).called("place_moves");
    at.next(restarts.mux(*oldest, after(*at, depth))).enable(moves);
    left.next(restarts.mux(m.lit(left.ty(), spec.clip), *left - 1)).enable(moves);
    let sample = ring.read_sync(*at, reads);

    let scanned = m.reg("scanned", u(1)).next(scans);
    let scan_begins = m.reg("scan_begins", u(1)).next(starts).enable(starts | *scanned);
    let largest = m.reg("largest", s(16)).no_reset();
    let larger = *scan_begins | sample.gt(*largest);
    largest.next(sample).enable(*scanned & larger);
    let scan_done = (*scanning & !left.any() & !*scanned).named("scan_done");
    scanning.next(starts).enable(starts | scan_done);

    // its size, and 1 for silence
    let wide = largest.extend(17);
    let size = wide.msb().mux(-wide, wide).called("largest_size").truncate(16).as_unsigned();
    let level = size.any().mux(size, m.lit(u(16), 1)).named("level");
    level_waits.next(scan_done).enable(scan_done | *level_taken);

    let mfcc = m.instance("mfcc", &spec.mfcc().build());
    let levels = Stream::source(&m, "levels", *level_waits, Bundle::new([("value", level)]));
    mfcc.stream_into("levels", levels.clone());
    level_taken.drive(levels.fires());
    sending.next(*level_taken).enable(*level_taken | (*beat_goes & !left.any()));

    fetched.next(fetches);
    let beat = m.reg("beat", s(16)).no_reset().next(sample).enable(*fetched);
    beat_holds.next(*fetched).enable(*fetched | *beat_goes);
    let payload = Bundle::new([("data", *beat), ("last", !left.any())]);
    let beats = Stream::source(&m, "beats", *beat_holds, payload);
    mfcc.stream_into("samples", beats.clone());
    beat_goes.drive(beats.fires());

    // then the oldest samples make room
    let done = (*beat_goes & !left.any()).named("clip_done");
    let moved = (oldest.extend(place.width + 1) + spec.stride).called("oldest_moved");
    let moved =
        moved.ge(depth).mux(moved - depth, moved).called("oldest_in_ring").truncate(place.width);
    oldest.next(moved).enable(done);
    let step = m.lit(held.ty(), spec.stride);
    let kept = done.mux(*held - step, *held).called("samples_kept");
    held.next(comes.mux(kept + 1, kept)).enable(comes | done);
    m.stream_out("out", &mfcc.stream_from("out"));
    m.finish()
}
