//! Synchronous FIFO of any depth, with a count.
//!
//! The oldest payload shows at `out` without being asked for (fall-through). No combinational
//! path leads from one side to the other.

use super::naming::{check_range, packed_width, shape};
use crate::Place;
use crate::build::{Bundle, Fields, MAX_DEPTH, ModuleBuilder, Reg, Signal, Stream};
use crate::netlist::Module;
use crate::ty::{bits_for, index_bits, u};
use std::sync::Arc;

/// Where a FIFO keeps its payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Storage {
    /// Read at once: flip-flops or LUT RAM. Latency 1 cycle; full throughput from depth 2 on.
    Registers,
    /// Read at the clock edge: block RAM. Latency 2 cycles; full throughput from depth 3 on.
    BlockRam,
}

/// A FIFO in LUT RAM; [`fifo_with`] [`Storage::Registers`].
pub fn fifo(depth: usize, fields: &Fields) -> Arc<Module> {
    fifo_with(Storage::Registers, depth, fields)
}

/// A FIFO that holds `depth` payloads: streams `in` and `out`, output `count` of type
/// `u(bits_for(depth))`: payloads inside, those on their way to `out` included.
///
/// # Panics
/// If `depth` is outside `1..=2^24` or there are no fields.
pub fn fifo_with(storage: Storage, depth: usize, fields: &Fields) -> Arc<Module> {
    check_range("fifo", "depth", depth, 1..=MAX_DEPTH);
    assert!(!fields.is_empty(), "fifo: there must be at least one field");
    let kind = if storage == Storage::BlockRam { "fifo_ram" } else { "fifo" };
    let m = ModuleBuilder::new(format!("{kind}_d{depth}_{}", shape(fields)));
    m.doc("First in, first out; out shows the oldest payload.");
    m.parameter("depth", depth);
    m.parameter("storage", if storage == Storage::BlockRam { "block RAM" } else { "registers" });
    m.parameter("fields", shape(fields));

    let input = m.stream_in("in", fields);
    let count = m.reg("count", u(bits_for(depth as u64)));
    let memory = m.memory("words", depth, u(packed_width(fields)));
    input.ready.drive(count.ne(depth));
    let push = input.fires().named("push");
    let tail = pointer(&m, "tail", depth, push);
    memory.write(tail, input.payload.pack().named("newest"), push);

    let pop = m.wire("pop", u(1));
    let output = match storage {
        Storage::Registers => {
            let head = pointer(&m, "head", depth, *pop);
            let word = memory.read(head).named("oldest");
            Stream::source(&m, "out", count.any(), Bundle::unpack(fields, word))
        }
        Storage::BlockRam => {
            // The RAM's output register holds the oldest word while `fetched` is 1.
            let fetched = m.reg("fetched", u(1));
            let fetch = m.wire("fetch", u(1));
            let head = pointer(&m, "head", depth, *fetch);
            let word = memory.read_sync(head, *fetch);
            let output = Stream::source(&m, "out", fetched, Bundle::unpack(fields, word));
            let stored = (count - fetched.extend(count.width())).called("stored");
            let free = (*output.ready | !fetched).called("free_to_fetch");
            fetch.drive(stored.any() & free);
            fetched.next(*fetch | (*fetched & !*output.ready));
            output
        }
    };
    pop.drive(output.fires());
    count.next(push.mux(count + 1, count - 1)).enable(push ^ *pop);
    m.promise("the count stays within the depth", count.le(depth));
    m.output("count", count);
    m.stream_out("out", &output);
    m.finish()
}

