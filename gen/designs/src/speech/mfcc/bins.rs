//! Bin after bin: its real form, its magnitude, its share of two bands.

use super::multiply::{PRODUCT_CYCLES, Work};
use super::turn::{Complex, Reads};
use super::widths::Widths;
use super::{MfccSpec, tables};
use crate::wiring::delayed_flag;
use hwgen_hdl::lib::barrel_shifter::{Shift, barrel_shift};
use hwgen_hdl::{Int, ModuleBuilder, Signal, Wire, bits_for, cat, index_bits, u};

/// The walk over the bins.
pub(super) struct Bins<'m> {
    /// It is at work.
    pub(super) binning: Signal<'m>,
    /// Its last band is complete, in a cycle after the one with `completes`.
    pub(super) ends: Signal<'m>,
    /// What it reads.
    pub(super) reads: Reads<'m>,
    /// A band is complete: it is `falling`.
    pub(super) completes: Signal<'m>,
    /// The sum of the band that falls.
    pub(super) falling: Signal<'m>,
    /// The use of a multiplier.
    pub(super) work: Work<'m>,
}

/// A bin's magnitude.
struct Magnitude<'m> {
    /// It is found in this cycle, and stays.
    found: Signal<'m>,
    value: Signal<'m>,
}

/// Walks when `starts`. A bin's real form is in `bin` when `bin_valid`; `product` is the multiplier's.
pub(super) fn bins<'m>(
    m: &'m ModuleBuilder,
    spec: &MfccSpec,
    starts: Signal<'m>,
    (bin_valid, bin): (&Wire<'m>, Complex<'m>),
    product: Signal<'m>,
) -> Bins<'m> {
    let (widths, table) = (Widths::of(spec), tables::bins(spec));
    let count = table.len() as u32;
    let binning = m.reg("binning", u(1));
    let index = m.reg("bin_index", u(bits_for(count.into())));
    let all = index.eq(count).named("all_bins");

    let segment_bits = bits_for((spec.mels + 1).into());
    let words =
        table.iter().map(|bin| (Int::from(bin.segment) << (spec.weight_bits + 1)) + bin.weight);
    let words: Vec<_> = words.collect();
    let rom = m.memory("mel_weights", count as usize, u(segment_bits + spec.weight_bits + 1));
    let word = rom.init(words).read(index.truncate(index_bits(count as usize)));
    let word = word.called("mel_weight_word");
    let weight = word.truncate(spec.weight_bits + 1);
    let target = all.mux(m.lit(u(segment_bits), spec.mels + 1), word.high(segment_bits));

    let segment = m.reg("segment", target.ty());
    let in_flight = m.reg("bin_in_flight", u(1));
    let decides = (*binning & !*in_flight).named("decides");
    let there = segment.eq(target).called("segment_there");
    let advances = (decides & !there).named("advances");
    let arrived = (decides & there).called("arrives");
    let issues = (arrived & !all).named("issues_bin");
    let ends = (arrived & all).named("bins_end");
    binning.next(starts).enable(starts | ends);
    segment.next(segment + 1).enable(advances).clear(starts);

    let second = delayed_flag(m, "mirror_read", issues, 1);
    let points = spec.stages();
    let first_bin = table.first().map_or(0, |bin| bin.bin);
    let number = (index.resize(points + 1) + first_bin).named("bin_number");
    let here = number.truncate(points);
    let address = second.mux(m.lit(here.ty(), 0) - here, here).named("bin_address");
    let reads = Reads { first: issues, second, address, angle: number };
    bin_valid.drive(delayed_flag(m, "bin_valid_delay", second, spec.turn_latency()));

    let found = magnitude(m, spec, (**bin_valid, bin), widths.magnitude);
    let work = Work { uses: found.found, left: found.value, right: weight.to_signed() };
    let adds = delayed_flag(m, "band_adds", found.found, PRODUCT_CYCLES);
    in_flight.next(issues).enable(issues | adds);
    index.next(index + 1).enable(adds).clear(starts);

    // what a bin does not give to the band that rises, it gives to the one that falls
    let share = product.as_unsigned().resize(widths.sum);
    let whole = found.value.as_unsigned().extend(widths.sum).shl(spec.weight_bits);
    let sum = |name: &str| m.reg(name, u(widths.sum)).clear(starts);
    let (rising, falling) = (sum("rising"), sum("falling"));
    let zero = m.lit(rising.ty(), 0);
    let changes = (adds | advances).called("band_changes");
    rising.next(advances.mux(zero, *rising + share)).enable(changes);
    falling.next(advances.mux(*rising, *falling + whole - share)).enable(changes);
    let completes = (advances & segment.any()).named("band_completes");
    Bins { binning: *binning, ends, reads, completes, falling: *falling, work }
}

/// Rotates a bin onto the real axis.
fn magnitude<'m>(
    m: &'m ModuleBuilder,
    spec: &MfccSpec,
    (valid, bin): (Signal<'m>, Complex<'m>),
    bits: u32,
) -> Magnitude<'m> {
    let rotating = m.reg("rotating", u(1));
    let r = m.reg("rotation", u(index_bits(spec.rotations as usize)));
    let last = (*rotating & r.eq(spec.rotations - 1)).named("last_rotation");
    rotating.next(valid).enable(valid | last);
    r.next(r + 1).enable(*rotating).clear(last);

    let size = |part: Signal<'m>| {
        let part = part.extend(bits);
        part.msb().mux(-part, part).called_in(part, "size")
    };
    let ty = hwgen_hdl::s(bits);
    let (x, y) = (m.reg("rotated_x", ty).no_reset(), m.reg("rotated_y", ty).no_reset());
    let shifted = |part: Signal<'m>| barrel_shift(Shift::ArithmeticRight, part, *r);
    let (across, along) = (shifted(*y).called("across"), shifted(*x).called("along"));
    let below = y.msb();
    let turned_x = below.mux(*x - across, *x + across).called("turned_x");
    let turned_y = below.mux(*y + along, *y - along).called("turned_y");
    let takes = (valid | *rotating).called("rotation_moves");
    x.next(valid.mux(size(bin.re), turned_x)).enable(takes);
    y.next(valid.mux(size(bin.im), turned_y)).enable(takes);
    let found = m.reg("magnitude_found", u(1)).next(last);
    Magnitude { found: *found, value: *x }
}

/// The order of bits as the memory's words have them: the imaginary part above the real one.
pub(super) fn word<'m>(point: Complex<'m>, bits: u32) -> Signal<'m> {
    let part = |part: Signal<'m>| part.truncate(bits).as_unsigned();
    cat(&[part(point.im), part(point.re)])
}
