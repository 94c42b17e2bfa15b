//! The last transform: a frame's coefficients, one after the other, as int8.

use super::logs::Logs;
use super::multiply::{PRODUCT_CYCLES, Work};
use super::spec::{COSINE_BITS, LOG_BITS};
use super::widths::Widths;
use super::{MfccSpec, tables};
use crate::wiring::delayed_flag;
use hwgen_hdl::lib::saturate::saturate;
use hwgen_hdl::{Bundle, ModuleBuilder, Signal, Stream, bits_for, index_bits, s, u};

/// Cycles from a logarithm's address to the cycle at whose end it is in the sum.
const SUM_CYCLES: u32 = 1 + PRODUCT_CYCLES;

/// Cycles between the start of a coefficient and the cycle at whose end it passes, without stalls.
pub(super) fn coefficient_cycles(spec: &MfccSpec) -> u32 {
    spec.mels + SUM_CYCLES + 1
}

/// Takes a frame's logarithms when they are complete; the stream `out`, and the use of a multiplier.
pub(super) fn cosines<'m>(
    m: &'m ModuleBuilder,
    spec: &MfccSpec,
    logs: &Logs<'m>,
    last_frame: Signal<'m>,
    product: Signal<'m>,
) -> (Stream<'m>, Work<'m>) {
    let widths = Widths::of(spec);
    let goes_on = m.wire("next_coefficient", u(1));
    let begins = (logs.ends | *goes_on).named("coefficient_begins");
    let walking = m.reg("adding_logs", u(1));
    let band = m.reg("log_number", u(index_bits(spec.mels as usize)));
    let last = band.eq(spec.mels - 1) & *walking;
    let last = last.named("last_log");
    walking.next(begins).enable(begins | last);
    band.next(band + 1).enable(*walking).clear(last);

    let k = m.reg("coefficient", u(index_bits(spec.coefficients as usize)));
    let last_k = k.eq(spec.coefficients - 1).named("last_coefficient");
    k.next(k + 1).enable(last).clear(last & last_k);
    let place = angle(m, spec, *k, (*walking, last, last_k));

    let table = m.memory("cosines", 4 * spec.mels as usize, s(widths.cosine));
    let cosine = table.init(tables::cosines(spec)).read_sync(place, *walking);
    let log = logs.memory.read_sync(*band, *walking);
    let uses = m.reg("cosine_uses", u(1)).next(*walking);
    let work = Work { uses: *uses, left: log, right: cosine };

    let adds = delayed_flag(m, "feature_adds", *walking, SUM_CYCLES);
    let ends = delayed_flag(m, "feature_ends", last, SUM_CYCLES);
    let fresh = m.reg("feature_fresh", u(1)).reset_to(1).next(ends).enable(adds);
    let sum = m.reg("feature_sum", s(widths.feature)).no_reset();
    let one = LOG_BITS + COSINE_BITS;
    let zero_point = m.lit(sum.ty(), i64::from(spec.zero_point) << one);
    let so_far = fresh.mux(zero_point, *sum);
    sum.next(so_far + product.resize(widths.feature)).enable(adds);

    // cut towards 0: what a negative sum has behind the point carries it up
    let carry = (sum.msb() & sum.truncate(one).as_unsigned().any()).named("carries");
    let whole = sum.shr(one).truncate(widths.feature - one);
    let whole = (whole + carry.extend(whole.width()).cast(whole.ty())).called("whole");
    let value = saturate(whole, s(8)).named("feature");

    let valid = m.reg("feature_valid", u(1));
    let frame_ends = m.reg("feature_frame_last", u(1)).no_reset().next(last_k).enable(last);
    let payload = Bundle::new([
        ("value", value),
        ("frame_last", *frame_ends),
        ("last", *frame_ends & last_frame),
    ]);
    let out = Stream::source(m, "feature", *valid, payload);
    valid.next(ends).enable(ends | out.fires());
    goes_on.drive(out.fires() & !*frame_ends);
    (out, work)
}

/// k (2j + 1) modulo 4B, at the step for band j.
fn angle<'m>(
    m: &'m ModuleBuilder,
    spec: &MfccSpec,
    k: Signal<'m>,
    (walking, last, last_k): (Signal<'m>, Signal<'m>, Signal<'m>),
) -> Signal<'m> {
    let turn = 4 * spec.mels;
    let ty = u(index_bits(turn as usize));
    let wide = bits_for(u64::from(2 * turn));
    let place = m.reg("cosine_place", ty);
    let sum = (place.extend(wide) + k.extend(wide).shl(1)).called("place_in_turns");
    let wrapped = sum
        .ge(turn)
        .mux(sum - turn, sum)
        .called("place_in_turn")
        .resize(ty.width)
        .named("next_place");
    // the next coefficient starts with its own number
    let begin = last_k.mux(m.lit(u(wide), 0), k.extend(wide) + 1).called("first_place");
    let begin = begin.resize(ty.width);
    place.next(last.mux(begin, wrapped)).enable(walking);
    *place
}
