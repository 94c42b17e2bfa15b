//! FIFO between two clocks: Gray-coded pointers through two-flop synchronisers.

use super::naming::{check_range, packed_width, shape};
use super::synchronizer::synchronize;
use crate::Place;
use crate::build::{Bundle, Domain, Fields, ModuleBuilder, Signal, Stream};
use crate::netlist::{Module, ResetKind};
use crate::ty::u;
use std::sync::Arc;

/// A FIFO whose stream `in` belongs to `in_clk` and whose stream `out` belongs to `out_clk`.
///
/// It holds `depth` payloads and one more in the output register. A payload shows at `out` 3 edges
/// of `out_clk` after it was written, a place freed is seen at `in` 2 edges of `in_clk` after it
/// was read; one edge later each if a synchroniser settles late. Full throughput at clocks of one
/// speed from depth 8 on. No combinational path leads from one side to the other.
///
/// Resets are `in_rst` and `out_rst`, of the given kind: synchronous, or asynchronous with their
/// release synchronised outside (`reset_synchronizer`). Both must be asserted together for at
/// least one edge of each clock; resetting one side alone loses count.
///
/// # Panics
/// If `depth` is not a power of two in `2..=65536`, or there are no fields.
pub fn async_fifo(depth: usize, fields: &Fields, reset: ResetKind) -> Arc<Module> {
    check_range("async_fifo", "depth", depth, 2..=65536);
    assert!(depth.is_power_of_two(), "async_fifo: depth {depth} is not a power of two");
    assert!(!fields.is_empty(), "async_fifo: there must be at least one field");
    let suffix = if reset == ResetKind::Async { "_arst" } else { "" };
    let m = ModuleBuilder::new(format!("async_fifo_d{depth}_{}{suffix}", shape(fields)));
    m.doc("First in, first out, from in_clk to out_clk. Reset both sides together.");
    m.parameter("depth", depth);
    m.parameter("fields", shape(fields));
    m.parameter("reset", if reset == ResetKind::Async { "asynchronous" } else { "synchronous" });
    let writer = m.clock("in_clk").reset("in_rst", reset, false);
    let reader = m.clock("out_clk").reset("out_rst", reset, false);

    // Pointers count modulo twice the depth: equal means empty, a depth apart means full.
    let address_bits = depth.trailing_zeros();
    let (push, fetch) = (m.wire("push", u(1)), m.wire("fetch", u(1)));
    let write = pointer(writer, "write", address_bits, *push);
    let read = pointer(reader, "read", address_bits, *fetch);
    let write_seen = synchronize(reader, "write_gray", write.gray, 2, 0);
    let read_seen = synchronize(writer, "read_gray", read.gray, 2, 0);

    let input = writer.stream_in("in", fields);
    // In Gray code a depth apart means: the two top bits differ, the rest is equal.
    let top_two = m.lit(u(address_bits + 1), 3u64 << (address_bits - 1));
    let full = write.gray.eq(read_seen ^ top_two).named("full");
    input.ready.drive(!full);
    push.drive(input.fires());
    let memory = m.memory("words", depth, u(packed_width(fields)));
    memory.write_in(writer, write.address, input.payload.pack().named("newest"), *push);

    let empty = read.gray.eq(write_seen).named("empty");
    let valid = m.reg("fetched", u(1)).domain(reader);
    let word = memory.read_sync_in(reader, read.address, *fetch);
    let output = Stream::source(&m, "out", valid, Bundle::unpack(fields, word));
    fetch.drive(!empty & (*output.ready | !valid));
    valid.next(*fetch | (*valid & !*output.ready));
    reader.stream_out("out", &output);
    m.finish()
}

struct Pointer<'m> {
    address: Signal<'m>,
    /// Registered, so that the other side samples one clean change of one bit.
    gray: Signal<'m>,
}

