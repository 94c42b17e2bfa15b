//! The importance of tokens: a counter a key, to which every row adds its probabilities.

use super::SpattenAttentionSpec;
use super::spec::IMPORTANCE_BITS;
use crate::attention::attend::division::{MANTISSA, reciprocals};
use crate::wiring::{delayed_flag, held};
use hwgen_hdl::lib::leading_one::leading_one;
use hwgen_hdl::{Bundle, Int, Module, ModuleBuilder, Signal, Stream, bits_for, mux, u};
use std::sync::Arc;

/// Fraction bits of a probability.
const FRACTION: u32 = 16;

/// Module `spatten_importance`.
///
/// In: `begins` with the row's `sum` and whether it has a `single` key; from the next cycle but one on
/// `adds` with `key` and its `weight`. `clears` with `clear_key`, at other times. `reads` starts the
/// read-out of the counters up to `last_key`: stream `out`, then `read` for a cycle, as its last passes.
pub(super) fn module(spec: &SpattenAttentionSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("spatten_importance");
    m.doc("Sums up the probabilities that each key draws, in 65536ths.");
    let key = u(spec.key_bits());
    let (adds, add_key) = (m.input("adds", u(1)), m.input("key", key));
    let probability = probability(&m, spec, adds);

    let counter = u(IMPORTANCE_BITS);
    let memory = m.memory("counters", spec.max_keys as usize, counter);
    let advance = m.wire("advance", u(1));
    let last_key = m.input("last_key", key);
    let starts = m.input("reads", u(1));
    let reading = m.reg("reading", u(1));
    let read_key = m.reg("read_key", key);
    let reads = (*reading & *advance).named("reads_now");
    let reads_last = (reads & read_key.eq(last_key)).named("reads_last");
    reading.next(starts).enable(starts | reads_last);
    read_key.next(read_key + 1).enable(reads).clear(reads_last);
    let address = reading.mux(*read_key, add_key);
    let stored = memory.read_sync(address, reads | adds);

    // a cycle after the key came
    let added = delayed_flag(&m, "added", adds, 1);
    let added_key = held(&m, "added_key", add_key, adds);
    let wide = stored.extend(IMPORTANCE_BITS + 1) + probability.extend(IMPORTANCE_BITS + 1);
    let most = m.lit(counter, counter.max());
    let sum = wide.msb().mux(most, wide.truncate(IMPORTANCE_BITS)).named("sum_now");
    let (clears, clear_key) = (m.input("clears", u(1)), m.input("clear_key", key));
    memory.write(
        added.mux(added_key, clear_key),
        added.mux(sum, m.lit(counter, 0)),
        added | clears,
    );

    let shown = m.reg("shown", u(1)).next(*reading).enable(*advance);
    let last = held(&m, "shown_last", reads_last, reads);
    let payload = Bundle::new([("score", stored), ("last", last)]);
    let out = Stream::source(&m, "counter", *shown, payload);
    advance.drive(*out.ready | !shown);
    m.output("read", out.fires() & last);
    m.stream_out("out", &out);
    m.finish()
}

/// The probability of the key that came a cycle ago.
fn probability<'m>(
    m: &'m ModuleBuilder,
    spec: &SpattenAttentionSpec,
    adds: Signal<'m>,
) -> Signal<'m> {
    let begins = m.input("begins", u(1));
    let single = m.input("single", u(1));
    let sum = m.input("sum", u(spec.exact().sum_bits()));
    let leading = leading_one(sum).index;
    let mantissa = sum.cat(m.lit(u(MANTISSA), 0)).shr(leading).truncate(MANTISSA);
    let table = m.memory("reciprocals", 1 << MANTISSA, u(MANTISSA + 1)).init(reciprocals());
    let reciprocal = table.read_sync(mantissa, begins & !single);
    let shift = leading.resize(bits_for(spec.exact().sum_bits().into())) + 1;
    let shift = held(m, "shift", shift, begins & !single);
    let alone = held(m, "alone", single, begins);

    let weight = m.input("weight", u(spec.probability_bits));
    let product = held(m, "product", weight.mul(reciprocal), adds & !alone);
    // 2^8 of the fraction are the table's
    let wide = product.width() + FRACTION - MANTISSA;
    let share = product.extend(wide).shl(FRACTION - MANTISSA).shr(shift);
    let one = m.lit(u(FRACTION + 1), Int::from(1u32 << FRACTION));
    // a weight is no larger than the sum, and a reciprocal less than a 256th too large
    mux(alone, one, share.resize(FRACTION + 1)).named("probability")
}
