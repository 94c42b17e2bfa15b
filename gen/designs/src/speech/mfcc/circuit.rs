//! `mfcc`: phase after phase over a frame, while the ring takes the samples of the next.
//!
//! ```text
//! samples -> ring -> window -> memory <=> turns (transform, then bins)
//!                                            +-> rotations -> two bands -> logarithm -> logs
//! levels -> level ------------------------------------------------^                       |
//!                                                        features <- sums <- cosines <----+
//! ```

use super::MfccSpec;
use super::bins::{Bins, bins, word};
use super::clip::{Clip, Told};
use super::cosines::cosines;
use super::logs::logs;
use super::multiply::Multiplier;
use super::spec::{LEVEL_BITS, SAMPLE_BITS};
use super::turn::{Complex, Reads, turn};
use super::walk::walk;
use super::widths::Widths;
use super::window::window;
use crate::wiring::{delayed, delayed_flag};
use hwgen_hdl::{Module, ModuleBuilder, Signal, cat, fields, s, u};
use std::sync::Arc;

/// The circuit; streams as `docs/mfcc.md` tells.
pub(super) fn module(name: &str, spec: &MfccSpec) -> Arc<Module> {
    let m = ModuleBuilder::new(name);
    m.doc("Mel-frequency cepstral coefficients of 16-bit samples, as int8.");
    let widths = Widths::of(spec);
    let levels = m.stream_in("levels", &fields([("value", u(LEVEL_BITS))]));
    let samples = m.stream_in("samples", &fields([("data", s(SAMPLE_BITS)), ("last", u(1))]));
    let multipliers: Vec<_> =
        (0..spec.multipliers).map(|n| Multiplier::new(&m, n, widths.operands)).collect();
    let product = multipliers[0].product();

    let told = Told { frees: m.wire("sample_freed", u(1)), done: m.wire("frame_done", u(1)) };
    let clip = Clip::new(&m, spec, (&levels, &samples), &told);
    let (weighted, window_work) = window(&m, spec, &clip, &told.frees, (product, widths.point));

    // one memory: read by two phases, written by the window and by the turns
    let transform = walk(&m, spec, weighted.ends);
    let part = s(widths.point + 1);
    let (sum_re, sum_im) = (m.wire("turned_sum_re", part), m.wire("turned_sum_im", part));
    let bin = Complex { re: *sum_re, im: *sum_im };
    let bin_valid = m.wire("bin_valid", u(1));
    let bins = bins(&m, spec, transform.ends, (&bin_valid, bin), product);
    let of_pair = (transform.reads.first | transform.reads.second).named("reads_pair");
    let reads = both(&transform.reads, &bins, transform.transforming);
    let memory = m.memory("points", spec.points() as usize, u(2 * widths.point));
    let read = memory.read_sync(reads.address, reads.first | reads.second);
    let turned = turn(&m, spec, &reads, (read, bins.binning), &multipliers);
    sum_re.drive(turned.sum.re);
    sum_im.drive(turned.sum.im);

    // a point is written as long after it was read as its pair takes
    let delay = spec.turn_latency() + 1;
    let turned_valid = delayed_flag(&m, "turned_valid", of_pair, delay);
    let odd = delayed_flag(&m, "turned_odd", transform.reads.second, delay);
    let address = delayed(&m, "turned_address", transform.reads.address, delay);
    let pair = odd.mux(word(turned.difference, widths.point), word(turned.sum, widths.point));
    let sample = cat(&[weighted.value, weighted.value]);
    let window_mask = cat(&[weighted.imaginary, !weighted.imaginary]);
    let mask = weighted.valid.mux(window_mask, m.lit(u(2), 3));
    let address = weighted.valid.mux(weighted.address, address);
    let data = weighted.valid.mux(sample, pair);
    memory.write_masked(address, data, weighted.valid | turned_valid, mask);

    let logs = logs(&m, spec, transform.ends, clip.level, &bins);
    let (out, cosine_work) = cosines(&m, spec, &logs, clip.last_frame, product);
    told.done.drive(out.fires() & out.get("frame_last"));
    let mut works = turned.works.into_iter();
    for (n, multiplier) in multipliers.into_iter().enumerate() {
        let mut of_this: Vec<_> = works.by_ref().take(1).collect();
        if n == 0 {
            of_this.extend([window_work, bins.work, cosine_work]);
        }
        multiplier.serve(&m, &of_this);
    }
    m.stream_out("out", &out);
    m.finish()
}

/// What the transform and the bins read; they are never at work at once.
fn both<'m>(pairs: &Reads<'m>, bins: &Bins<'m>, transforming: Signal<'m>) -> Reads<'m> {
    let bin = &bins.reads;
    Reads {
        first: (pairs.first | bin.first).named("reads_first"),
        second: (pairs.second | bin.second).named("reads_second"),
        address: transforming.mux(pairs.address, bin.address).named("point_address"),
        angle: transforming.mux(pairs.angle, bin.angle).named("point_angle"),
    }
}