/// An address that goes round `0..depth`, one place on at each edge with `advance`.
#[track_caller]
fn pointer<'m>(m: &'m ModuleBuilder, name: &str, depth: usize, advance: Signal<'m>) -> Signal<'m> {
    let _caller = Place::of_caller();
    let ty = u(index_bits(depth));
    if depth == 1 {
        return m.lit(ty, 0);
    }
    let pointer: Reg<'m> = m.reg(name, ty).enable(advance);
    let next = pointer + 1;
    let wrapped = match depth.is_power_of_two() {
        true => next,
        false => pointer.eq(depth - 1).mux(m.lit(ty, 0), next),
    };
    pointer.next(wrapped).into()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    use super::naming::data;
    use crate::build::fields;
    use crate::ty::s;
    vec![
        fifo(1, &data(1)),
        fifo(16, &data(8)),
        fifo(5, &fields([("value", s(12)), ("last", u(1))])),
        fifo_with(Storage::BlockRam, 1, &data(8)),
        fifo_with(Storage::BlockRam, 3, &data(8)),
        fifo_with(Storage::BlockRam, 512, &fields([("value", s(30)), ("last", u(1))])),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::naming::data;
    use crate::lib::testing::{Random, pass, share, simulate};
    use crate::sim::Bench;
    use crate::ty::Int;

    const STORAGES: [Storage; 2] = [Storage::Registers, Storage::BlockRam];

    fn payloads(count: u64) -> Vec<Vec<Int>> {
        (0..count).map(|i| vec![Int::from(i % 251)]).collect()
    }

    #[test]
    fn keeps_order_under_stalls() {
        for storage in STORAGES {
            for depth in [1, 2, 3, 4, 5, 7, 8, 16, 33] {
                let module = fifo_with(storage, depth, &data(8));
                for stall in [0, 30, 60] {
                    let run = pass(&module, &payloads(150), stall);
                    assert_eq!(run.outputs, payloads(150), "{} {stall}", module.name);
                }
            }
        }
    }

    #[test]
    fn rate_and_latency() {
        let cycles =
            |storage, depth| pass(&fifo_with(storage, depth, &data(8)), &payloads(60), 0).cycles;
        for depth in 2..=9 {
            assert_eq!(cycles(Storage::Registers, depth), 60 + 1);
            assert_eq!(cycles(Storage::BlockRam, depth + 1), 60 + 2);
        }
        assert_eq!(cycles(Storage::Registers, 1), 2 * 60);
        assert_eq!(cycles(Storage::BlockRam, 1), 3 * 60);
    }

    #[test]
    fn fields_come_out_as_they_went_in() {
        use crate::build::fields;
        use crate::ty::s;
        let mut random = Random::new(6);
        for storage in STORAGES {
            let shape = fields([("value", s(70)), ("index", u(9)), ("last", u(1))]);
            let module = fifo_with(storage, 6, &shape);
            let inputs: Vec<Vec<Int>> =
                (0..50).map(|_| shape.iter().map(|(_, ty)| random.value(*ty)).collect()).collect();
            assert_eq!(pass(&module, &inputs, 40).outputs, inputs);
        }
    }

    /// Against a queue, cycle by cycle, filling up first and running dry then.
    #[test]
    fn counts_like_a_queue() {
        for storage in STORAGES {
            for depth in [1, 2, 3, 6, 8] {
                for (push, pop) in [(10, 70), (40, 40), (70, 10)] {
                    let mut sim = simulate(&fifo_with(storage, depth, &data(8)));
                    let mut bench = Bench::new(&mut sim);
                    bench.driver("in", share(push), 3);
                    bench.monitor("out", share(pop), 4);
                    payloads(200).into_iter().for_each(|payload| bench.drivers[0].push(payload));
                    for _ in 0..250 {
                        let inside =
                            bench.drivers[0].sent - bench.monitors[0].received.len() as u64;
                        let output = |name: &str| {
                            let module = bench.device.module();
                            module.outputs.iter().position(|port| *port.name == *name).unwrap()
                        };
                        let (count, ready) = (output("count"), output("in_ready"));
                        assert_eq!(bench.device.peek(count), Int::from(inside));
                        let has_place = Int::from(u8::from(inside < depth as u64));
                        assert_eq!(bench.device.peek(ready), has_place);
                        bench.step();
                    }
                }
            }
        }
    }

    #[test]
    fn a_reset_in_the_middle_empties_it() {
        for storage in STORAGES {
            let mut sim = simulate(&fifo_with(storage, 5, &data(8)));
            sim.poke("in_valid", 1);
            sim.steps(4);
            assert_eq!((sim.peek_u64("count"), sim.peek_u64("out_valid")), (4, 1));
            sim.poke("in_valid", 0);
            sim.reset();
            sim.steps(3);
            assert_eq!((sim.peek_u64("count"), sim.peek_u64("out_valid")), (0, 0));
        }
    }
}
