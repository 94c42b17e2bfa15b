//! A frame's samples, weighted, into the transform's memory.

use super::clip::Clip;
use super::multiply::{PRODUCT_CYCLES, Work};
use super::spec::TURN_BITS;
use super::widths::TURN_WIDTH;
use super::{MfccSpec, tables};
use crate::wiring::{after, delayed, delayed_flag};
use hwgen_hdl::lib::rounding::{Rounding, round_shift};
use hwgen_hdl::{ModuleBuilder, Signal, Wire, cat, u};

/// A weighted sample to be written.
pub(super) struct Weighted<'m> {
    /// There is one.
    pub(super) valid: Signal<'m>,
    /// The point it is a part of, in the order of the transform's memory.
    pub(super) address: Signal<'m>,
    /// It is the imaginary part.
    pub(super) imaginary: Signal<'m>,
    /// The part.
    pub(super) value: Signal<'m>,
    /// It is the frame's last.
    pub(super) ends: Signal<'m>,
}

/// Cycles from a sample's address to its weighted value.
const WEIGHT_CYCLES: u32 = 1 + PRODUCT_CYCLES;

/// Reads a frame when it starts, a sample a cycle, says on `frees` which samples the next frame does
/// not need, and uses a multiplier, whose product is given.
pub(super) fn window<'m>(
    m: &'m ModuleBuilder,
    spec: &MfccSpec,
    clip: &Clip<'m>,
    frees: &Wire<'m>,
    (product, value_bits): (Signal<'m>, u32),
) -> (Weighted<'m>, Work<'m>) {
    let bits = spec.fft.trailing_zeros();
    let windowing = m.reg("windowing", u(1));
    let n = m.reg("sample_number", u(bits));
    let last = (*windowing & n.eq(spec.fft - 1)).named("last_point");
    windowing.next(clip.starts).enable(clip.starts | last);
    n.next(n + 1).enable(*windowing);
    let inside = match spec.window == spec.fft {
        true => m.lit(u(1), 1),
        false => n.lt(spec.window).named("in_window"),
    };
    let leaves = match spec.hop == spec.fft {
        true => m.lit(u(1), 1),
        false => n.lt(spec.hop).named("leaves"),
    };
    frees.drive(*windowing & leaves);

    let place = m.reg("read_place", clip.oldest.ty()).no_reset();
    let reads = (*windowing & inside).named("window_reads");
    let next = clip.starts.mux(clip.oldest, after(*place, spec.window));
    place.next(next).enable(clip.starts | reads);
    let sample = clip.ring.read_sync(*place, reads);
    let weights = m.memory("window", spec.window as usize, u(TURN_BITS + 1));
    let weights = weights.init(tables::window(spec));
    let number = n.truncate(weights.address_type().width);
    let weight = weights.read_sync(number, reads);
    let uses = m.reg("window_uses", u(1)).next(reads);
    let work = Work { uses: *uses, left: sample, right: weight.to_signed() };
    debug_assert_eq!(work.right.width(), TURN_WIDTH);

    let shift = TURN_BITS - spec.fraction_bits;
    let value = round_shift(product, shift, Rounding::HalfUp).resize(value_bits);
    let inside = delayed(m, "in_window_delayed", inside, WEIGHT_CYCLES);
    let n = delayed(m, "number_delayed", *n, WEIGHT_CYCLES);
    // a transform that is decimated in time takes its points in the order of reversed bits
    let reversed: Vec<_> = (1..bits).map(|bit| n.bit(bit)).collect();
    let weighted = Weighted {
        valid: delayed_flag(m, "weighted_valid", *windowing, WEIGHT_CYCLES),
        address: cat(&reversed).named("weighted_address"),
        imaginary: n.bit(0),
        value: inside.mux(value, 0).named("weighted"),
        ends: delayed_flag(m, "window_ends", last, WEIGHT_CYCLES),
    };
    (weighted, work)
}
