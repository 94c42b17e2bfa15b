//! Columns and groups of them.

use super::LapaSpec;
use super::job::Job;
use hwgen_hdl::{Bundle, ModuleBuilder, Signal, Stream, index_bits, u};

/// The bit of a token in its group, and whether it is the group's last.
pub(super) fn in_group<'m>(
    spec: &LapaSpec,
    bits: Signal<'m>,
    index: Signal<'m>,
) -> (Signal<'m>, Signal<'m>) {
    let lane_bits = spec.shape().rows.trailing_zeros();
    if lane_bits == 0 {
        return (bits, bits.module().lit(u(1), 1));
    }
    let lane = index.resize(index.width().max(lane_bits)).truncate(lane_bits);
    let lanes: Vec<_> = (0..spec.shape().rows).map(|lane| bits.bit(lane)).collect();
    (lane.select(&lanes), lane.all())
}

/// All columns of each key head: `index`, `last`.
pub(super) fn all<'m>(m: &'m ModuleBuilder, spec: &LapaSpec, job: &Job<'m>) -> Stream<'m> {
    let index = m.reg("column", u(index_bits(spec.shape().max_keys as usize)));
    let (last, ends) = (job.is_last(*index), m.wire("columns_end_asked", u(1)));
    let payload = Bundle::new([("index", *index), ("last", last)]);
    let asked = Stream::source(m, "column_asks", job.make_all(m, *ends), payload);
    ends.drive(asked.fires() & last);
    index.next(index + 1).enable(asked.fires()).clear(*ends);
    asked
}

/// The key and the value in a result of the layer that makes them.
pub(super) fn halves<'m>(made: &Stream<'m>) -> [Signal<'m>; 2] {
    let data = made.get("data");
    let bits = data.width() / 2;
    [data.truncate(bits), data.high(bits)]
}