#[track_caller]
fn pointer<'m>(
    domain: Domain<'m>,
    name: &str,
    address_bits: u32,
    advance: Signal<'m>,
) -> Pointer<'m> {
    let _caller = Place::of_caller();
    let m = advance.module();
    let register = |part: &str| m.reg(format!("{name}_{part}"), u(address_bits + 1)).domain(domain);
    let count = register("count").enable(advance);
    let gray = register("gray").enable(advance);
    let next = (count + 1).named(format!("{name}_next"));
    count.next(next);
    gray.next(next ^ next.shr(1));
    Pointer { address: count.truncate(address_bits), gray: gray.into() }
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    use super::naming::data;
    use crate::build::fields;
    use crate::ty::s;
    vec![
        async_fifo(2, &data(1), ResetKind::Sync),
        async_fifo(16, &data(8), ResetKind::Sync),
        async_fifo(16, &data(8), ResetKind::Async),
        async_fifo(512, &fields([("value", s(30)), ("last", u(1))]), ResetKind::Async),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::naming::data;
    use crate::lib::testing::{share, simulate};
    use crate::sim::{StreamDriver, StreamMonitor};
    use crate::ty::Int;

    /// Passes payloads with the clocks' edges at the given periods; returns the edges of `out_clk`
    /// that it took.
    fn run(module: &Arc<Module>, periods: (u64, u64), stall: u64, count: usize) -> u64 {
        let mut sim = simulate(module);
        let sent: Vec<Vec<Int>> = (0..count).map(|i| vec![Int::from(i % 251)]).collect();
        let mut source = StreamDriver::new(module, "in", share(stall), periods.0).unwrap();
        let mut sink = StreamMonitor::new(module, "out", share(stall), periods.1).unwrap();
        sent.iter().for_each(|payload| source.push(payload.clone()));
        let mut edges = 0;
        for time in 1.. {
            if sink.received.len() == sent.len() {
                break;
            }
            assert!(time < 1_000_000, "{} is stuck", module.name);
            let writes = time % periods.0 == 0;
            let reads = time % periods.1 == 0;
            if writes {
                source.drive(&mut sim);
                source.sample(&mut sim);
            }
            if reads {
                sink.drive(&mut sim);
                sink.sample(&mut sim);
                edges += 1;
            }
            match (writes, reads) {
                (true, true) => sim.tick(&["in_clk", "out_clk"]),
                (true, false) => sim.tick(&["in_clk"]),
                (false, true) => sim.tick(&["out_clk"]),
                _ => {}
            }
        }
        assert_eq!(sink.received, sent, "{} {periods:?} {stall}", module.name);
        edges
    }

    #[test]
    fn keeps_order_between_any_clocks() {
        for reset in [ResetKind::Sync, ResetKind::Async] {
            for depth in [2, 4, 16] {
                let module = async_fifo(depth, &data(8), reset);
                for periods in [(1, 1), (1, 3), (3, 1), (7, 5), (5, 7), (10, 9)] {
                    for stall in [0, 50] {
                        run(&module, periods, stall, 200);
                    }
                }
            }
        }
    }

    #[test]
    fn full_throughput_at_one_speed() {
        for depth in [8, 16] {
            let edges = run(&async_fifo(depth, &data(8), ResetKind::Sync), (1, 1), 0, 500);
            assert_eq!(edges, 500 + 4, "depth {depth}");
        }
    }

    /// Overlapping resets in the middle leave it empty, whatever was inside.
    #[test]
    fn reset_in_the_middle() {
        for reset in [ResetKind::Sync, ResetKind::Async] {
            let module = async_fifo(4, &data(8), reset);
            let mut sim = simulate(&module);
            sim.poke("in_valid", 1);
            sim.poke("in_data", 99);
            (0..7).for_each(|_| sim.tick(&["in_clk"]));
            assert_eq!(sim.peek_u64("in_ready"), 0, "full");
            sim.poke("in_valid", 0);
            sim.reset();
            for _ in 0..10 {
                assert_eq!((sim.peek_u64("out_valid"), sim.peek_u64("in_ready")), (0, 1));
                sim.step();
            }
        }
    }

    #[test]
    #[should_panic(expected = "async_fifo: depth 12 is not a power of two")]
    fn depth_must_be_a_power_of_two() {
        async_fifo(12, &data(8), ResetKind::Sync);
    }
}
