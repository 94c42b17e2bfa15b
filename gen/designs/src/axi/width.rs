//! Payloads cut into transfers of a bus, and put together again.

use hwgen_hdl::{
    Bundle, Fields, Module, ModuleBuilder, Signal, Stream, cat, fields, index_bits, mux, u,
};
use std::sync::Arc;

/// Fields `data` of `bits` bits and, if there is one, `last`.
pub(super) fn data_and_last(bits: u32, last: bool) -> Fields {
    let mut shape = fields([("data", u(bits))]);
    shape.extend(last.then(|| ("last".to_owned(), u(1))));
    shape
}

/// The builder of a converter, its name and header telling its parameters.
fn start(what: &str, doc: &str, payload_bits: u32, bus_bits: u32, last: bool) -> ModuleBuilder {
    let suffix = if last { "_last" } else { "" };
    let m = ModuleBuilder::new(format!("{what}_p{payload_bits}_w{bus_bits}{suffix}"));
    m.doc(doc);
    m.parameter("payload_bits", payload_bits);
    m.parameter("bus_bits", bus_bits);
    m
}

/// Counts the transfers of a payload; whether this is the last, and the counter's content.
fn counted<'m>(
    m: &'m ModuleBuilder,
    count: u32,
    passes: Signal<'m>,
    cut: Option<Signal<'m>>,
) -> (Signal<'m>, Signal<'m>) {
    let index = m.reg("index", u(index_bits(count as usize)));
    let ends = index.eq(count - 1).named("ends");
    let starts_anew = cut.map_or(ends, |cut| ends | cut);
    index.next(mux(starts_anew, m.lit(index.ty(), 0), index + 1)).enable(passes);
    (ends, index.into())
}

/// Transfers to payloads: streams `in` and `out` of `data` and `last`. A `last` before a payload's
/// last transfer drops what there is of it, and output `cut` says so.
///
/// `payload_bits` must be more than `bus_bits`.
pub(super) fn deserializer(payload_bits: u32, bus_bits: u32, last: bool) -> Arc<Module> {
    let doc = "Joins transfers of a bus to a payload, the lowest bits first.";
    let m = start("deserializer", doc, payload_bits, bus_bits, last);
    let count = payload_bits.div_ceil(bus_bits);
    let input = m.stream_in("in", &data_and_last(bus_bits, last));
    let cut = last.then(|| input.get("last"));
    let (ends, _) = counted(&m, count, input.fires(), cut);

    // what came first has moved lowest when the last transfer comes
    let stored = m.reg("stored", u(bus_bits * (count - 1))).no_reset().enable(input.fires());
    stored.next(match count {
        2 => input.get("data"),
        _ => input.get("data").cat(stored.high(bus_bits * (count - 2))),
    });
    let joined = input.get("data").truncate(payload_bits - bus_bits * (count - 1)).cat(stored);
    let mut payload = Bundle::new([("data", joined.named("joined"))]);
    if last {
        payload = payload.with("last", input.get("last"));
        m.output("cut", input.fires() & input.get("last") & !ends);
    }
    let output = Stream::source(&m, "payload", input.valid & ends, payload);
    input.ready.drive(*output.ready | (!ends).called("more_comes"));
    m.stream_out("out", &output);
    m.finish()
}

/// Payloads to transfers: streams `in` and `out` of `data` and `last`, which goes with the last
/// transfer. A payload is taken with its last transfer.
///
/// `payload_bits` must be more than `bus_bits`.
pub(super) fn serializer(payload_bits: u32, bus_bits: u32, last: bool) -> Arc<Module> {
    let doc = "Cuts a payload into transfers of a bus, the lowest bits first.";
    let m = start("serializer", doc, payload_bits, bus_bits, last);
    let count = payload_bits.div_ceil(bus_bits);
    let input = m.stream_in("in", &data_and_last(payload_bits, last));
    let passes = m.wire("passes", u(1));
    let (ends, index) = counted(&m, count, *passes, None);

    let padded = input.get("data").extend(bus_bits * count);
    let words: Vec<_> =
        (0..count).map(|i| padded.slice((i + 1) * bus_bits - 1, i * bus_bits)).collect();
    let mut payload = Bundle::new([("data", index.select(&words).named("word"))]);
    if last {
        payload = payload.with("last", input.get("last") & ends);
    }
    let output = Stream::source(&m, "transfer", input.valid, payload);
    passes.drive(output.fires());
    input.ready.drive(*output.ready & ends);
    m.stream_out("out", &output);
    m.finish()
}

/// Signals of a packed payload, `last` from beside it where the shape has it.
pub(super) fn unpacked<'m>(
    shape: &Fields,
    packed: Signal<'m>,
    last: Option<Signal<'m>>,
) -> Bundle<'m> {
    let inside: Fields = shape.iter().filter(|(name, _)| name != "last").cloned().collect();
    let parts = Bundle::unpack(&inside, packed);
    Bundle::new(shape.iter().filter_map(|(name, _)| match name.as_str() {
        "last" => Some((name.clone(), last?)),
        _ => Some((name.clone(), parts.get(name))),
    }))
}

/// The inverse of [`unpacked`]: all fields but `last` side by side, the first lowest.
pub(super) fn packed<'m>(payload: &Bundle<'m>) -> Signal<'m> {
    let parts = payload.iter().filter(|(name, _)| *name != "last").map(|(_, signal)| signal);
    cat(&parts.collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>()).called("payload_bits")
}
