//! A load of `linear`: weights in banks of nibbles, scales, the activation's table.

use super::LinearSpec;
use super::batch::places;
use super::exact::TABLE_ENTRIES;
use crate::wiring::{pack, unpack};
use hwgen_hdl::build::MemoryBuilder;
use hwgen_hdl::lib::saturate::saturate;
use hwgen_hdl::{Bundle, ModuleBuilder, Signal, Stream, Wire, index_bits, reduce, s, u};

/// Bits of a weight's high nibble, and of its low part.
pub(super) const HIGH_BITS: u32 = 4;
pub(super) const LOW_BITS: u32 = 5;

/// The streams of a load: each is taken until its `last`.
pub(super) struct Load<'m> {
    /// All have had their last beat at this edge.
    pub(super) ends: Signal<'m>,
    /// To be driven: whether loads are taken.
    loading: Wire<'m>,
}

impl<'m> Load<'m> {
    pub(super) fn new(m: &'m ModuleBuilder, streams: [(&str, Option<&Stream<'m>>); 3]) -> Load<'m> {
        let loading = m.wire("load_taken", u(1));
        let ends = m.wire("load_done", u(1));
        let streams = streams.into_iter().filter_map(|(name, stream)| Some((name, stream?)));
        let complete = streams.map(|(name, stream)| {
            let done = m.reg(format!("{name}_done"), u(1));
            stream.ready.drive(*loading & !*done);
            let last = (stream.fires() & stream.get("last")).called(format!("{name}_end"));
            let complete = (*done | last).named(format!("{name}_complete"));
            done.next(complete).clear(*ends);
            complete
        });
        let complete: Vec<_> = complete.collect();
        ends.drive(reduce(&complete, |a, b| a & b));
        Load { ends: *ends, loading }
    }

    /// Loads are taken while `loading` is 1.
    pub(super) fn taken_while(&self, loading: Signal<'m>) {
        self.loading.drive(loading);
    }
}

/// The weights: high nibbles of even and odd beats in a bank each, low parts in a third.
pub(super) struct Banks<'m> {
    pub(super) even: MemoryBuilder<'m>,
    /// There is none if an output has a single beat.
    pub(super) odd: Option<MemoryBuilder<'m>>,
    pub(super) low: MemoryBuilder<'m>,
}

impl<'m> Banks<'m> {
    pub(super) fn new(m: &'m ModuleBuilder, spec: &LinearSpec, weights: &Stream<'m>) -> Banks<'m> {
        let layer = spec.layer();
        let place = places(m, "weights", weights, layer.weight_beats());
        let parts = unpack(weights.get("data"), s(8), layer.lanes);
        let (high, low): (Vec<_>, Vec<_>) = parts.into_iter().map(split).unzip();
        let (high, low) = (pack(&high).called("high_nibbles"), pack(&low).called("low_parts"));

        let chunk = m.reg("filled_chunk", u(index_bits(layer.chunks() as usize)));
        let parity = chunk.bit(0);
        let output_filled = chunk.eq(layer.chunks() - 1).named("output_filled");
        let restart = (weights.fires() & weights.get("last")).named("weights_end");
        chunk
            .next(output_filled.mux(m.lit(chunk.ty(), 0), chunk + 1))
            .enable(place.store)
            .clear(restart);
        let bank = |name: &str| {
            let words = (spec.outputs * spec.pairs()) as usize;
            m.memory(name, words, u(layer.lanes * HIGH_BITS))
        };
        let even = bank("high_even");
        let pair = m.reg("filled_pair", even.address_type());
        let pair_ends = (parity | output_filled).named("pair_filled");
        pair.next(pair + 1).enable(place.store & pair_ends).clear(restart);
        even.write(*pair, high, place.store & !parity);
        let odd =
            (layer.chunks() > 1).then(|| bank("high_odd").write(*pair, high, place.store & parity));
        let lows = m.memory("low", layer.weight_beats() as usize, u(layer.lanes * LOW_BITS));
        lows.write(place.address, low, place.store);
        Banks { even, odd, low: lows }
    }
}

/// A weight's high nibble and low part.
fn split(weight: Signal<'_>) -> (Signal<'_>, Signal<'_>) {
    let high = high_nibble(weight);
    // the difference has five bits: what is above them cancels
    let low = weight.truncate(LOW_BITS) - high.extend(LOW_BITS).shl(HIGH_BITS);
    (high, low.called_in(weight, "low"))
}

/// The four-bit form of an int8 number: hi of the page.
pub(super) fn high_nibble(x: Signal<'_>) -> Signal<'_> {
    let rounded = (x.extend(9) + 8).called_in(x, "rounding").shr(HIGH_BITS).called_in(x, "nibbles");
    let high = rounded.truncate(HIGH_BITS + 1).called_in(x, "rounded");
    saturate(high, s(HIGH_BITS)).called_in(x, "high")
}

/// The scale of the output that is summed up.
pub(super) struct Scale<'m> {
    pub(super) bias: Signal<'m>,
    pub(super) multiplier: Signal<'m>,
    pub(super) shift: Signal<'m>,
}

/// Keeps the scales; shows that of output 0 two cycles after the load, and at the edges with `ends`
/// goes on to the next one, behind `token_ends` to output 0's.
pub(super) fn scales<'m>(
    m: &'m ModuleBuilder,
    spec: &LinearSpec,
    scales: &Stream<'m>,
    load_ends: Signal<'m>,
    (ends, token_ends): (Signal<'m>, Signal<'m>),
) -> Scale<'m> {
    let place = places(m, "scales", scales, spec.outputs);
    let fields = spec.scale_fields()[..3].to_vec();
    let word = Bundle::new(fields.iter().map(|(name, _)| (name.clone(), scales.get(name)))).pack();
    let memory = m.memory("scales", spec.outputs as usize, word.ty());
    memory.write(place.address, word, place.store);
    let first = m.reg("load_ended", u(1)).next(load_ends);
    let next = m.reg("next_scale", memory.address_type());
    // output 0's is read at the load's end and at each token's
    let to_first = (*first | (ends & token_ends)).named("to_first_scale");
    let address = to_first.mux(m.lit(next.ty(), 0), *next).called("scale_read");
    let after = match spec.outputs {
        1 => m.lit(next.ty(), 0),
        _ => address + 1,
    };
    let reads = (*first | ends).called("reads_scale");
    next.next(after).enable(reads);
    let word = memory.read_sync(address, reads);
    let word = Bundle::unpack(&fields, word);
    let [bias, multiplier, shift] = ["bias", "multiplier", "shift"].map(|name| word.get(name));
    Scale { bias, multiplier, shift }
}

/// The activation's table, or the identity.
pub(super) struct Table<'m> {
    pub(super) values: MemoryBuilder<'m>,
    pub(super) identity: Signal<'m>,
}

impl<'m> Table<'m> {
    pub(super) fn new(m: &'m ModuleBuilder, table: &Stream<'m>) -> Table<'m> {
        let place = places(m, "table", table, TABLE_ENTRIES);
        let values = m.memory("activation", TABLE_ENTRIES as usize, s(8));
        values.write(place.address, table.get("value"), place.store);
        let (fires, last) = (table.fires(), table.get("last"));
        let begun = m.reg("table_begun", u(1)).next(!last).enable(fires);
        let identity = m.reg("identity", u(1)).no_reset().next(!*begun).enable(fires & last);
        Table { values, identity: *identity }
    }
}
